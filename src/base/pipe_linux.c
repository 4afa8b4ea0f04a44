#include "base/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

int
pipe_open(struct pipe *p, size_t size)
{
	int ends[2], err;

	*p = (struct pipe){-1, -1};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	*p = (struct pipe){.rd = ends[0], .wr = ends[1]};
	if (fcntl(p->wr, F_SETPIPE_SZ, (int)size) != -1)
		return 0;
	err = -errno;
	pipe_close(p);
	return err;
}

void
pipe_close(struct pipe *p)
{
	fd_close(&p->rd);
	fd_close(&p->wr);
}

ssize_t
pipe_fill(const struct pipe *p, int fd, size_t most)
{
	return splice(fd, NULL, p->wr, NULL, most, SPLICE_F_NONBLOCK);
}

ssize_t
pipe_drain(const struct pipe *p, int fd, off_t offset, size_t len)
{
	loff_t at = offset;

	return splice(p->rd, NULL, fd, &at, len, SPLICE_F_NONBLOCK);
}
