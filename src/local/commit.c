#include "commit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"
#include "disk/chunk.h"
#include "disk/op.h"
#include "local/path.h"
#include "commit_name.h"
#include "hold.h"
#include "local_error.h"

void
commit_init(struct commit *c)
{
	*c = (struct commit){0};
	atomic_init(&c->link_phase, LINK_NOT_BEGUN);
	unlinked_init(&c->unlinked);
}

/*
 * A small file on a file system with one journal needs no flush of its own: that of
 * its directory, which all that wait for it share, comes after its name and so after
 * its data.  (The flush of a large one takes long: others need not wait for it.)
 */
static bool
shares_flush(const struct commit *c)
{
	const struct local_dir *at = c->create.target->at;

	return at->traits.journaled && c->size <= at->to->chunk_size &&
	       c->partial == NULL;
}

bool
commit_flushes(const struct commit *c)
{
	return dir_syncs(c->create.target->at) && !shares_flush(c);
}

/* The data on stable storage, or as far that they are when the directory is. */
static int
sync_data(struct commit *c)
{
	struct target *t = c->create.target;
	int err = -EOPNOTSUPP;

	if (shares_flush(c))
		err = space_write_out(t->u.fd, c->size);
	if (errno_is_unsupported(err))
		err = fsync(t->u.fd) == -1 ? -errno : 0;
	if (err == 0)
		return 0;
	/* Some learn only now that there is no room (quota, NFS). */
	return errno_is_no_space(err) ? err : target_not_synced(t, err);
}

int
commit_sync_data(struct commit *c)
{
	return sync_data(c);
}

/* The content, complete and as durable as it is to be. */
static int
finish_data(struct commit *c)
{
	struct target *t = c->create.target;
	int err = 0;

	if (c->create.room->allocated > c->size || c->create.room->is_longer)
		err = space_trim(t->u.fd, c->size);
	if (err == 0 && dir_syncs(t->at))
		err = sync_data(c);
	if (err == 0 && t->at->device->kind == DEVICE_UNKNOWN)
		err = publish_check_close(t->u.fd);
	/* Now, since it is ours alone; what has a name others may write to. */
	if (err == 0)
		err = file_version_of(t->u.fd, &c->version);
	return err;
}

/* The name may be there, or is, and nothing more can be said. */
static int
outcome_unknown(struct commit *c, int cause)
{
	struct target *t = c->create.target;

	t->cause = cause;
	return LOCAL_OUTCOME_UNKNOWN;
}

/* The file keeps the descriptor of its directory until that is synced. */
static int
keep_directory(struct commit *c, int made)
{
	struct target *t = c->create.target;
	struct stat st;

	if (made != -1) {
		fd_close(&t->dir);
		t->dir = made;
	}
	if (t->dir == -1) {
		c->synced.inode = t->at->st.st_ino;
		return 0;
	}
	if (fstat(t->dir, &st) == -1)
		return outcome_unknown(c, errno);
	c->synced.inode = st.st_ino;
	return 0;
}

/*
 * On btrfs a second sync of a small file takes the place of that of the directory: its
 * log gets the name with the file.  A sync of the directory would look at all its new
 * names, also at those that others still wait for.  (The first sync cannot be left out:
 * who syncs the directory in between would give the name to a file of size 0.)
 */
static bool
syncs_own_name(const struct commit *c, int made)
{
	const struct local_dir *at = c->create.target->at;

	return at->traits.logs_names && at->publish.nameless &&
	       c->size <= at->to->chunk_size && made == -1 && !c->replaced &&
	       !c->superseded && c->partial == NULL;
}

/* The name on stable storage, unless that is left to the loop. */
static int
sync_name(struct commit *c, int made)
{
	struct target *t = c->create.target;
	int err;

	if (!syncs_own_name(c, made))
		return keep_directory(c, made);
	fd_close(&t->dir);
	err = path_sync_file(t->u.fd);
	c->name_synced = err == 0;
	return err < 0 ? outcome_unknown(c, -err) : 0;
}

/* Its bytes are not in `.penstock`: they were removed, or moved with it. */
static int
err_of_missing(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	return st.st_nlink == 0 ? (int)LOCAL_NO_UPLOAD : (int)LOCAL_VANISHED;
}

/* It is its temp name that becomes its name: is that still what was written, and as long?
 * Others who use the directory may have changed it. */
static int
check_partial(const struct commit *c)
{
	const struct target *t = c->create.target;
	struct file_version named;
	int err = file_version_peek(
	    t->at->publish.temp_dir, c->partial->data, &named);

	if (err < 0)
		return err == -ENOENT ? err_of_missing(t->u.fd) : err;
	return S_ISREG(named.mode) && named.inode == c->version.inode &&
		       c->version.size == c->size
		   ? 0
		   : (int)LOCAL_GARBLED;
}

/* From here on a partial may have its name: whoever resumes it after a crash has to look.
 * It has a temp name until then, which an attempt that fails is to leave. */
static int
begin_partial(struct commit *c)
{
	struct target *t = c->create.target;
	int wrong = check_partial(c);
	int err;

	/* Those that were moved are whole: who puts them back has them all. */
	if (wrong != 0 && wrong != LOCAL_VANISHED)
		return wrong;
	err = open_partial_note_whole(
	    c->partial, c->size, wrong == 0, dir_syncs(t->at), &t->cause);
	if (wrong != 0 || err < 0)
		return wrong != 0 ? wrong : err;
	memcpy(t->u.temp, c->partial->data, sizeof(c->partial->data));
	return 0;
}

/* It has no name, or perhaps one. */
static int
end_without_name(struct commit *c, int err)
{
	struct target *t = c->create.target;

	if (c->partial != NULL) {
		t->u.temp[0] = '\0';
		if (!t->u.uncertain && err != PUBLISH_BUSY)
			open_partial_end_commit(c->partial, dir_syncs(t->at));
	}
	return t->u.uncertain ? outcome_unknown(c, -err) : err;
}

/* Data first, then the name; the directory that holds the name is synced when this has
 * ended, unless the name is durable by then. */
static int
commit(struct commit *c)
{
	struct target *t = c->create.target;
	int made = -1, err;

	err = finish_data(c);
	if (err == 0 && c->partial != NULL)
		err = begin_partial(c);
	if (err == 0)
		err = commit_publish(c, &made);
	if (err < 0) {
		fd_close(&made);
		return end_without_name(c, err);
	}
	if (c->partial != NULL)
		c->partial->is_stored = true;
	/* The name has changed this mark. */
	if (c->version.kind == FILE_CHANGED &&
	    file_version_of(t->u.fd, &c->version) < 0)
		c->version.kind = FILE_UNMARKED;
	if (dir_syncs(t->at)) {
		err = sync_name(c, made);
	} else {
		fd_close(&made);
		fd_close(&t->dir);
	}
	fd_close(&t->u.fd);
	return err;
}

/* What cannot be done now, on the loop, keeps all that it has. */
static int
end_job(struct commit *c, int err)
{
	return err < 0 && err != PUBLISH_BUSY
		   ? target_give_up(c->create.target, err)
		   : err;
}

int
commit_job(void *arg)
{
	return end_job(arg, commit(arg));
}

/* ---- small ones, all at once ---- */

static int
write_collected(struct commit *c)
{
	LIST_FOREACH(struct chunk, chunk, c->chunks, node) {
		struct op op = {.kind = OP_WRITE,
		    .fd = c->create.target->u.fd,
		    .buf = chunk->data,
		    .len = chunk->len,
		    .offset = chunk->offset};
		int res = op_run(&op);

		if (res < 0)
			return res;
	}
	return 0;
}

/* On the loop, one that will probably replace a file is made where its temp name is
 * needed. */
static struct publish_lock *
stage_of(struct commit *c)
{
	struct target *t = c->create.target;
	struct local_dir *at = t->at;

	if (!(commit_how_to_hold(c) & HOLD_QUICK) || !c->on_loop ||
	    !at->names_are_taken || strchr(t->name, '/') != NULL)
		return NULL;
	return kept_lock_take(&at->kept_lock, &at->publish, at->to->loop) == 0
		   ? &at->kept_lock.lock
		   : NULL;
}

/* Make and write it, unless that was done when it was begun on the loop. */
static int
make_collected(struct commit *c)
{
	int err;

	if (c->create.target->u.fd != -1)
		return 0;
	c->create.stage = stage_of(c);
	err = create_file(&c->create, false);
	if (err == 0)
		err = write_collected(c);
	c->written_ns = clock_mono_ns();
	return err;
}

/* As if nothing had been done. */
static void
take_back(struct commit *c)
{
	commit_begin_again(c);
	target_close(c->create.target);
	c->create.stage = NULL;
	c->create.room->allocated = 0;
}

int
commit_collected_job(void *arg)
{
	struct commit *c = arg;
	int err;

	if (c->create.target->u.fd == -1)
		c->quick = true; /* it can be made again */
	err = make_collected(c);
	if (err == 0)
		err = commit(c);
	if (err == PUBLISH_LOST) {
		take_back(c);
		c->quick = false;
		err = make_collected(c);
		if (err == 0)
			err = commit(c);
	} else if (err == PUBLISH_BUSY && c->create.stage != NULL) {
		take_back(c); /* the thread has another lock */
	}
	return end_job(c, err);
}

/* ---- and after that ---- */

int
commit_remove_before_job(void *arg)
{
	struct commit *c = arg;

	return unlinked_remove(c->create.target->at, c->old, &c->unlinked);
}

int
commit_discard_job(void *arg)
{
	struct commit *c = arg;

	if (c->partial != NULL)
		open_partial_end(c->partial, c->create.target);
	target_close(c->create.target);
	unlinked_close(&c->unlinked);
	return 0;
}
