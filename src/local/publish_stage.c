#include "publish_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "local/path.h"
#include "publish_name.h"
#include "publish_sys.h"
#include "publish_wait.h"

enum {
	LEVELS_MAX = 64, /* of directories above */
};

/* ---- the directory ---- */

static void
wait_for_users_of(const struct publish *p, int dir)
{
	unsigned turn = publish_begin_turn(dir);
	int fd = publish_open_lock(dir, PUBLISH_TEMP_DIR), err;
	struct stat st;

	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && st.st_uid == geteuid()) {
			err = publish_wait_alone(
			    p, &(struct open_lock){fd, st.st_dev, st.st_ino});
			(void)err;
		}
		fd_close(&fd);
	}
	publish_end_turn(turn);
}

/*
 * A store whose output directory is above this one looks for `.penstock` in here
 * when it replaces something (publish_lock.c).  One that has just found none goes
 * on without its lock: the store that makes `.penstock` waits until it has finished.
 *
 * A third store, which finds the new `.penstock` a moment later, does not wait: it
 * may take the lock while the one from above, which has none, is still about to
 * replace a file.  So a job that removes `.penstock` now and then opens a gap of one
 * replacement each time.  To hold the new lock meanwhile would close the gap, but
 * could have two stores wait for each other: locks are taken downwards.
 */
static void
wait_for_stores_above(const struct publish *p)
{
	struct stat st, up = {0};
	int at = p->root;

	if (fstat(at, &st) == -1)
		return;
	for (int i = 0; i < LEVELS_MAX; i++) {
		if (path_climb(p->root, &at, PATH_SEARCH) < 0 ||
		    fstat(at, &up) == -1 || up.st_dev != st.st_dev ||
		    up.st_ino == st.st_ino)
			break;
		wait_for_users_of(p, at);
		st = up;
	}
	if (at != p->root)
		fd_close(&at);
}

static int
open_temp_dir(const struct publish *p)
{
	bool is_new = false;
	int fd = -ENOENT;

	for (int i = 0; i < PUBLISH_TRIES && fd == -ENOENT; i++) {
		fd = path_open(
		    p->root, PUBLISH_TEMP_DIR, O_RDONLY | O_DIRECTORY);
		if (fd != -ENOENT)
			break;
		is_new = mkdirat(p->root, PUBLISH_TEMP_DIR, S_IRWXU) == 0;
		if (!is_new && errno != EEXIST)
			return -errno;
	}
	if (fd < 0)
		return fd;
	publish_tidy(fd, p->root, p->nameless, is_new);
	if (is_new)
		wait_for_stores_above(p);
	return fd;
}

int
publish_temp_dir(struct publish *p)
{
	int there = atomic_load(&p->temp_dir), fd;

	if (there != -1)
		return there;
	fd = open_temp_dir(p);
	if (fd < 0)
		return fd;
	/* Another thread may have been faster. */
	if (atomic_compare_exchange_strong(&p->temp_dir, &there, fd))
		return fd;
	fd_close(&fd);
	return there;
}

bool
publish_is_intact(const struct publish *p)
{
	struct stat st, own;

	if (p->temp_dir == -1)
		return true;
	return fstat(p->temp_dir, &own) == 0 &&
	       fstatat(p->root, PUBLISH_TEMP_DIR, &st, AT_SYMLINK_NOFOLLOW) ==
		   0 &&
	       st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

int
publish_renew(struct publish *p)
{
	int fd, err;

	if (p->temp_dir == -1) {
		err = publish_temp_dir(p);
		return err < 0 ? err : 0;
	}
	fd = open_temp_dir(p);
	if (fd < 0)
		return fd;
	if (!publish_is_intact(p))
		p->is_another = true;
	/* The number stays the same: other threads use it. */
	err = fd_move_onto(fd, p->temp_dir);
	fd_close(&fd);
	return err;
}

bool
publish_has_renewed(struct publish *p, int *err)
{
	if (*err != PUBLISH_RENEW)
		return false;
	*err = publish_renew(p);
	return *err == 0;
}

void
publish_explain(int root, const char *dir, int err, struct str *out)
{
	struct stat st;

	if (err == -ENOLCK) {
		str_puts(out, "files in it cannot be locked, as temp files, "
			      "replacing and removing need: have it mounted "
			      "with locks (NFS: run its lock service, or "
			      "local_lock=flock), or say overwrite off and "
			      "keep all");
		return;
	}
	if (fstatat(root, PUBLISH_TEMP_DIR, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (!S_ISDIR(st.st_mode)) {
		if (err == -ENOTDIR || err == -ELOOP)
			str_printf(out,
			    "%s/%s is no directory, and has to be the "
			    "server's own: remove it",
			    dir, PUBLISH_TEMP_DIR);
	} else if (err == -EACCES && st.st_uid != geteuid() &&
		   faccessat(root, PUBLISH_TEMP_DIR, R_OK | W_OK | X_OK,
		       AT_EACCESS) == -1) {
		str_printf(out,
		    "%s/%s belongs to user id %lu, mode %04o, and this server "
		    "(user id %lu) may not use it: remove it, or give it to "
		    "that user",
		    dir, PUBLISH_TEMP_DIR, (unsigned long)st.st_uid,
		    (unsigned)st.st_mode & 07777, (unsigned long)geteuid());
	}
}

/* ---- what is tried in it ---- */

int
publish_try_name(struct publish *p, const char *part)
{
	int dir, fd;

	if (!p->is_known || p->nameless)
		return 0;
	dir = publish_temp_dir(p);
	if (dir < 0)
		return 0;
	fd = openat(dir, part,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return publish_is_bad_name(-errno) ? -errno : 0;
	fd_close(&fd);
	(void)unlinkat(dir, part, 0);
	return 0;
}

/* ---- temp names ---- */

/* Open a new one; PUBLISH_RENEW: `.penstock` was removed. */
static int
open_temp(
    struct publish *p, const char *suffix, char ret_name[PUBLISH_TEMP_MAX])
{
	int fd = -1, err = -EEXIST;

	for (int i = 0; i < PUBLISH_TRIES && err == -EEXIST; i++) {
		publish_make_temp_name(p, ret_name);
		if (suffix != NULL)
			snprintf(ret_name + PUBLISH_DIGITS,
			    PUBLISH_TEMP_MAX - PUBLISH_DIGITS, "%s", suffix);
		fd = openat(p->temp_dir, ret_name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    PUBLISH_FILE_MODE);
		err = fd == -1 ? -errno : 0;
		if (errno_is_removed(err))
			err = PUBLISH_RENEW;
	}
	return err < 0 ? err : fd;
}

/*
 * A sweep may lock and remove the file before it is locked here: then it has no
 * name, and the next try makes another.
 */
int
publish_make_temp(struct publish *p, const char *suffix,
    char ret_name[PUBLISH_TEMP_MAX], int *ret_fd)
{
	int err = -EAGAIN;

	for (int i = 0; i < PUBLISH_TRIES && err == -EAGAIN; i++) {
		struct stat st;
		int fd = open_temp(p, suffix, ret_name);

		if (fd < 0) {
			err = fd;
			break;
		}
		err = publish_lock(fd);
		if (err == 0 && fstatat(p->temp_dir, ret_name, &st,
				    AT_SYMLINK_NOFOLLOW) == -1)
			err = errno == ENOENT ? -EAGAIN : -errno;
		if (err == 0) {
			*ret_fd = fd;
			return 0;
		}
		fd_close(&fd);
		if (err == -EACCES) /* locked by a sweep; POSIX */
			err = -EAGAIN;
		if (err != -EAGAIN)
			(void)unlinkat(p->temp_dir, ret_name, 0);
	}
	ret_name[0] = '\0';
	return err;
}
