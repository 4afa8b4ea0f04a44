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
#include "publish_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "publish_stage.h"
#include "publish_sys.h"
#include "publish_wait.h"

enum {
	WAY_MAX = 1100, /* a name, and what is in `.penstock` */
	IN_TEMP_DIR_MAX = 64,
};
_Static_assert(WAY_MAX >= FILE_NAME_SIZE + IN_TEMP_DIR_MAX, "any name fits");

/* ---- open ones that nobody holds ---- */

enum spare_state {
	SPARE_NONE, /* as a struct publish begins */
	SPARE_THERE,
	SPARE_CHANGING,
};

static _Atomic unsigned spares_there;

static bool
take_spare(struct publish *p, struct open_lock *ret)
{
	for (size_t i = 0; i < COUNT_OF(p->spare); i++) {
		struct publish_spare *s = &p->spare[i];
		int there = SPARE_THERE;

		if (!atomic_compare_exchange_strong(
			&s->state, &there, SPARE_CHANGING))
			continue;
		*ret = (struct open_lock){s->fd, s->dev, s->inode};
		atomic_store(&s->state, SPARE_NONE);
		atomic_fetch_sub(&spares_there, 1);
		return true;
	}
	return false;
}

/* Keep it for the next one that needs it. */
static void
keep_spare(struct publish *p, struct open_lock *l)
{
	bool fits = atomic_fetch_add(&spares_there, 1) < PUBLISH_SPARE_MAX;

	for (size_t i = 0; fits && i < COUNT_OF(p->spare); i++) {
		struct publish_spare *s = &p->spare[i];
		int none = SPARE_NONE;

		if (!atomic_compare_exchange_strong(
			&s->state, &none, SPARE_CHANGING))
			continue;
		s->fd = l->fd;
		s->dev = l->dev;
		s->inode = l->inode;
		atomic_store(&s->state, SPARE_THERE);
		return;
	}
	atomic_fetch_sub(&spares_there, 1);
	fd_close(&l->fd);
}

void
publish_close_spares(struct publish *p)
{
	struct open_lock l;

	while (take_spare(p, &l))
		fd_close(&l.fd);
}

/* ---- one ---- */

/* No other user can open it, and so block us with it.  Below the root there may be
 * one that an untrusted user has made. */
static bool
is_trusted(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) &&
	       (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Is it still the lock at `path`? */
static bool
is_still_there(int root, const char *path, const struct open_lock *l)
{
	struct stat st;

	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == l->dev && st.st_ino == l->inode;
}

static int
open_lock(
    struct publish *p, const char *path, bool is_root, struct open_lock *ret)
{
	struct stat st;
	int fd, err = 0;

	if (is_root && take_spare(p, ret))
		return 0;
	fd = publish_open_lock(p->root, path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == -1)
		err = -errno;
	else if (!is_root && !is_trusted(&st))
		err = -EPERM;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	*ret = (struct open_lock){fd, st.st_dev, st.st_ino};
	return 0;
}

/* Open and take the lock at `path`, which is to be `name` then; -EAGAIN: it was
 * removed meanwhile. */
static int
open_and_take(struct publish *p, const char *path, const char *name,
    unsigned how, struct open_lock *l)
{
	bool is_root = strchr(path, '/') == NULL;
	int err = open_lock(p, path, is_root, l);

	if (err < 0)
		return err;
	err = how & PUBLISH_TOGETHER
		  ? publish_wait_together(p, l, how & PUBLISH_NOW)
		  : publish_wait_alone(p, l);
	if (err == PUBLISH_BUSY && is_root)
		keep_spare(p, l);
	else if (err < 0)
		fd_close(&l->fd);
	if (err < 0 || (is_root && (how & PUBLISH_UNCHECKED)) ||
	    is_still_there(p->root, name, l))
		return err;
	fd_close(&l->fd);
	return -EAGAIN;
}

/* Take the lock of the directory that `way` leads to (`len` bytes with the slash
 * behind it; none: the root). */
static int
take_lock(struct publish *p, const char *way, size_t len, unsigned how,
    struct publish_lock *lock)
{
	char path[WAY_MAX], name[WAY_MAX];
	struct open_lock l;
	int err = -EAGAIN;

	if (len + IN_TEMP_DIR_MAX > sizeof(path))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%.*s%s", (int)len, way, PUBLISH_TEMP_DIR);
	snprintf(name, sizeof(name), "%s%s", path, publish_lock_name);
	for (int i = 0; i < PUBLISH_TRIES && err == -EAGAIN; i++)
		err = open_and_take(p, path, name, how, &l);
	if (err < 0)
		return err;
	if (lock->count == 0) {
		lock->dev = l.dev;
		lock->inode = l.inode;
	}
	lock->fd[lock->count++] = l.fd;
	return 0;
}

/* ---- those of all directories on the way ---- */

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
take_all(struct publish *p, const char *path, unsigned how,
    struct publish_lock *lock)
{
	int err = take_lock(p, "", 0, how, lock);

	for (const char *s = path; err == 0 && (s = strchr(s, '/')) != NULL;
	     s++) {
		if (lock->count == PUBLISH_LOCKS)
			return -ENAMETOOLONG;
		err = take_lock(p, path, (size_t)(s - path) + 1, how, lock);
		if (has_no_lock(err))
			err = 0;
	}
	return err;
}

int
publish_take(
    struct publish *p, const char *path, unsigned how, struct publish_lock *ret)
{
	int err = -ENOENT;

	check((how & PUBLISH_TOGETHER) == 0 || publish_can_share());
	for (int i = 0; i < PUBLISH_TRIES && err == -ENOENT; i++) {
		ret->count = 0;
		ret->is_stale = ret->is_known = false;
		ret->turn = publish_begin_turn(p->root);
		err = take_all(p, path, how, ret);
		if (err == 0)
			return 0;
		publish_release(p, ret);
		if (err == -ENOENT && (how & PUBLISH_NOW))
			return PUBLISH_BUSY;
		if (err == -ENOENT) {
			int made = publish_renew(p);

			if (made < 0)
				return made;
		}
	}
	return err;
}

void
publish_release(struct publish *p, struct publish_lock *lock)
{
	while (lock->count > 0) {
		struct open_lock l = {
		    lock->fd[--lock->count], lock->dev, lock->inode};

		if (lock->count == 0 && !lock->is_stale && publish_unlock(l.fd))
			keep_spare(p, &l);
		else
			fd_close(&l.fd);
	}
	publish_end_turn(lock->turn);
}

bool
publish_still_has(const struct publish *p, const struct publish_lock *lock)
{
	struct open_lock l = {lock->fd[0], lock->dev, lock->inode};

	return is_still_there(p->root, PUBLISH_TEMP_DIR, &l);
}

bool
publish_is_awaited(const struct publish *p, const struct publish_lock *lock)
{
	struct open_lock l = {lock->fd[0], lock->dev, lock->inode};

	return publish_is_noted(p, &l);
}
