#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

enum {
	TRIES = 100, /* against who removes our directory again and again */
};

int
publish_open_nameless(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	return fd == -1 ? -errno : fd;
}

/*
 * AT_EMPTY_PATH is one lookup cheaper, but kernels before 6.10 want a
 * privilege for it (and say ENOENT); /proc/self/fd works wherever /proc is.
 */
int
publish_link_nameless(int fd, int dir, const char *name)
{
	static _Atomic bool refused;
	char path[32];

	if (!atomic_load_explicit(&refused, memory_order_relaxed)) {
		if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
			return 0;
		if (errno != ENOENT && errno != EPERM)
			return -errno;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == -1)
		return -errno;
	/* So it was not the directory that was gone. */
	atomic_store_explicit(&refused, true, memory_order_relaxed);
	return 0;
}

int
publish_rename_new(int from_dir, const char *from, int dir, const char *name)
{
	if (syscall(SYS_renameat2, from_dir, from, dir, name,
		RENAME_NOREPLACE) == -1)
		return -errno;
	return 0;
}

int
publish_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == -1 ? -errno : 0;
}

/* A lock belongs to an open file, whoever has that. */
bool
publish_locks_last(void)
{
	return true;
}

static int
wait_for_lock(int fd)
{
	while (flock(fd, LOCK_EX) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/*
 * The lock is on a directory that only we can open: who may read the output
 * directory could hold us up for good.  It belongs to an open file, so each
 * caller opens its own.
 */
int
publish_serialize(struct publish *p)
{
	int fd = -1, err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		fd = publish_open_temp_dir(p->root);
		if (fd < 0)
			return fd;
		err = wait_for_lock(fd);
		/* Somebody may have removed it, and made another. */
		if (err == 0 && !publish_is_temp_dir(p->root, fd))
			err = -EAGAIN;
		if (err < 0)
			fd_close(&fd);
	}
	return err < 0 ? err : fd;
}

void
publish_release(struct publish *p, int *lock)
{
	(void)p;
	fd_close(lock);
}

int
publish_check_close(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1)
		return -errno;
	return close(copy) == -1 && errno != EINTR ? -errno : 0;
}
