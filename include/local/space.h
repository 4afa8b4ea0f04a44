/*
 * local/space.h - the space of a file that is being written.  Where systems
 * differ: space_linux.c, space_posix.c.
 *
 * May wait for the disk, but for space_set_direct().  Errors are negative
 * errnos.
 */
#ifndef LOCAL_SPACE_H
#define LOCAL_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

enum {
	SPACE_ALIGN = 4096, /* of direct writes, in memory and in the file */
};

/*
 * space_allocate(fd, from, len):
 * Allocate the blocks, and make the file as long.  -ENOSPC, -EDQUOT, -EFBIG;
 * -EOPNOTSUPP: it cannot be done here, which costs speed only.
 */
NODISCARD int space_allocate(int fd, uint64_t from, uint64_t len);

/* Make the file as long as that, and give back what is beyond. */
NODISCARD int space_trim(int fd, uint64_t len);

/*
 * space_write_back(fd, from, len, by_range):
 * Have these bytes written to the disk and wait for it.  That makes nothing
 * durable; but an error is told once, here or by fsync(2): after one here
 * a successful fsync means nothing.  `by_range`: sync_file_range(2) works
 * there (struct device_traits); else all of the file is synced, the only other
 * way that every file system has.
 */
NODISCARD int space_write_back(
    int fd, uint64_t from, uint64_t len, bool by_range);

/* Do writes with O_DIRECT go past the page cache? */
enum space_direct {
	SPACE_DIRECT_UNKNOWN, /* the kernel does not say; it may refuse, too */
	SPACE_DIRECT_NO,      /* they would go through it all the same */
	SPACE_DIRECT_YES,
};

/*
 * space_direct_of(fd, align):
 * What direct writes to this file do that are aligned to `align`, in memory and
 * in the file.  It differs between files of one file system: they may be
 * encrypted, or have their data in the journal.
 */
enum space_direct space_direct_of(int fd, unsigned align);

/* Write past the page cache from here on, or not.  With writes in flight that
 * is a bug in the caller.  -EINVAL: the file system cannot. */
NODISCARD int space_set_direct(int fd, bool direct);

#endif
