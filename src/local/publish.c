#include "local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "publish_beside.h"
#include "publish_lock.h"
#include "publish_name.h"
#include "publish_stage.h"
#include "publish_sys.h"
#include "publish_temp.h"

/*
 * Find out how a temp file can get a name that must not exist yet.  Where it
 * can neither be linked nor renamed without replacing, nothing can be published
 * that never overwrites what others put there; if that is what is wanted, a
 * plain rename will do.
 */
static int
try_temp_names(struct publish *p)
{
	char first[PUBLISH_TEMP_MAX], second[PUBLISH_TEMP_MAX];
	int fd, err;

	err = publish_make_temp(p, NULL, first, &fd);
	if (err < 0)
		return err;
	publish_make_temp_name(p, second);
	if (linkat(p->temp_dir, first, p->temp_dir, second, 0) == 0)
		p->by_link = true;
	else if (errno_is_no_space(-errno))
		err = -errno;
	else
		err =
		    publish_rename_new(p->temp_dir, first, p->temp_dir, second);
	if (errno_is_unsupported(err)) {
		p->clobbers = p->overwrite;
		err = p->overwrite ? 0 : -EOPNOTSUPP;
	}
	(void)unlinkat(p->temp_dir, first, 0);
	(void)unlinkat(p->temp_dir, second, 0);
	fd_close(&fd);
	return err;
}

/* Find out which way works.  Several threads may do so at the same time, with
 * the same result. */
static int
try_ways(struct publish *p)
{
	int fd, err;

	fd = publish_syncs_nameless(p->root) ? publish_open_nameless(p->root)
					     : -EOPNOTSUPP;
	if (fd >= 0) {
		fd_close(&fd);
		p->nameless = true;
		p->is_known = true;
		return 0;
	}
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -EINVAL &&
	    fd != -ENOSYS)
		return fd;
	err = publish_temp_dir(p);
	if (err >= 0)
		err = try_temp_names(p);
	if (err == 0)
		p->is_known = true;
	return err;
}

static int
find_way(struct publish *p)
{
	for (int i = 0; i < PUBLISH_TRIES; i++) {
		int err = try_ways(p);

		if (!publish_has_renewed(p, &err))
			return err;
	}
	return -ENOENT;
}

int
publish_init(
    struct publish *p, int root, bool overwrite, struct publish_waiter waiter)
{
	uint64_t temp;
	int err;

	*p = (struct publish){.root = root,
	    .temp_dir = -1,
	    .overwrite = overwrite,
	    .waiter = waiter};
	fd_random(&temp, sizeof(temp));
	atomic_store(&p->next_temp, temp);
	err = find_way(p);
	if (err == 0 && overwrite)
		err = publish_temp_dir(p);
	if (err >= 0 || errno_is_no_space(err))
		return 0;
	publish_fini(p);
	return err;
}

void
publish_fini(struct publish *p)
{
	int fd = atomic_exchange(&p->temp_dir, -1);

	fd_close(&fd);
	publish_close_spares(p);
}

const char *
publish_way(const struct publish *p)
{
	if (!p->is_known)
		return "a way that is found out when there is room";
	if (p->nameless)
		return "O_TMPFILE and link";
	if (p->clobbers)
		return "temp name and a rename that may replace";
	return p->by_link ? "temp name and link" : "temp name and rename";
}

static int
create_once(struct publish *p, int dir, struct unpublished *ret)
{
	int fd, err;

	ret->temp[0] = '\0';
	ret->is_beside = false;
	err = p->is_known ? 0 : try_ways(p);
	if (err < 0)
		return err;
	if (dir == -1)
		dir = p->root;
	if (!p->nameless)
		return publish_make_bound(p, dir, ret);
	fd = publish_open_nameless(dir);
	if (fd < 0)
		return fd;
	ret->fd = fd;
	return 0;
}

int
publish_create(struct publish *p, int dir, struct unpublished *ret)
{
	for (int i = 0; i < PUBLISH_TRIES; i++) {
		int err = create_once(p, dir, ret);

		if (!publish_has_renewed(p, &err))
			return err;
	}
	return -ENOENT;
}

/* It gets the name that it keeps. */
static int
name_kept(struct publish *p, struct unpublished *u, const char *kept)
{
	if (u->is_beside)
		return -EXDEV;
	if (u->temp[0] == '\0')
		return publish_link_nameless(u->fd, p->temp_dir, kept);
	if (renameat(p->temp_dir, u->temp, p->temp_dir, kept) == -1)
		return -errno;
	u->temp[0] = '\0';
	return 0;
}

static int
create_kept_once(
    struct publish *p, int dir, const char *kept, struct unpublished *ret)
{
	int err = publish_temp_dir(p);

	if (err >= 0)
		err = create_once(p, dir, ret);
	if (err < 0)
		return err;
	err = name_kept(p, ret, kept);
	if (err < 0) {
		publish_discard(p, ret);
		fd_close(&ret->fd);
	}
	return errno_is_removed(err) && !publish_is_intact(p)
		   ? (int)PUBLISH_RENEW
		   : err;
}

int
publish_create_kept(
    struct publish *p, int dir, const char *kept, struct unpublished *ret)
{
	for (int i = 0; i < PUBLISH_TRIES; i++) {
		int err = create_kept_once(p, dir, kept, ret);

		if (!publish_has_renewed(p, &err))
			return err;
	}
	return -ENOENT;
}

/* Whether `name` is this file: 1, 0, or -1 when that cannot be told. */
static int
has_name(const struct unpublished *u, int dir, const char *name)
{
	struct stat st, own;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(u->fd, &own) == -1)
		return -1;
	return st.st_dev == own.st_dev && st.st_ino == own.st_ino;
}

/*
 * Giving the file its name said `err`: 0 if it has the name all the same.  On NFS
 * and FUSE the operation may have been done and the reply lost; repeated, NFS says
 * that it cannot be done.
 */
static int
check_named(int err, struct unpublished *u, int dir, const char *name)
{
	int has = err == 0 ? 1 : has_name(u, dir, name);

	u->uncertain = has == -1 && errno_is_lost_reply(err);
	return has == 1 ? 0 : err;
}

/* Where nameless files are the way it was not tried how temp names are published: those
 * of files that are kept. */
static int
rename_kept(int from, struct unpublished *u, int dir, const char *name)
{
	int err = publish_rename_new(from, u->temp, dir, name);

	if (err == 0)
		u->temp[0] = '\0';
	else if (errno_is_unsupported(err))
		err = linkat(from, u->temp, dir, name, 0) == -1 ? -errno : 0;
	return err;
}

static int
link_once(struct publish *p, struct unpublished *u, int dir, const char *name)
{
	int from = publish_temp_dir_of(p, u), err = 0;

	if (u->temp[0] == '\0')
		return publish_link_nameless(u->fd, dir, name);
	if (p->nameless)
		return rename_kept(from, u, dir, name);
	if (p->by_link)
		err = linkat(from, u->temp, dir, name, 0);
	else if (p->clobbers)
		err = renameat(from, u->temp, dir, name);
	else
		return publish_rename_new(from, u->temp, dir, name);
	return err == -1 ? -errno : 0;
}

int
publish_link(
    struct publish *p, struct unpublished *u, int dir, const char *name)
{
	int err;

	if (dir == -1)
		dir = p->root;
	err = link_once(p, u, dir, name);
	/* The directory may have got a project of its own meanwhile. */
	if (err == -EXDEV && publish_adopt_project(u->fd, dir) == 0)
		err = link_once(p, u, dir, name);
	if (err == -EXDEV)
		publish_forget_fitting(p, dir);
	err = check_named(err, u, dir, name);
	if (err < 0)
		return err;
	if (p->by_link || p->nameless)
		publish_discard(p, u); /* if it was linked, not renamed */
	publish_end_temp(p, u);
	return 0;
}

/* Give a nameless file the temp name that a replacement needs.  The caller
 * has the lock, so `.penstock` must not be made here. */
static int
link_temp(struct publish *p, struct unpublished *u, int dir)
{
	int err;

	if (p->temp_dir == -1)
		return PUBLISH_RENEW;
	/* Locked before it has a name: no sweeper takes it. */
	err = publish_lock(u->fd);
	if (err < 0)
		return err;
	publish_make_temp_name(p, u->temp);
	err = publish_link_nameless(u->fd, p->temp_dir, u->temp);
	err = check_named(err, u, p->temp_dir, u->temp);
	u->uncertain = false; /* clients do not see the temp name */
	if (err < 0)
		publish_discard(p, u);
	if (err == -EXDEV)
		err = publish_link_beside(p, dir, u);
	if (errno_is_removed(err) && !publish_is_intact(p))
		err = PUBLISH_RENEW;
	return err;
}

static int
rename_once(struct publish *p, struct unpublished *u, int dir, const char *name)
{
	if (renameat(publish_temp_dir_of(p, u), u->temp, dir, name) == -1)
		return -errno;
	return 0;
}

int
publish_replace(
    struct publish *p, struct unpublished *u, int dir, const char *name)
{
	int err = 0;

	if (dir == -1)
		dir = p->root;
	if (u->temp[0] == '\0')
		err = link_temp(p, u, dir);
	if (err < 0)
		return err;
	err = rename_once(p, u, dir, name);
	if (err == -EXDEV && publish_adopt_project(u->fd, dir) == 0)
		err = rename_once(p, u, dir, name);
	if (err == -EXDEV)
		publish_forget_fitting(p, dir);
	err = check_named(err, u, dir, name);
	if (err == 0)
		publish_end_temp(p, u);
	return err;
}

/* Is a file that is made in `.penstock` what it would be in the root? */
static bool
is_like_root(const struct publish *p)
{
	struct stat st;

	return fstat(p->root, &st) == 0 && (st.st_mode & S_ISGID) == 0 &&
	       !publish_hands_down_acl(p->root);
}

bool
publish_create_staged(
    struct publish *p, struct publish_lock *lock, struct unpublished *ret)
{
	if (!lock->is_known)
		lock->stages = is_like_root(p);
	lock->is_known = true;
	if (!lock->stages)
		return false;
	publish_make_temp_name(p, ret->temp);
	ret->is_beside = false;
	ret->fd = openat(lock->fd[0], ret->temp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    PUBLISH_FILE_MODE);
	if (ret->fd != -1)
		return true;
	ret->temp[0] = '\0';
	return false;
}

/*
 * The temp name is made in the very directory that is locked, and renamed by its
 * path: so the rename succeeds only while the path leads to what is locked.
 */
int
publish_replace_quickly(struct publish *p, struct unpublished *u,
    struct publish_lock *lock, int dir, const char *name)
{
	char path[sizeof(PUBLISH_TEMP_DIR) + PUBLISH_TEMP_MAX] =
	    PUBLISH_TEMP_DIR "/";
	char *temp = path + sizeof(PUBLISH_TEMP_DIR);
	int err = 0;

	if (dir == -1)
		dir = p->root;
	if (u->temp[0] != '\0') { /* it is staged */
		memcpy(temp, u->temp, sizeof(u->temp));
		u->temp[0] = '\0';
	} else {
		publish_make_temp_name(p, temp);
		err = publish_link_nameless(u->fd, lock->fd[0], temp);
	}
	if (err < 0) {
		if (err == -EXDEV)
			p->not_quick = true;
		lock->is_stale = errno_is_removed(err);
		return PUBLISH_RENEW;
	}
	if (renameat(p->root, path, dir, name) == 0)
		return 0;
	err = check_named(-errno, u, dir, name);
	if (err == 0)
		return 0;
	/* Once it had a name, a file without one can get no other. */
	(void)unlinkat(lock->fd[0], temp, 0);
	if (err == -EXDEV) /* to another project, say */
		p->not_quick = true;
	else if (u->uncertain || !errno_is_removed(err))
		return err;
	lock->is_stale = true;
	return PUBLISH_LOST;
}
