/*
 * The way to a file's name: the directories of its path.  They are made when
 * they are missing, kept on stable storage, and seen to be where the name leads
 * when it is given.  On engine threads, as all that may wait for the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "internal.h"
#include "local_error.h"
#include "local/path.h"

enum {
	TRIES_AT_ONCE = 4,
	PAUSE_NS = 1000000,
};

int
parents_not_synced(struct incoming_file *f, int err)
{
	f->cause = -err;
	return LOCAL_SYNC_FAILED;
}

/*
 * The directory that holds the name is synced last; those above it hold the
 * names on the way to it, perhaps made by another upload that has not synced
 * them, or could not.  Once is enough for each directory.  Upwards from where
 * we are, since names may be changed under us.  One that we may not read (it is
 * another user's) cannot be synced by itself: then all the disk's names are.
 */
static int
sync_ancestors(struct incoming_file *f, int dir)
{
	struct local_dir *at_dir = f->at;
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
		err = at == -1 ? path_sync_disk(f->u.fd) : path_sync_dir(at);
		if (err < 0)
			err = parents_not_synced(f, err);
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
check_parent(const struct incoming_file *f, int parent)
{
	struct stat was, is;
	const char *rest;
	int dir, err;

	err = path_open_parent(f->at->fd, f->name, &dir, &rest);
	if (err < 0)
		return err;
	if (fstat(parent, &was) == -1 ||
	    fstat(dir == -1 ? f->at->fd : dir, &is) == -1)
		err = -errno;
	else if (was.st_dev != is.st_dev || was.st_ino != is.st_ino)
		err = -ENOENT;
	fd_close(&dir);
	return err;
}

/* Make the directories on the way to the name, and see that it leads there. */
int
parents_make(struct incoming_file *f, int *ret_made, const char **ret_name)
{
	int dir = f->dir == -1 ? f->at->fd : f->dir;
	int err;

	err = name_check_error(
	    f, path_make_parents(dir, f->rest, ret_made, ret_name));
	if (err == 0 && dir_syncs(f->at) && (*ret_made != -1 || f->dir != -1))
		err = sync_ancestors(f, *ret_made == -1 ? dir : *ret_made);
	if (err == 0 && (*ret_made != -1 || f->dir != -1))
		err = check_parent(f, *ret_made == -1 ? dir : *ret_made);
	if (err == 0)
		err = dir_check_path(f->at);
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
parents_are_lost(const struct incoming_file *f, int made, int err)
{
	if (!may_be_removed(err) || f->u.uncertain)
		return false;
	return (made != -1 && path_is_removed(made)) ||
	       (f->dir != -1 && path_is_removed(f->dir));
}

/*
 * rmdir(2) marks the directory as removed first and takes its name away last.
 * Until then the name leads to a directory in which nothing can be made; and
 * the process that removes it may be waiting for a processor.  (In memory
 * there is nothing to wait for, and the caller may be the loop.)
 */
void
parents_pause(const struct incoming_file *f, int tries)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	if (tries >= TRIES_AT_ONCE && f->at->device->kind != DEVICE_MEMORY)
		(void)nanosleep(&pause, NULL);
}
