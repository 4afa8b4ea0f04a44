/*
 * The jobs that give a file on its way in its name.  On engine threads, as all
 * that may wait for the disk (but for memory file systems).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"
#include "internal.h"
#include "local_error.h"
#include "local/path.h"
#include "local/space.h"

enum {
	TRIES = 32, /* against those that take and free the name all the time */
	RENEWALS = 100, /* of `.penstock`, for one upload */
};

bool
commit_would_replace(const struct incoming_file *f)
{
	struct stat st;

	if (f->pre != NULL || f->forerunner != NULL)
		return true;
	/* What is in a directory is not looked for on the loop. */
	return f->local->to.policy->overwrite &&
	       (strchr(f->name, '/') != NULL ||
		   fstatat(f->at->fd, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* From here on the name may appear; unless the loop has called it off, because
 * all this took so long. */
static int
begin_linking(struct incoming_file *f)
{
	int phase = LINK_NOT_BEGUN;

	return atomic_compare_exchange_strong(
		   &f->link_phase, &phase, LINK_BEGUN)
		   ? 0
		   : (int)LOCAL_SICK;
}

/* It is about to get its name.  (If it was called off just before, its ticket is
 * not looked at.) */
static void
take_ticket(struct incoming_file *f)
{
	f->ticket = latest_ticket(f->at->latest);
}

/* It did not get it, and may be called off again. */
static void
end_linking(struct incoming_file *f)
{
	int phase = LINK_BEGUN;

	(void)atomic_compare_exchange_strong(
	    &f->link_phase, &phase, LINK_NOT_BEGUN);
}

/* With overwrite off a link says whether the name was new, and nothing needs a
 * lock: nor `.penstock`, which may be another user's. */
static bool
needs_lock(const struct incoming_file *f)
{
	return f->local->to.policy->overwrite || f->forerunner != NULL;
}

static int
begin_replacing(struct incoming_file *f, struct publish_lock *lock)
{
	return needs_lock(f) ? publish_serialize(&f->at->publish, f->name, lock)
			     : 0;
}

static void
end_replacing(struct incoming_file *f, struct publish_lock *lock)
{
	if (needs_lock(f))
		publish_release(lock);
}

/* Look at what has the name now, and replace it if it may be.  No other upload
 * or removal of this server changes that directory between the two. */
static int
replace_once(struct incoming_file *f, int dir, const char *name)
{
	struct publish *p = &f->at->publish;
	struct publish_lock lock;
	bool exists = false;
	int unlinked = -1, unsynced, err;

	err = begin_replacing(f, &lock);
	if (errno_is_denied(err) && !f->local->to.policy->overwrite)
		return -EEXIST; /* that it may be replaced was a favour */
	if (err < 0)
		return err;
	err = create_check_target(f, dir, name, &exists);
	if (err == 0 && exists && order_yields(f, dir, name, &unsynced)) {
		end_replacing(f, &lock);
		return order_end(f, unsynced);
	}
	if (err == 0)
		err = begin_linking(f);
	take_ticket(f);
	if (err == 0)
		order_announce(f, name, exists);
	if (err == 0 && exists) {
		unlinked = unlinked_hold(dir, name);
		err = name_check_error(f, publish_replace(p, &f->u, dir, name));
		f->replaced = err == 0;
	} else if (err == 0) {
		err = name_check_error(f, publish_link(p, &f->u, dir, name));
	}
	order_named(f, err == 0 || f->u.uncertain);
	end_replacing(f, &lock);
	unlinked_release(f, unlinked);
	return err;
}

/* The same, also while `.penstock` is removed again and again. */
static int
replace(struct incoming_file *f, int dir, const char *name)
{
	int err = replace_once(f, dir, name);

	for (int i = 0; i < RENEWALS && err == PUBLISH_RENEW; i++) {
		end_linking(f);
		err = publish_renew(&f->at->publish);
		if (err == 0)
			err = replace_once(f, dir, name);
	}
	return err == PUBLISH_RENEW ? (int)LOCAL_VANISHED : err;
}

/* Something has that name, and keeps it: what does that come to? */
static int
err_of_existing(struct incoming_file *f, int dir, const char *name)
{
	bool exists;
	int err = create_check_target(f, dir, name, &exists);

	return err < 0 ? err : -EEXIST;
}

/* A directory on the way has another project, or the system forbids it: nothing
 * that a client could do about. */
static int
err_of_moving(int err)
{
	return err == -EXDEV ? (int)LOCAL_APART : err;
}

/* Give it a name that is to be new: nothing is looked at, and nothing locked. */
static int
link_new(struct incoming_file *f, int dir, const char *name)
{
	int err = begin_linking(f);

	take_ticket(f);
	if (err < 0)
		return err;
	order_announce(f, name, false);
	err = name_check_error(
	    f, publish_link(&f->at->publish, &f->u, dir, name));
	order_named(f, err == 0 || f->u.uncertain);
	return err;
}

/* Link; replace where there is something, or where preconditions have to see it. */
static int
give_name(struct incoming_file *f, int dir, const char *name)
{
	bool overwrite = f->local->to.policy->overwrite;
	int err;

	/* It may have been judged before, in a directory that is gone. */
	f->superseded = f->replaced = false;
	if (f->pre == NULL && f->forerunner == NULL && !f->at->publish.clobbers)
		err = link_new(f, dir, name);
	else
		err = replace(f, dir, name);
	/* Again only if others make and remove that name all the time. */
	for (int i = 0; i < TRIES && overwrite; i++) {
		if (err != -EEXIST || f->u.uncertain)
			break;
		end_linking(f);
		err = replace(f, dir, name);
	}
	if (err == -EEXIST && !overwrite && !f->u.uncertain)
		err = err_of_existing(f, dir, name);
	return err_of_moving(err);
}

/* The data on stable storage. */
static int
sync_data(struct incoming_file *f)
{
	if (fsync(f->u.fd) == 0)
		return 0;
	/* Some learn only now that there is no room (quota, NFS). */
	return errno_is_no_space(-errno) ? -errno
					 : parents_not_synced(f, -errno);
}

/* The content, complete and as durable as it is to be. */
static int
finish_data(struct incoming_file *f)
{
	int err = 0;

	if (f->writer.room.allocated > f->writer.offset ||
	    f->writer.room.is_longer)
		err = space_trim(f->u.fd, f->writer.offset);
	if (err == 0 && dir_syncs(f->at))
		err = sync_data(f);
	if (err == 0 && f->at->device->kind == DEVICE_UNKNOWN)
		err = publish_check_close(f->u.fd);
	/* Now, since it is ours alone; what has a name others may write to. */
	if (err == 0)
		err = file_version_of(f->u.fd, &f->version);
	return err;
}

/* The name may be there, or is, and nothing more can be said. */
static int
outcome_unknown(struct incoming_file *f, int cause)
{
	f->cause = cause;
	return LOCAL_OUTCOME_UNKNOWN;
}

/* The file keeps the descriptor of its directory until that is synced. */
static int
keep_directory(struct incoming_file *f, int made)
{
	struct stat st;

	if (made != -1) {
		fd_close(&f->dir);
		f->dir = made;
	}
	if (f->dir == -1) {
		f->synced.inode = f->at->st.st_ino;
		return 0;
	}
	if (fstat(f->dir, &st) == -1)
		return outcome_unknown(f, errno);
	f->synced.inode = st.st_ino;
	return 0;
}

/* Give it its name, and make the directories for that, once more if need be. */
static int
publish(struct incoming_file *f, int *ret_made)
{
	const char *name;
	int err;

	for (int i = 0;; i++) {
		err = parents_make(f, ret_made, &name);
		if (err == 0)
			err = give_name(f,
			    *ret_made != -1 ? *ret_made
			    : f->dir == -1  ? f->at->fd
					    : f->dir,
			    name);
		if (i == TRIES || !parents_are_lost(f, *ret_made, err))
			return err;
		end_linking(f);
		fd_close(ret_made);
		fd_close(&f->dir);
		parents_pause(f, i);
		err = path_open_parent(f->at->fd, f->name, &f->dir, &f->rest);
		if (err == 0 && strchr(f->rest, '/') != NULL)
			err = create_check_request(
			    f); /* no directories for nothing */
		if (err < 0)
			return err;
	}
}

/* Data first, then the name; the directories that hold the name are synced
 * when this has ended. */
static int
commit(struct incoming_file *f)
{
	int made = -1, err;

	err = finish_data(f);
	if (err == 0)
		err = publish(f, &made);
	if (err < 0) {
		fd_close(&made);
		return f->u.uncertain ? outcome_unknown(f, -err) : err;
	}
	/* The name has changed this mark. */
	if (f->version.kind == FILE_CHANGED &&
	    file_version_of(f->u.fd, &f->version) < 0)
		f->version.kind = FILE_UNMARKED;
	if (dir_syncs(f->at))
		err = keep_directory(f, made);
	else
		fd_close(&made);
	fd_close(&f->u.fd);
	return err;
}

int
commit_job(void *file)
{
	struct incoming_file *f = file;
	int err = commit(f);

	if (err == 0 && !dir_syncs(f->at))
		fd_close(&f->dir);
	return err < 0 ? create_give_up(f, err) : 0;
}

/* ---- small ones, all at once ---- */

static int
write_collected(struct incoming_file *f)
{
	LIST_FOREACH(struct chunk, c, &f->writer.pending, node) {
		struct op op = {.kind = OP_WRITE,
		    .fd = f->u.fd,
		    .buf = c->data,
		    .len = c->len,
		    .offset = c->offset};
		int res = op_run(&op);

		if (res < 0)
			return res;
	}
	return 0;
}

int
commit_collected_job(void *file)
{
	struct incoming_file *f = file;
	int err;

	err = create_file(f, false);
	if (err == 0)
		err = write_collected(f);
	f->written_ns = clock_mono_ns();
	if (err == 0)
		err = commit(f);
	if (err == 0 && !dir_syncs(f->at))
		fd_close(&f->dir);
	return err < 0 ? create_give_up(f, err) : 0;
}
