#include "local/space.h"

#include <errno.h>
#include <unistd.h>

int
space_trim(int fd, uint64_t len)
{
	while (ftruncate(fd, (off_t)len) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}
