/* What publish_linux.c does, with nothing beyond POSIX.1-2008. */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
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

bool
publish_can_sweep_beside(void)
{
	return false;
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
		const struct timespec nap = {.tv_nsec = 1000 * 1000};
		int err = errno;

		if (err != EINTR && err != EDEADLK) {
			close(fd);
			return -err;
		}
		/* To the kernel all threads of a process are one: it sees
		 * deadlocks that are none. */
		if (err == EDEADLK)
			(void)nanosleep(&nap, NULL);
	}
	return fd;
}

/* Closing a copy drops the record lock on the temp file: take it again.  Who
 * swept it in between makes the link fail. */
int
publish_check_close(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1)
		return -errno;
	if (close(copy) == -1 && errno != EINTR)
		return -errno;
	return publish_lock(fd);
}
