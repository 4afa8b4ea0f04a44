/* What publish_linux.c does, with nothing beyond POSIX.1-2008. */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
publish_open_nameless(int dir)
{
	(void)dir;
	return -EOPNOTSUPP;
}

int
publish_link_nameless(int fd, int dir, const char *name)
{
	(void)fd;
	(void)dir;
	(void)name;
	return -EOPNOTSUPP;
}

int
publish_rename_new(int from_dir, const char *from, int dir, const char *name)
{
	(void)from_dir;
	(void)from;
	(void)dir;
	(void)name;
	return -EINVAL;
}

/* Record locks are a process's, not a descriptor's: a worker must not sweep
 * while it has uploads of its own, so it only does so at its start. */
int
publish_lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &whole) == -1 ? -errno : 0;
}

/* Between processes only: two threads of one worker are not kept apart. */
int
publish_serialize(struct publish *p)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	fd = openat(p->temp_dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return -errno;
	while (fcntl(fd, F_SETLKW, &whole) == -1) {
		if (errno != EINTR) {
			int err = -errno;

			close(fd);
			return err;
		}
	}
	return fd;
}

/* Closing a copy would drop the record lock on the temp file. */
int
publish_check_close(int fd)
{
	(void)fd;
	return 0;
}
