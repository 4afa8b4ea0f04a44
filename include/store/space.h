/*
 * store/space.h - the space of a file that is being written.  Where systems
 * differ: space_linux.c, space_posix.c.
 *
 * May wait for the disk, but for space_set_direct().  Errors are negative
 * errnos.
 */
#ifndef STORE_SPACE_H
#define STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

/*
 * space_allocate(fd, from, len):
 * Allocate the blocks, and make the file as long.  -ENOSPC, -EDQUOT, -EFBIG;
 * -EOPNOTSUPP: it cannot be done here, which costs speed only.
 */
NODISCARD int space_allocate(int fd, uint64_t from, uint64_t len);

/* Make the file as long as that, and give back what is beyond. */
NODISCARD int space_trim(int fd, uint64_t len);

/*
 * space_write_back(fd, from, len):
 * Have these bytes written to the disk and wait for it.  That makes nothing
 * durable; but an error is told once, here or by fsync(2): who gets one here
 * must not believe an fsync that follows.
 */
NODISCARD int space_write_back(int fd, uint64_t from, uint64_t len);

/* Write past the page cache from here on, or not.  With writes in flight that
 * is a bug in the caller.  -EINVAL: the file system cannot. */
NODISCARD int space_set_direct(int fd, bool direct);

#endif
