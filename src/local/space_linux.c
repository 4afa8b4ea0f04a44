#include "local/space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"

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

/* Its errors are final.  That the file system has no such call is no failure:
 * a sync reports what is lost. */
static int
sync_all(int fd)
{
	if (fdatasync(fd) == 0 || errno_is_unsupported(-errno))
		return 0;
	return -errno;
}

static int
write_range(int fd, uint64_t from, uint64_t len)
{
	unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		       SYNC_FILE_RANGE_WAIT_AFTER;

	while (sync_file_range(fd, (off_t)from, (off_t)len, all) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
space_write_back(int fd, uint64_t from, uint64_t len, bool by_range)
{
	int err = by_range ? write_range(fd, from, len) : sync_all(fd);

	return by_range && (err == -ESPIPE || err == -EINVAL) ? 0 : err;
}

int
space_write_out(int fd, uint64_t len)
{
	return len == 0 ? 0 : write_range(fd, 0, len);
}

#ifdef STATX_DIOALIGN
static enum space_direct
direct_of(const struct statx *stx, unsigned align)
{
	if ((stx->stx_mask & STATX_DIOALIGN) == 0)
		return SPACE_DIRECT_UNKNOWN;
	if (stx->stx_dio_mem_align == 0 || stx->stx_dio_offset_align == 0 ||
	    align % stx->stx_dio_mem_align != 0 ||
	    align % stx->stx_dio_offset_align != 0)
		return SPACE_DIRECT_NO;
	return SPACE_DIRECT_YES;
}
#else
#define STATX_DIOALIGN 0 /* headers before Linux 6.1 */

static enum space_direct
direct_of(const struct statx *stx, unsigned align)
{
	(void)stx;
	(void)align;
	return SPACE_DIRECT_UNKNOWN;
}
#endif

enum space_direct
space_direct_of(int fd, unsigned align)
{
	struct statx stx;

	/* Older kernels, and sandboxes, do not know that call. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == -1)
		return SPACE_DIRECT_UNKNOWN;
	return direct_of(&stx, align);
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
