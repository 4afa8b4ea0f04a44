#include "local/space.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/errno_class.h"

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
space_write_back(int fd, uint64_t from, uint64_t len, bool by_range)
{
	(void)from;
	(void)len;
	(void)by_range;
	if (fdatasync(fd) == 0 || errno_is_unsupported(-errno))
		return 0;
	return -errno;
}

int
space_write_out(int fd, uint64_t len)
{
	(void)fd;
	(void)len;
	return -EOPNOTSUPP;
}

enum space_direct
space_direct_of(int fd, unsigned align)
{
	(void)fd;
	(void)align;
	return SPACE_DIRECT_NO;
}

int
space_set_direct(int fd, bool direct)
{
	(void)fd;
	return direct ? -EINVAL : 0;
}
