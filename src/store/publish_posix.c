/* What publish_linux.c does, with nothing beyond POSIX.1-2008. */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

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

/* To the kernel all threads of a process are one: it sees deadlocks that are
 * none. */
static int
lock_waiting(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const struct timespec nap = {.tv_nsec = 1000 * 1000};

	while (fcntl(fd, F_SETLKW, &whole) == -1) {
		if (errno == EDEADLK)
			(void)nanosleep(&nap, NULL);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

bool
publish_locks_last(void)
{
	return false;
}

/*
 * A record lock is a process's: it keeps nobody out of the same process, and
 * is gone when any descriptor of the file is closed.  So of our own threads
 * only one at a time may ask for it.  (Two locations on one directory do not
 * know of each other.)
 */
int
publish_serialize(struct publish *p)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	int dir, fd, err;

	while (atomic_exchange(&p->serialized, true))
		(void)nanosleep(&nap, NULL);
	dir = publish_temp_dir(p);
	fd = dir < 0 ? -1
		     : openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	err = dir < 0 ? dir : fd == -1 ? -errno : lock_waiting(fd);
	if (err < 0)
		publish_release(p, &fd);
	return err < 0 ? err : fd;
}

void
publish_release(struct publish *p, int *lock)
{
	fd_close(lock);
	atomic_store(&p->serialized, false);
}

/* Closing a copy drops the record lock on the temp file: take it again.  A sweep
 * may have it, but only to look: it comes again later to remove the file. */
int
publish_check_close(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1)
		return -errno;
	if (close(copy) == -1 && errno != EINTR)
		return -errno;
	return lock_waiting(fd);
}
