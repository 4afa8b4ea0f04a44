/*
 * base/pipe.h - a pipe that bytes pass through without being copied (splice(2)).
 *
 *	socket --pipe_fill--> [ pages, by reference ] --pipe_drain--> file
 *
 * The bytes of a socket lie in pages of the kernel.  A pipe can hold these pages
 * themselves, so that they are copied once, into the file, and not through memory of
 * this process.  pipe_linux.c does that; POSIX has no such call, and there pipe_open()
 * says so.
 */
#ifndef BASE_PIPE_H
#define BASE_PIPE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"

struct pipe {
	int rd, wr; /* both -1: not open */
};

/*
 * pipe_open(p, size):
 * Open one that can hold `size` bytes.  0; -ENOSYS: this system has none; -EPERM: its
 * user has as much memory in pipes as allowed (pipe-user-pages-soft of proc(5)); -EMFILE
 * or another negative errno.  `p` is not open then.
 */
NODISCARD int pipe_open(struct pipe *p, size_t size);

/* Close it, and drop what is in it.  Idempotent. */
void pipe_close(struct pipe *p);

/* Move up to `most` bytes of the socket `fd` to the pipe.  Does not block.  Returns as
 * read(2) does; fewer bytes than there are when the pipe is full. */
ssize_t pipe_fill(const struct pipe *p, int fd, size_t most);

/* Move up to `len` bytes, which are in the pipe, to the file `fd` at `offset`.  Returns as
 * pwrite(2) does. */
ssize_t pipe_drain(const struct pipe *p, int fd, off_t offset, size_t len);

#endif
