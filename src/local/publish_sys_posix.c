/* What publish_sys_linux.c does, with nothing beyond POSIX.1-2008. */
#include "local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "publish_lock.h"
#include "publish_sys.h"
#include "local/path.h"

int
publish_open_nameless(int dir)
{
	(void)dir;
	return -EOPNOTSUPP;
}

bool
publish_syncs_nameless(int dir)
{
	(void)dir;
	return true;
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

/* Record locks belong to a process, not to a descriptor: a worker cannot tell
 * its own uploads from abandoned ones, so it sweeps at its start only. */
int
publish_lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &whole) == -1 ? -errno : 0;
}

/* The kernel takes all threads of a process for one, and so reports deadlocks
 * that are none. */
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

const char publish_lock_name[] = "/lock";

int
publish_open_lock(int root, const char *temp_dir)
{
	int dir = path_open(root, temp_dir, O_RDONLY | O_DIRECTORY);
	int fd;

	if (dir < 0)
		return dir;
	fd = openat(
	    dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		fd = -errno;
	fd_close(&dir);
	return fd;
}

/* Threads of this process could not have it together. */
bool
publish_can_share(void)
{
	return false;
}

int
publish_try_lock(int fd, bool together)
{
	(void)fd;
	(void)together;
	return -EWOULDBLOCK;
}

int
publish_wait_lock(int fd, bool together)
{
	(void)together;
	return lock_waiting(fd);
}

bool
publish_unlock(int fd)
{
	(void)fd;
	return false;
}

/*
 * A record lock is a process's: it does not keep out threads of that process, and
 * is gone when any descriptor of the file is closed.  So of our own threads
 * only one at a time may ask for locks on a disk.
 */
static _Atomic bool turns[16];

unsigned
publish_begin_turn(int root)
{
	const struct timespec nap = {.tv_nsec = 1000 * 1000};
	unsigned turn = 0;
	struct stat st;

	if (fstat(root, &st) == 0)
		turn =
		    (unsigned)(hash_mix((uint64_t)st.st_dev) % COUNT_OF(turns));
	while (atomic_exchange(&turns[turn], true))
		(void)nanosleep(&nap, NULL);
	return turn;
}

void
publish_end_turn(unsigned turn)
{
	atomic_store(&turns[turn], false);
}

/* POSIX has none of this but the setgid bit. */
void
publish_tidy(int temp_dir, int root, bool nameless, bool is_new)
{
	struct stat st;

	(void)root;
	(void)nameless;
	if (fstat(temp_dir, &st) == 0 && st.st_uid == geteuid() &&
	    (is_new || (st.st_mode & S_ISGID)))
		(void)fchmod(
		    temp_dir, st.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO));
}

bool
publish_hands_down_acl(int dir)
{
	(void)dir;
	return false;
}

int
publish_adopt_project(int file, int dir)
{
	(void)file;
	(void)dir;
	return -EXDEV;
}

/* Closing the copy drops the record lock on the temp file: take it again.  A
 * sweep may have taken it meanwhile, but removes only what is unlocked in its
 * second pass. */
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
