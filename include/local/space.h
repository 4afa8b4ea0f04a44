/*
 * local/space.h - disk space and caching of a file that is being written
 * (space_linux.c, space_posix.c).
 *
 * All calls but space_set_direct() may block on the disk.  Errors are negative errnos.
 */
#ifndef LOCAL_SPACE_H
#define LOCAL_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

enum {
	SPACE_ALIGN = 4096, /* bytes, of direct writes, in memory and file */
	/* A file of so many bytes, or less, is freed in no time. */
	SPACE_FREED_AT_ONCE = 1024 * 1024,
};

/*
 * space_allocate(fd, from, len):
 * Allocate blocks for these bytes, and make the file as long as that.  0; -ENOSPC,
 * -EDQUOT, -EFBIG; or -EOPNOTSUPP when the file system cannot, which costs speed only.
 */
NODISCARD int space_allocate(int fd, uint64_t from, uint64_t len);

/* Make the file `len` bytes long, and free the blocks behind. */
NODISCARD int space_trim(int fd, uint64_t len);

/*
 * space_write_back(fd, from, len, by_range):
 * Have the kernel write these bytes to the disk, and wait for it.  This makes nothing
 * durable.  But an error is reported once only, here or by fsync(2): after an error here
 * a later fsync(2) that returns 0 means nothing.  `by_range`: sync_file_range(2) works
 * on this file system (struct device_traits); otherwise the whole file is synced
 * (fdatasync(2)), which works everywhere.
 */
NODISCARD int space_write_back(
    int fd, uint64_t from, uint64_t len, bool by_range);

/*
 * space_write_out(fd, len):
 * Have the kernel write the first `len` bytes to the disk, and wait for it; nothing is
 * flushed, and so nothing is durable yet.  0: the disk has them, perhaps in its cache.
 * Where device_traits.journaled holds, whatever is begun from now on (a link, say) comes
 * behind them in the journal: a sync that makes that durable makes them durable, too.  Or
 * a negative errno, which is reported once only, as above; errno_is_unsupported(): there
 * is no such call here.
 */
NODISCARD int space_write_out(int fd, uint64_t len);

/* Do writes with O_DIRECT bypass the page cache? */
enum space_direct {
	SPACE_DIRECT_UNKNOWN, /* the kernel does not say; it may refuse them */
	SPACE_DIRECT_NO,      /* they go through it all the same */
	SPACE_DIRECT_YES,
};

/*
 * space_direct_of(fd, align):
 * Find out for direct writes to this file whose memory and offset are multiples of
 * `align`.  Files of one file system differ: they may be encrypted, or have their data
 * in the journal.
 */
enum space_direct space_direct_of(int fd, unsigned align);

/* Switch O_DIRECT on or off for `fd`, which must have no writes in flight.  0; or
 * -EINVAL when the file system cannot. */
NODISCARD int space_set_direct(int fd, bool direct);

#endif
