#include "store/space.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Mode 0: without KEEP_SIZE, which costs up to twice the CPU. */
int
space_allocate(int fd, uint64_t from, uint64_t len)
{
	if (len == 0)
		return 0;
	while (fallocate(fd, 0, (off_t)from, (off_t)len) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
space_write_back(int fd, uint64_t from, uint64_t len)
{
	unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		       SYNC_FILE_RANGE_WAIT_AFTER;

	while (sync_file_range(fd, (off_t)from, (off_t)len, all) == -1)
		if (errno != EINTR)
			return errno == ESPIPE || errno == EINVAL ? 0 : -errno;
	return 0;
}

int
space_set_direct(int fd, bool direct)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -errno;
	flags = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags) == -1 ? -errno : 0;
}
