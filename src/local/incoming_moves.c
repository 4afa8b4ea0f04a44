/*
 * What is done with a file on its way in as it moves from state to state:
 * incoming_table.c says when.  The job of a state runs in f->job; whatever it
 * comes to is an event.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/writer.h"
#include "local/space.h"
#include "commit_name.h"
#include "incoming_file.h"
#include "incoming_moves.h"
#include "incoming_turn.h"
#include "local_error.h"
#include "newest.h"
#include "report.h"

/* ---- jobs ---- */

static void on_job(struct op *op, int res);

void
incoming_begin_job(
    struct incoming_file *f, int (*call)(void *), void *arg, unsigned flags)
{
	engine_call(f->local->to.engine, f->target.at->device, &f->job->op,
	    call, arg, flags, on_job);
}

/* What it has begun on the loop would have to wait there: a thread goes on. */
static void
leave_loop(struct incoming_file *f)
{
	struct commit *c = &f->job->commit;

	check(c->on_loop);
	c->on_loop = false;
	incoming_begin_job(f, f->job->op.call, c, CALL_SLOW);
}

static void
on_job(struct op *op, int res)
{
	struct incoming_file *f =
	    container_of(op, struct incoming_job, op)->file;

	check_magic(f, INCOMING_MAGIC);
	if (res == PUBLISH_BUSY) {
		leave_loop(f);
		return;
	}
	f->res = res;
	if (f->target.cause != 0)
		f->cause = f->target.cause;
	dir_look_for_loss(f->target.at);
	if (res < 0)
		incoming_turn_end(f, false);
	incoming_on(f, res >= 0		       ? INCOMING_JOB_DONE
		       : res == LOCAL_VANISHED ? INCOMING_JOB_MOVED
					       : INCOMING_JOB_FAILED);
}

static bool
has_job_in_flight(const struct incoming_file *f)
{
	return f->job != NULL && f->job->op.in_flight;
}

bool
incoming_have_job(struct incoming_file *f)
{
	if (f->job == NULL)
		f->job = incoming_job_take(&f->local->jobs, f);
	return f->job != NULL;
}

void
incoming_fail_job(struct incoming_file *f)
{
	f->res = -ENOMEM;
	incoming_on(f, INCOMING_JOB_FAILED);
}

void
incoming_prepare(struct incoming_file *f)
{
	struct commit *c = &f->job->commit;

	c->create = (struct create){
	    .target = &f->target,
	    .room = &f->writer.room,
	    .length = f->writer.length,
	    .direct_wanted = f->writer.direct_wanted,
	};
	c->size = f->writer.offset;
	c->chunks = &f->writer.pending;
	c->order.came = f->came;
	c->partial = f->partial != NULL ? &f->partial->open : NULL;
}

void
incoming_begin_create(void *file)
{
	struct incoming_file *f = file;

	if (!incoming_have_job(
		f)) { /* a writer has just given its first chunk */
		file_writer_fail_later(&f->writer);
		return;
	}
	incoming_prepare(f);
	incoming_begin_job(f, create_job, &f->job->commit.create, 0);
}

static void
begin_naming(struct incoming_file *f, int (*job)(void *))
{
	/* What a crash has left of a partial behind its end may be much. */
	bool slow = f->target.slow || target_is_conditional(&f->target) ||
		    (f->partial != NULL && f->writer.room.is_longer);

	if (!incoming_have_job(f)) {
		incoming_fail_job(f);
		return;
	}
	incoming_prepare(f);
	f->job->commit.on_loop =
	    !slow && f->target.at->device->kind == DEVICE_MEMORY;
	incoming_begin_job(
	    f, job, &f->job->commit, incoming_turn_begin(f, slow));
}

void
incoming_begin_commit(void *file)
{
	begin_naming(file, commit_job);
}

void
incoming_begin_storing(void *file)
{
	begin_naming(file, commit_collected_job);
}

/* ---- its owner is told ---- */

/* It is made, and waits for its client without a job. */
static void
begin_writing(struct incoming_file *f)
{
	enum space_direct says_direct = f->job->commit.create.says_direct;

	incoming_job_give(&f->local->jobs, &f->job);
	file_writer_begin(&f->writer, f->target.u.fd, says_direct);
}

void
incoming_tell_ready(void *file)
{
	struct incoming_file *f = file;

	begin_writing(f);
	f->base.events->on_ready(f->base.owner); /* may abort `f` */
}

/* Those whose chunks are here already hear nothing of it. */
void
incoming_begin_writing(void *file)
{
	begin_writing(file);
}

void
incoming_tell_failure(struct incoming_file *f, int err)
{
	f->base.events->on_failed(f->base.owner,
	    local_error_in_put(err, f->cause),
	    err == LOCAL_REFUSED ? f->target.why : NULL);
}

/* A job has failed: that may say something of the directory, or of its disk. */
void
incoming_tell_failed(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->target.at;
	int err = f->res, cause = f->cause;

	dir_hold(at); /* `f` may be the last one in it */
	file_writer_drop(&f->writer);
	incoming_tell_failure(f, err); /* may abort `f` */
	dir_learn(at, err, cause);
	dir_release(at);
}

/* The same while its chunks come: if there is a writer, that tells. */
void
incoming_fail_writer(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->target.at;
	int err = f->res, cause = f->cause;

	dir_hold(at);
	file_writer_hold(&f->writer);
	if (!file_writer_fail(&f->writer, local_error_in_put(err, cause)))
		incoming_tell_failure(f, err);
	/* `f` may be aborted */
	dir_learn(at, err, cause);
	dir_release(at);
}

/* ---- the path leads elsewhere ---- */

/* On to the directory `to`, with nothing written in the one before. */
static void
move_to(struct incoming_file *f, struct local_dir *to)
{
	struct local_dir *from = f->target.at;

	incoming_turn_end(f, false); /* it begins anew there */
	if (f->charged == NULL)
		f->charged = device_hold(from->device);
	dir_part(from, &f->member);
	f->target.at = to;
	dir_join(to, &f->member);
	f->base.account = &to->device->account;
	file_writer_move(&f->writer, to);
}

/* What it wanted to do there it does here, all of it. */
static void
on_reopened(struct reopen_follower *w, struct local_dir *to)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_job, follower)->file;

	check_magic(f, INCOMING_MAGIC);
	if (to == NULL) {
		incoming_on(f, INCOMING_JOB_MOVED);
	} else if (!device_accepts_writes(to->device)) {
		f->res = LOCAL_UNHEALTHY;
		incoming_on(f, INCOMING_NOT_REOPENED);
	} else {
		move_to(f, to);
		incoming_on(f, INCOMING_REOPENED);
	}
}

/* The job has left nothing behind: it is done again where the path leads now. */
void
incoming_follow_path(void *file)
{
	struct incoming_file *f = file;
	struct reopen_follower *w = &f->job->follower;

	commit_begin_again(&f->job->commit);
	w->on_reopened = on_reopened;
	if (reopen_follow(&f->local->reopen, f->target.at, w))
		return; /* `f` may be freed */
	f->res = LOCAL_VANISHED;
	incoming_on(f, INCOMING_NOT_REOPENED);
}

static void
stop_following(struct incoming_file *f)
{
	if (f->job != NULL)
		list_remove(&f->job->follower.node);
}

/* ---- the end ---- */

static bool
has_unlinked(const struct incoming_file *f)
{
	return f->job != NULL && unlinked_is_any(&f->job->commit.unlinked);
}

static bool
has_open(const struct incoming_file *f)
{
	return f->target.u.fd != -1 || f->target.dir != -1 || has_unlinked(f) ||
	       (f->partial != NULL && f->partial->open.info != -1);
}

static bool
waits_for_sync(const struct incoming_file *f)
{
	return f->partial != NULL && f->partial->is_syncing;
}

/* A partial of which nothing is to be cut off can be had by others at once, as far as that
 * is for the kernel alone to say. */
static void
let_go(struct incoming_file *f)
{
	uint64_t kept;

	if (f->partial == NULL || f->target.at->device->kind == DEVICE_UNKNOWN)
		return;
	kept = f->partial->open.file.shown.offset;
	if (f->target.u.fd == -1 ||
	    (f->writer.offset == kept && f->writer.room.allocated <= kept))
		incoming_partial_let_go(f->partial);
}

/* Its owner has let go, and nothing is in flight: throw away what is left. */
void
incoming_wind_down(void *file)
{
	struct incoming_file *f = file;

	stop_following(f);
	if (f->base.owner != NULL || has_job_in_flight(f) ||
	    !file_writer_is_idle(&f->writer) || waits_for_sync(f))
		return;
	let_go(f);
	incoming_on(f, !has_open(f)		       ? INCOMING_NOTHING_LEFT
		       : f->target.at->device->stalled ? INCOMING_STUCK
						       : INCOMING_LEFTOVERS);
}

/* As incoming_tell_failed(), of a file without an owner. */
void
incoming_fail_alone(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->target.at;
	int err = f->res, cause = f->cause;

	dir_hold(at);
	file_writer_drop(&f->writer);
	incoming_wind_down(f);
	dir_learn(at, err, cause);
	dir_release(at);
}

void
incoming_discard(void *file)
{
	struct incoming_file *f = file;
	/* What a crash has left of a partial behind its offset may be much. */
	bool slow = f->writer.offset > SPACE_FREED_AT_ONCE ||
		    (f->partial != NULL && f->writer.room.is_longer) ||
		    has_unlinked(f);

	if (!incoming_have_job(f)) {
		incoming_fail_job(f);
		return;
	}
	incoming_prepare(f);
	incoming_begin_job(f, commit_discard_job, &f->job->commit,
	    CALL_NO_STALL | (slow ? CALL_SLOW : 0));
}

void
incoming_postpone(void *file)
{
	struct incoming_file *f = file;

	dir_postpone(f->target.at, &f->member);
}

void
incoming_free(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->target.at;

	file_writer_fini(&f->writer);
	device_put(f->local->to.devices, &f->charged);
	f->magic = 0;
	incoming_turn_end(f, false);
	incoming_job_give(&f->local->jobs, &f->job);
	incoming_partial_free(&f->partial);
	free(f->target.pre);
	dir_part(at, &f->member);
	free(f);
}

/* ---- its disk ---- */

static void
cancel_all(struct incoming_file *f)
{
	file_writer_cancel(&f->writer);
	if (f->job != NULL)
		(void)engine_cancel(f->local->to.engine, &f->job->op);
}

void
incoming_tell_unhealthy(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	file_writer_hold(&f->writer);
	stop_following(f);
	incoming_tell_failure(f, LOCAL_UNHEALTHY);
}

void
incoming_tell_called_off(void *file)
{
	struct incoming_file *f = file;

	incoming_tell_failure(f, LOCAL_UNHEALTHY);
}

void
incoming_tell_unknown(void *file)
{
	struct incoming_file *f = file;

	incoming_tell_failure(f, LOCAL_OUTCOME_UNKNOWN);
}

/* Whether the name will appear is decided here when it is not under way; else
 * that is not known before the disk answers. */
void
incoming_call_off(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	incoming_on(f, commit_call_off(&f->job->commit) ? INCOMING_CALLED_OFF
							: INCOMING_UNKNOWN);
}

/* ---- it has its name ---- */

static void
on_synced(struct dirsync_wait *w, int err)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_job, commit.synced)->file;

	check_magic(f, INCOMING_MAGIC);
	f->target.dir = -1; /* it was closed */
	incoming_turn_end(f, err == 0);
	if (err < 0) {
		f->cause = -err;
		f->res = LOCAL_OUTCOME_UNKNOWN;
	}
	incoming_on(f, err < 0 ? INCOMING_UNSYNCED : INCOMING_SYNCED);
}

/* Whether its name is durable the directory's sync will tell. */
void
incoming_sync_directory(void *file)
{
	struct incoming_file *f = file;
	struct dirsync_wait *w = &f->job->commit.synced;
	int err;

	file_writer_drop(&f->writer);
	if (!dir_syncs(f->target.at) || f->job->commit.name_synced) {
		incoming_turn_end(f, true);
		incoming_on(f, INCOMING_SYNCED);
		return;
	}
	w->dir = target_dir(&f->target, f->target.dir);
	w->keep_dir = f->target.dir == -1;
	w->small = f->job->small_since != 0 && !commit_flushes(&f->job->commit);
	w->disk = f->target.at->fd;
	w->on_done = on_synced;
	err = dirsync_join(f->target.at->dirsync, w);
	if (err < 0) {
		incoming_turn_end(f, false);
		f->cause = -err;
		f->res = LOCAL_OUTCOME_UNKNOWN;
		incoming_on(f, INCOMING_UNSYNCED);
	}
}

/*
 * The file has its name: it is the newest, unless a later one was faster.  True
 * when the one before, or this one, is to go, which is in commit.old then.  What a
 * scan found may not be an upload of ours: that is never removed.
 */
static bool
become_latest(struct incoming_file *f)
{
	struct latest_entry old, other;
	struct commit *c = &f->job->commit;
	struct latest_entry e = {.ticket = c->ticket, .published = true};

	newest_note(&e, &c->version);
	memcpy(e.name, f->target.name, strlen(f->target.name) + 1);
	if (!latest_set(f->target.at->latest, &e, &old) || !old.published ||
	    f->local->to.policy->keep != KEEP_LATEST)
		return false;
	/* One of the two has replaced the other: that has its name no more. */
	other = e;
	if (old.ticket == e.ticket && !latest_get(f->target.at->latest, &other))
		return false;
	if (strcmp(old.name, other.name) == 0)
		return false;
	c->old = malloc(sizeof(old));
	if (c->old == NULL) {
		log_warn("%s: the upload before the latest cannot be removed: "
			 "out of memory",
		    f->local->base.label);
		return false;
	}
	*c->old = old;
	return true;
}

/* It is there, as durable as this store makes it. */
void
incoming_remove_before(void *file)
{
	struct incoming_file *f = file;
	struct commit *c = &f->job->commit;

	commit_end(c);
	if (!c->superseded && become_latest(f))
		incoming_begin_job(f, commit_remove_before_job, c, CALL_SLOW);
	else
		incoming_on(f, INCOMING_JOB_DONE);
}

static void
note_removed(struct incoming_file *f)
{
	const struct latest_entry *old = f->job->commit.old;

	if (old != NULL)
		removals_tried(&f->local->removals, f->target.at, old, f->res);
}

static void
tell_stored(struct incoming_file *f)
{
	const struct commit *c = &f->job->commit;
	struct stored s = {
	    .durability = report_durability(
		f->target.at->traits.sync, f->local->to.policy->sync),
	    .replaced = c->replaced,
	    .superseded = c->superseded,
	    .written_ns = c->written_ns,
	};

	file_version_describe(&c->version, &s.info);
	f->base.events->on_stored(f->base.owner, &s); /* may abort `f` */
}

void
incoming_tell_stored(void *file)
{
	note_removed(file);
	tell_stored(file);
}

void
incoming_end_stored_alone(void *file)
{
	note_removed(file);
	incoming_wind_down(file);
}

/* The disk is unhealthy, but the file is durable already. */
void
incoming_tell_stored_early(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	tell_stored(f);
}
