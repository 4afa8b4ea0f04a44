#include "partial_look.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "local/path.h"
#include "local/publish.h"
#include "local_error.h"
#include "partial_file.h"

int
partial_look_dir(int root)
{
	return path_open(
	    root, PUBLISH_TEMP_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/* O_NONBLOCK: it may be a FIFO. */
static int
open_name(int dir, const char *id, const char *suffix)
{
	char name[PARTIAL_NAME_SIZE];
	int fd;

	partial_file_name(id, suffix, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1)
		return fd;
	return errno == ENOENT || errno == ELOOP ? (int)LOCAL_NO_UPLOAD
						 : -errno;
}

static int
look_up(int dir, const char *id, uint64_t *ret_offset)
{
	struct partial_file f;
	int fd = open_name(dir, id, partial_info_suffix);
	int err;

	if (fd < 0)
		return fd;
	err = partial_file_peek(fd, id, &f);
	fd_close(&fd);
	if (err < 0)
		return LOCAL_GARBLED;
	if (f.shown.phase != PARTIAL_OPEN)
		return LOCAL_NO_UPLOAD;
	*ret_offset = f.shown.offset;
	return 0;
}

int
partial_look_open(int root, const char *id, uint64_t *offset, int *ret_fd)
{
	int dir = partial_look_dir(root);
	int err = 0;

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP
			   ? (int)LOCAL_NO_UPLOAD
			   : dir;
	if (*offset == UINT64_MAX)
		err = look_up(dir, id, offset);
	if (err == 0)
		err = open_name(dir, id, partial_data_suffix);
	fd_close(&dir);
	if (err < 0)
		return err;
	*ret_fd = err;
	return 0;
}
