/* POSIX has no splice(2): none can be opened, so nothing else is called. */
#include "base/pipe.h"

#include <errno.h>

int
pipe_open(struct pipe *p, size_t size)
{
	(void)size;
	*p = (struct pipe){-1, -1};
	return -ENOSYS;
}

void
pipe_close(struct pipe *p)
{
	(void)p;
}

ssize_t
pipe_fill(const struct pipe *p, int fd, size_t most)
{
	(void)p;
	(void)fd;
	(void)most;
	errno = ENOSYS;
	return -1;
}

ssize_t
pipe_drain(const struct pipe *p, int fd, off_t offset, size_t len)
{
	(void)p;
	(void)fd;
	(void)offset;
	(void)len;
	errno = ENOSYS;
	return -1;
}
