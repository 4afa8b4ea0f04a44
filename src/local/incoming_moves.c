/*
 * What is done with a file on its way in as it moves from state to state:
 * incoming_table.c says when.  The job of a state runs in f->job; whatever it
 * comes to is an event.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/writer.h"
#include "internal.h"
#include "local_error.h"
#include "newest.h"
#include "report.h"

/* ---- jobs ---- */

static void
on_job(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	f->res = res;
	incoming_on(f, res >= 0		       ? INCOMING_JOB_DONE
		       : res == LOCAL_VANISHED ? INCOMING_JOB_MOVED
					       : INCOMING_JOB_FAILED);
}

static void
incoming_begin_job(struct incoming_file *f, int (*job)(void *), unsigned flags)
{
	engine_call(
	    f->local->to.engine, f->at->device, &f->job, job, f, flags, on_job);
}

void
incoming_begin_create(void *file)
{
	incoming_begin_job(file, create_job, 0);
}

static void
begin_naming(struct incoming_file *f, int (*job)(void *))
{
	bool slow = f->replaces || (f->at->device->kind == DEVICE_MEMORY &&
				       commit_would_replace(f));

	incoming_begin_job(f, job, slow ? CALL_SLOW : 0); /* not for the loop */
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

void
incoming_tell_ready(void *file)
{
	struct incoming_file *f = file;

	file_writer_begin(&f->writer, f->u.fd, f->says_direct);
	f->base.events->on_ready(f->base.owner); /* may abort `f` */
}

/* Those whose chunks are here already hear nothing of it. */
void
incoming_begin_writing(void *file)
{
	struct incoming_file *f = file;

	file_writer_begin(&f->writer, f->u.fd, f->says_direct);
}

/* It may abort `f`. */
static void
incoming_tell_failure(struct incoming_file *f, int err)
{
	f->base.events->on_failed(f->base.owner,
	    local_error_in_put(err, f->cause),
	    err == LOCAL_REFUSED ? f->why : NULL);
}

/* A job has failed: that may say something of the directory, or of its disk. */
void
incoming_tell_failed(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;
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
	struct local_dir *at = f->at;
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
	dir_part(from, &f->member);
	f->at = to;
	dir_join(to, &f->member);
	f->base.account = &to->device->account;
	file_writer_move(&f->writer, to);
}

/* What it wanted to do there it does here, all of it. */
static void
on_reopened(struct reopen_follower *w, struct local_dir *to)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_follower, base)->file;

	check_magic(f, INCOMING_MAGIC);
	if (to == NULL) {
		incoming_on(f, INCOMING_JOB_MOVED);
	} else if (!device_accepts_writes(to->device)) {
		f->res = LOCAL_SICK;
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
	int phase = LINK_BEGUN;

	(void)atomic_compare_exchange_strong(
	    &f->link_phase, &phase, LINK_NOT_BEGUN);
	if (f->follower == NULL)
		f->follower = calloc(1, sizeof(*f->follower));
	if (f->follower != NULL) {
		f->follower->file = f;
		f->follower->base.on_reopened = on_reopened;
		if (reopen_follow(&f->local->reopen, f->at, &f->follower->base))
			return; /* `f` may be freed */
	}
	f->res = LOCAL_VANISHED;
	incoming_on(f, INCOMING_NOT_REOPENED);
}

static void
stop_following(struct incoming_file *f)
{
	if (f->follower != NULL)
		list_remove(&f->follower->base.node);
}

/* ---- the end ---- */

/* Its owner has let go, and nothing is in flight: throw away what is left. */
void
incoming_wind_down(void *file)
{
	struct incoming_file *f = file;

	stop_following(f);
	if (f->base.owner != NULL || f->job.in_flight ||
	    !file_writer_is_idle(&f->writer))
		return;
	incoming_on(f, f->u.fd == -1 && f->dir == -1 && !unlinked_is_any(f)
			   ? INCOMING_NOTHING_LEFT
		       : f->at->device->stalled ? INCOMING_STUCK
						: INCOMING_LEFTOVERS);
}

/* As incoming_tell_failed(), of a file without an owner. */
void
incoming_fail_alone(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;
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
	bool slow = f->writer.offset > LOCAL_SLOW_BYTES || unlinked_is_any(f);

	incoming_begin_job(
	    f, create_discard_job, CALL_NO_STALL | (slow ? CALL_SLOW : 0));
}

void
incoming_postpone(void *file)
{
	struct incoming_file *f = file;

	dir_postpone(f->at, &f->member);
}

void
incoming_free(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;

	file_writer_fini(&f->writer);
	device_put(f->local->to.devices, &f->charged);
	f->magic = 0;
	free(f->pre);
	free(f->old);
	free(f->follower);
	dir_part(at, &f->member);
	free(f);
}

/* ---- its disk ---- */

static void
cancel_all(struct incoming_file *f)
{
	file_writer_cancel(&f->writer);
	(void)engine_cancel(f->local->to.engine, &f->job);
}

void
incoming_tell_sick(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	file_writer_hold(&f->writer);
	stop_following(f);
	incoming_tell_failure(f, LOCAL_SICK);
}

void
incoming_tell_called_off(void *file)
{
	struct incoming_file *f = file;

	incoming_tell_failure(f, LOCAL_SICK);
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
	int phase = LINK_NOT_BEGUN;

	cancel_all(f);
	incoming_on(f, atomic_compare_exchange_strong(
			   &f->link_phase, &phase, LINK_CALLED_OFF)
			   ? INCOMING_CALLED_OFF
			   : INCOMING_UNKNOWN);
}

/* ---- it has its name ---- */

static void
on_synced(struct dirsync_wait *w, int err)
{
	struct incoming_file *f = container_of(w, struct incoming_file, synced);

	check_magic(f, INCOMING_MAGIC);
	f->dir = -1; /* it was closed */
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
	int err;

	file_writer_drop(&f->writer);
	if (!dir_syncs(f->at)) {
		incoming_on(f, INCOMING_SYNCED);
		return;
	}
	f->synced.dir = f->dir == -1 ? f->at->fd : f->dir;
	f->synced.keep_dir = f->dir == -1;
	f->synced.disk = f->at->fd;
	f->synced.on_done = on_synced;
	err = dirsync_join(f->at->dirsync, &f->synced);
	if (err < 0) {
		f->cause = -err;
		f->res = LOCAL_OUTCOME_UNKNOWN;
		incoming_on(f, INCOMING_UNSYNCED);
	}
}

/*
 * The file has its name: it is the newest, unless a later one was faster.  True
 * when the one before, or this one, is to go, which is in f->old then.  What a
 * scan found may not be an upload of ours: that is never removed.
 */
static bool
become_latest(struct incoming_file *f)
{
	struct latest_entry old, other;
	struct latest_entry e = {.ticket = f->ticket, .published = true};

	newest_note(&e, &f->version);
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
void
incoming_remove_before(void *file)
{
	struct incoming_file *f = file;

	atomic_store(&f->link_phase, LINK_DURABLE);
	if (!f->superseded && become_latest(f))
		incoming_begin_job(f, unlinked_remove_before_job, CALL_SLOW);
	else
		incoming_on(f, INCOMING_JOB_DONE);
}

static void
note_removed(struct incoming_file *f)
{
	if (f->old != NULL)
		removals_tried(&f->local->removals, f->at, f->old, f->res);
}

static void
tell_stored(struct incoming_file *f)
{
	struct stored s = {
	    .durability = report_durability(
		f->at->traits.sync, f->local->to.policy->sync),
	    .replaced = f->replaced,
	    .superseded = f->superseded,
	    .written_ns = f->written_ns,
	};

	file_version_describe(&f->version, &s.info);
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

/* The disk is sick, but the file is durable already. */
void
incoming_tell_stored_early(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	tell_stored(f);
}
