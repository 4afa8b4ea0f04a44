/*
 * A file on its way in.
 *
 *	create job -> writes -> commit job -> (sync of the directory)
 *	                     -> (remove the one before) -> over
 *	          \________\___ abort: discard job ______/
 *
 *	collected: chunks stay here -> one job for all -> ...
 *
 * One job at a time, and writes only between the two jobs.  An upload that
 * goes away leaves the file to itself: it ends when its last operation has, or,
 * on a disk that does not answer, when that does again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "internal.h"
#include "report.h"

static struct incoming_file *
file_of(struct incoming *in)
{
	struct incoming_file *f = container_of(in, struct incoming_file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

static void
submit_job(struct incoming_file *f, int (*call)(void *),
    void (*on_done)(struct op *, int), bool slow)
{
	f->job = (struct op){.kind = OP_CALL,
	    .call = call,
	    .arg = f,
	    .slow = slow,
	    .no_stall = call == jobs_discard,
	    .owner = f,
	    .on_done = on_done};
	engine_submit(f->local->to.engine, f->at->device, &f->job);
}

/* Tell the upload how its job went, if it is still there; then act on what
 * that says of the directory or its disk. */
static void
report(struct incoming_file *f, int err)
{
	struct local_dir *at = f->at;
	int cause = f->base.cause;

	dir_hold(at); /* `f` may be the last one in it */
	if (f->abandoned)
		incoming_end(f);
	else
		f->base.done(f->base.owner, err); /* may abort `f` */
	dir_learn(at, err, cause);
	dir_release(at);
}

/* ---- the path leads elsewhere ---- */

/* Few ever wait so: it is not part of each file. */
struct incoming_follower {
	struct reopen_follower base;
	struct incoming_file *file;
};

/* On to the directory `to`, with nothing written in the one before. */
static void
move_to(struct incoming_file *f, struct local_dir *to)
{
	struct local_dir *from = f->at;

	if (f->charged == NULL)
		f->charged = device_hold(from->device);
	room_release(f, f->reserved);
	f->granted = f->allocated = 0;
	f->is_longer = false;
	dir_part(from, &f->member);
	f->at = to;
	dir_join(to, &f->member);
	f->base.account = &to->device->account;
	file_writer_adapt(f);
}

/* What it wanted to do there it does here, all of it. */
static void
on_reopened(struct reopen_follower *w, struct local_dir *to)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_follower, base)->file;
	int err = 0;

	check_magic(f, INCOMING_MAGIC);
	if (to == NULL)
		err = STORE_VANISHED;
	else if (device_is_avoided(to->device))
		err = STORE_SICK;
	if (err < 0) {
		f->job.on_done(&f->job, err); /* may free `f` */
		return;
	}
	move_to(f, to);
	submit_job(f, f->job.call, f->job.on_done, f->job.slow);
}

/* The job just done has left nothing behind.  True: it will be done again where
 * the path leads now. */
static bool
follow(struct incoming_file *f, int res)
{
	int phase = LINK_BEGUN;

	if (res != STORE_VANISHED || f->abandoned)
		return false;
	(void)atomic_compare_exchange_strong(
	    &f->link_phase, &phase, LINK_NOT_BEGUN);
	if (atomic_load(&f->link_phase) != LINK_NOT_BEGUN)
		return false;
	if (f->follower == NULL)
		f->follower = calloc(1, sizeof(*f->follower));
	if (f->follower == NULL)
		return false;
	f->follower->file = f;
	f->follower->base.on_reopened = on_reopened;
	return reopen_follow(&f->local->reopen, f->at, &f->follower->base);
}

/* ---- the end ---- */

static void
file_free(struct incoming_file *f)
{
	struct local_dir *at = f->at;

	file_writer_drop(f);
	room_release(f, f->reserved);
	device_put(f->local->to.devices, &f->charged);
	f->magic = 0;
	free(f->terms);
	free(f->old);
	free(f->follower);
	dir_part(at, &f->member);
	free(f);
}

static void
on_discarded(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	if (res < 0) /* there was no thread to do it */
		dir_postpone(f->at, &f->member);
	else
		file_free(f);
}

static bool
has_unlinked(const struct incoming_file *f)
{
	for (int i = 0; i < LOCAL_UNLINKED; i++) {
		if (f->unlinked[i] != -1)
			return true;
	}
	return false;
}

void
incoming_end(struct incoming_file *f)
{
	list_remove(&f->member.postponed_node);
	if (f->follower != NULL)
		list_remove(&f->follower->base.node);
	if (f->job.in_flight || !file_writer_is_idle(f) ||
	    list_is_linked(&f->synced.node))
		return;
	if (f->u.fd == -1 && f->dir == -1 && !has_unlinked(f))
		file_free(f);
	else if (f->at->device->stalled)
		dir_postpone(f->at, &f->member);
	else
		submit_job(f, jobs_discard, on_discarded,
		    f->offset > LOCAL_SLOW_BYTES || has_unlinked(f));
}

void
incoming_abort(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	f->abandoned = true;
	f->base.owner = NULL;
	f->writer = NULL;
	incoming_end(f);
}

/*
 * Its disk is sick.  Whether the name will appear is decided here when it is
 * not under way; else nobody can tell before the disk answers.
 */
static void
on_unhealthy(struct dir_member *m, bool stalled)
{
	struct incoming_file *f = container_of(m, struct incoming_file, member);
	int phase = LINK_NOT_BEGUN;
	int err = STORE_SICK;

	(void)stalled;
	if (f->abandoned)
		return;
	if (f->committing && !atomic_compare_exchange_strong(
				 &f->link_phase, &phase, LINK_CALLED_OFF))
		err = phase == LINK_DURABLE ? 0 : (int)STORE_OUTCOME_UNKNOWN;
	file_writer_cancel(f);
	(void)engine_cancel(f->local->to.engine, &f->job);
	f->base.done(f->base.owner, err); /* may abort `f` */
}

static void
on_healthy(struct dir_member *m)
{
	incoming_end(container_of(m, struct incoming_file, member));
}

static const struct dir_member_ops member_ops = {
    .on_unhealthy = on_unhealthy,
    .on_healthy = on_healthy,
};

/* ---- commit ---- */

static void
on_old_removed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	removals_tried(&f->local->removals, f->at, f->old, res);
	report(f, 0);
}

/*
 * The file has its name: it is the newest, unless a later one was faster.  True
 * when the one before, or this one, is to go, which is in f->old then.  What a
 * scan found may be somebody else's file: that is never removed.
 */
static bool
take_place(struct incoming_file *f)
{
	struct latest_entry old, other;
	struct latest_entry e = {.ticket = f->ticket, .published = true};

	latest_note(&e, &f->base.version);
	memcpy(e.name, f->name, strlen(f->name) + 1);
	if (!latest_set(f->at->latest, &e, &old) || !old.published ||
	    f->local->to.policy->keep != KEEP_LATEST)
		return false;
	/* One of the two has replaced the other: that has its name no more. */
	other = e;
	if (old.ticket == e.ticket && !latest_get(f->at->latest, &other))
		return false;
	if (strcmp(old.name, other.name) == 0)
		return false;
	f->old = malloc(sizeof(old));
	if (f->old == NULL) {
		log_warn("%s: the upload before the latest cannot be removed: "
			 "out of memory",
		    f->local->base.dir);
		return false;
	}
	*f->old = old;
	return true;
}

/* It is there, as durable as this store makes it. */
static void
finish(struct incoming_file *f)
{
	atomic_store(&f->link_phase, LINK_DURABLE);
	f->base.durability =
	    report_durability(f->at->traits.sync, f->local->to.policy->sync);
	if (!f->base.superseded && take_place(f))
		submit_job(f, jobs_remove_before, on_old_removed, true);
	else
		report(f, 0);
}

static void
on_synced(struct dirsync_wait *w, int err)
{
	struct incoming_file *f = container_of(w, struct incoming_file, synced);

	check_magic(f, INCOMING_MAGIC);
	f->dir = -1; /* it was closed */
	if (err == 0) {
		finish(f);
		return;
	}
	f->base.cause = -err;
	report(f, STORE_OUTCOME_UNKNOWN);
}

/* It has its name; whether that is durable the directory's sync will tell. */
static void
sync_directory(struct incoming_file *f)
{
	int err;

	f->synced.dir = f->dir == -1 ? f->at->fd : f->dir;
	f->synced.keep_dir = f->dir == -1;
	f->synced.disk = f->at->fd;
	f->synced.on_done = on_synced;
	err = dirsync_join(f->at->dirsync, &f->synced);
	if (err < 0) {
		f->base.cause = -err;
		report(f, STORE_OUTCOME_UNKNOWN);
	}
}

static void
on_committed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	if (f->collecting && follow(f, res))
		return;
	file_writer_drop(f);
	if (res < 0)
		report(f, res);
	else if (dir_syncs(f->at))
		sync_directory(f);
	else
		finish(f);
}

static void
commit(struct incoming_file *f)
{
	submit_job(f, f->collecting ? jobs_commit_collected : jobs_commit,
	    on_committed,
	    /* Not for the loop, on a memory file system. */
	    f->replaces || (f->at->device->kind == DEVICE_MEMORY &&
			       jobs_would_replace(f)));
}

void
incoming_commit(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	check(!f->opening && f->in_flight == 0);
	f->committing = true;
	if (!f->job.in_flight) /* else incoming_background_done() does */
		commit(f);
}

/* What was done beside the writes has ended. */
void
incoming_background_done(struct incoming_file *f, int err)
{
	/* What is being committed is, whoever leaves meanwhile. */
	if (!f->committing || atomic_load(&f->link_phase) == LINK_CALLED_OFF)
		incoming_end(f);
	else if (err < 0)
		report(f, err);
	else
		commit(f);
}

/* ---- create ---- */

static void
on_created(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	if (follow(f, res))
		return;
	f->opening = false;
	file_writer_created(f);
	report(f, res);
}

static void
on_created_late(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
	struct local_dir *at = f->at;

	check_magic(f, INCOMING_MAGIC);
	if (follow(f, res))
		return;
	f->opening = false;
	file_writer_created(f);
	dir_hold(at);
	file_writer_opened(f, res); /* may end `f` */
	dir_learn(at, res, 0);
	dir_release(at);
}

/* It was collected, and it takes too long. */
void
incoming_create_late(struct incoming_file *f)
{
	f->opening = true;
	submit_job(f, jobs_create, on_created_late, false);
}

static int
new_file(struct local *local, const struct store_wish *wish,
    struct incoming_file **ret)
{
	size_t len = strlen(wish->name);
	struct incoming_file *f;

	check(len < FILE_NAME_SIZE);
	if (local->opener.current == NULL && local->opener.err == -EDQUOT)
		return -EDQUOT; /* there is no room to make it */
	if (local->opener.current == NULL)
		return local->opener.err == -ENOSPC ? -ENOSPC
						    : (int)STORE_NOT_READY;
	if (device_is_avoided(local->opener.current->device)) {
		health_watch(&local->health); /* the path may lead elsewhere */
		return STORE_SICK;
	}
	f = calloc(1, sizeof(*f) + len + 1);
	if (f == NULL)
		return -ENOMEM;
	memcpy(f->name, wish->name, len + 1);
	*ret = f;
	return 0;
}

int
incoming_create(struct store *s, const struct store_wish *wish, void *owner,
    void (*done)(void *owner, int err), struct incoming **ret)
{
	struct local *local = local_of(s);
	struct incoming_file *f;
	int err;

	err = new_file(local, wish, &f);
	if (err < 0) {
		free(wish->terms);
		return err;
	}
	f->magic = INCOMING_MAGIC;
	f->local = local;
	f->at = local->opener.current;
	f->base.store = s;
	f->base.account = &f->at->device->account;
	f->base.owner = owner;
	f->base.done = done;
	f->base.came.head_ns = wish->head_ns;
	f->u.fd = f->dir = f->unlinked[0] = f->unlinked[1] = -1;
	f->length = wish->length;
	f->collecting = wish->collect && wish->length <= local->to.chunk_size;
	f->has_forerunner = wish->forerunner != NULL;
	if (f->has_forerunner)
		file_version_digest(wish->forerunner, f->forerunner);
	f->terms_hold = wish->terms_hold;
	f->terms = wish->terms;
	atomic_init(&f->link_phase, LINK_NOT_BEGUN);
	file_writer_init(f);
	f->member.ops = &member_ops;
	dir_join(f->at, &f->member);
	*ret = &f->base;
	if (f->collecting)
		return 1;
	f->opening = true;
	submit_job(f, jobs_create, on_created, false);
	return 0;
}
