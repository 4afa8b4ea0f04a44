#include "store/space.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

/* posix_fallocate() may write zeros instead, which costs more than it saves. */
int
space_allocate(int fd, uint64_t from, uint64_t len)
{
	(void)fd;
	(void)from;
	(void)len;
	return -EOPNOTSUPP;
}

int
space_write_back(int fd, uint64_t from, uint64_t len)
{
	(void)from;
	(void)len;
	return fdatasync(fd) == -1 ? -errno : 0;
}

int
space_set_direct(int fd, bool direct)
{
	(void)fd;
	return direct ? -EINVAL : 0;
}
