#include "parents.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "name_check.h"
#include "local/path.h"

enum {
	TRIES_AT_ONCE = 4,
	PAUSE_NS = 1000000,
};

/*
 * The directory that holds the name is synced last; those above it hold the
 * names on the way to it, perhaps made by another upload that has not synced
 * them, or could not.  Once is enough for each directory.  Upwards from where
 * we are, since names may be changed under us.  One that we may not read (it is
 * another user's) cannot be synced by itself: then all the disk's names are.
 */
static int
sync_ancestors(struct target *t, int dir)
{
	struct local_dir *at_dir = t->at;
	uint64_t self = path_identity(dir);
	_Atomic uint64_t *slot =
	    &at_dir->synced_dirs[self / 2 % DIR_SYNCED_MAX];
	struct stat st;
	int at = dir, err = 0;

	for (int level = 0; level <= FILE_NAME_PARTS_MAX; level++) {
		if (err == 0 && fstat(at, &st) == -1)
			err = -errno;
		if (err < 0 || st.st_ino == at_dir->st.st_ino)
			break;
		if (level == 0 && self != 0 && atomic_load(slot) == self)
			return 0;
		err = path_climb(dir, &at, O_RDONLY);
		if (err < 0 && err != -EACCES)
			break;
		err = at == -1 ? path_sync_disk(t->u.fd) : path_sync_dir(at);
		if (err < 0)
			err = target_not_synced(t, err);
		if (at == -1)
			break;
	}
	if (at != dir)
		fd_close(&at);
	if (err == 0 && self != 0)
		atomic_store(slot, self);
	return err;
}

/* Is `parent` still where the name leads?  It may have been moved away, out of
 * this store even, while the body came. */
static int
check_parent(const struct target *t, int parent)
{
	struct stat was, is;
	const char *rest;
	int dir, err;

	err = path_open_parent(t->at->fd, t->name, &dir, &rest);
	if (err < 0)
		return err;
	if (fstat(parent, &was) == -1 || fstat(target_dir(t, dir), &is) == -1)
		err = -errno;
	else if (was.st_dev != is.st_dev || was.st_ino != is.st_ino)
		err = -ENOENT;
	fd_close(&dir);
	return err;
}

/* Make the directories on the way to the name, and see that it leads there. */
int
parents_make(struct target *t, int *ret_made, const char **ret_name)
{
	uint64_t mode = t->at->to->policy->dir_mode;
	int dir = target_dir(t, t->dir);
	int err;

	err = name_check_error(t,
	    path_make_parents(dir, t->rest, (mode_t)mode, ret_made, ret_name));
	if (err == 0 && dir_syncs(t->at) && (*ret_made != -1 || t->dir != -1))
		err = sync_ancestors(t, *ret_made == -1 ? dir : *ret_made);
	if (err == 0 && (*ret_made != -1 || t->dir != -1))
		err = check_parent(t, *ret_made == -1 ? dir : *ret_made);
	if (err == 0)
		err = dir_check_path(t->at);
	return err;
}

/* A directory that was removed says so with one of these (ext4: EPERM, when a
 * nameless file is to be made in it). */
static bool
may_be_removed(int err)
{
	return errno_is_removed(err) || err == -EPERM;
}

bool
parents_are_lost(const struct target *t, int made, int err)
{
	if (!may_be_removed(err) || t->u.uncertain)
		return false;
	return (made != -1 && path_is_removed(made)) ||
	       (t->dir != -1 && path_is_removed(t->dir));
}

/*
 * rmdir(2) marks the directory as removed first and takes its name away last.
 * Until then the name leads to a directory in which nothing can be made; and
 * the process that removes it may be waiting for a processor.  (In memory
 * there is nothing to wait for, and the caller may be the loop.)
 */
void
parents_pause(const struct target *t, int tries)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	if (tries >= TRIES_AT_ONCE && t->at->device->kind != DEVICE_MEMORY)
		(void)nanosleep(&pause, NULL);
}
