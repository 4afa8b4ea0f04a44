/*
 * One lock for one directory, whichever output directory it is reached from.
 *
 * The lock is on something that only this user can open: otherwise any user that
 * can read the output directory could block uploads for good.  Each output
 * directory has its own, in its `.penstock`.  But a directory may be reached
 * through several of them, as /srv/up/sub is when there is a location for /srv/up
 * as well.  So a replacement of `sub/name` takes the lock of the root first, and
 * then those of the directories on the way that have a `.penstock`.  Locks are
 * always taken downwards, which excludes a deadlock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "publish_stage.h"
#include "publish_sys.h"

enum {
	WAY_MAX = 1100, /* a name, and what is in `.penstock` */
	IN_TEMP_DIR_MAX = 64,
};
_Static_assert(WAY_MAX >= FILE_NAME_SIZE + IN_TEMP_DIR_MAX, "any name fits");

/* No other user can open it, and so block us with it.  Below the root there may be
 * one that an untrusted user has made. */
static bool
is_trusted(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) &&
	       (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static bool
is_still_there(int root, const char *path, const struct stat *own)
{
	struct stat st;

	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == own->st_dev && st.st_ino == own->st_ino;
}

/* Wait for the lock at `path`; -EAGAIN: it was removed meanwhile. */
static int
wait_for(int root, int fd, const char *path, bool is_root)
{
	struct stat own;
	int err;

	if (fstat(fd, &own) == -1)
		return -errno;
	if (!is_root && !is_trusted(&own))
		return -EPERM;
	err = publish_wait_lock(fd);
	if (err == 0 && !is_still_there(root, path, &own))
		err = -EAGAIN;
	return err;
}

/* Take the lock of the directory that `way` leads to (`len` bytes with the slash
 * behind it; none: the root). */
static int
take_lock(int root, const char *way, size_t len, struct publish_lock *lock)
{
	char path[WAY_MAX];
	int fd = -1, err = -EAGAIN;

	if (len + IN_TEMP_DIR_MAX > sizeof(path))
		return -ENAMETOOLONG;
	for (int i = 0; i < PUBLISH_TRIES && err == -EAGAIN; i++) {
		memcpy(path, way, len);
		snprintf(
		    path + len, sizeof(path) - len, "%s", PUBLISH_TEMP_DIR);
		fd = publish_open_lock(root, path);
		err = fd;
		if (fd < 0)
			continue;
		snprintf(path + len, sizeof(path) - len, "%s%s",
		    PUBLISH_TEMP_DIR, publish_lock_name);
		err = wait_for(root, fd, path, len == 0);
		if (err < 0)
			fd_close(&fd);
	}
	if (err == 0)
		lock->fd[lock->count++] = fd;
	return err;
}

/*
 * There is no directory, or one that this process may not enter, so it is no
 * output directory of this server, and has no lock that counts.  With any other
 * error there may be one, and without its lock updates could be lost.
 */
static bool
has_no_lock(int err)
{
	return errno_is_not_below(err) || errno_is_denied(err);
}

/* That of the root, which has to be there, and those below. */
static int
take_all(int root, const char *path, struct publish_lock *lock)
{
	int err = take_lock(root, "", 0, lock);

	for (const char *s = path; err == 0 && (s = strchr(s, '/')) != NULL;
	     s++) {
		if (lock->count == PUBLISH_LOCKS)
			return -ENAMETOOLONG;
		err = take_lock(root, path, (size_t)(s - path) + 1, lock);
		if (has_no_lock(err))
			err = 0;
	}
	return err;
}

int
publish_serialize(struct publish *p, const char *path, struct publish_lock *ret)
{
	int err = -ENOENT;

	for (int i = 0; i < PUBLISH_TRIES && err == -ENOENT; i++) {
		*ret =
		    (struct publish_lock){.turn = publish_begin_turn(p->root)};
		err = take_all(p->root, path, ret);
		if (err == 0)
			return 0;
		publish_release(ret);
		if (err == -ENOENT) {
			int made = publish_renew(p);

			if (made < 0)
				return made;
		}
	}
	return err;
}

void
publish_release(struct publish_lock *lock)
{
	while (lock->count > 0)
		fd_close(&lock->fd[--lock->count]);
	publish_end_turn(lock->turn);
}
