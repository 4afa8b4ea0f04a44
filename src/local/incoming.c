/*
 * A file on its way in: its table (incoming.h has the picture), and what is
 * done on the way.
 *
 * What a move does is the function in its square.  The job of a state runs in
 * f->job; whatever it comes to is an event.
 */
#include "incoming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/writer.h"
#include "internal.h"
#include "report.h"

static struct incoming_file *
file_of(struct incoming *in)
{
	struct incoming_file *f = container_of(in, struct incoming_file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

void
incoming_on(struct incoming_file *f, enum incoming_event ev)
{
	check_magic(f, INCOMING_MAGIC);
	fsm_on(&incoming_table, &f->state, ev, f->id, f);
}

/* ---- jobs ---- */

static void
on_job(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	f->res = res;
	incoming_on(f, res >= 0		       ? INCOMING_JOB_DONE
		       : res == STORE_VANISHED ? INCOMING_JOB_MOVED
					       : INCOMING_JOB_FAILED);
}

static void
begin_job(struct incoming_file *f, int (*job)(void *), unsigned flags)
{
	engine_call(
	    f->local->to.engine, f->at->device, &f->job, job, f, flags, on_job);
}

static void
begin_create(void *file)
{
	begin_job(file, jobs_create, 0);
}

static void
begin_naming(struct incoming_file *f, int (*job)(void *))
{
	bool slow = f->replaces || (f->at->device->kind == DEVICE_MEMORY &&
				       jobs_would_replace(f));

	begin_job(f, job, slow ? CALL_SLOW : 0); /* not for the loop */
}

static void
begin_commit(void *file)
{
	begin_naming(file, jobs_commit);
}

static void
begin_storing(void *file)
{
	begin_naming(file, jobs_commit_collected);
}

/* ---- its owner is told ---- */

void
incoming_tell_ready(void *file)
{
	struct incoming_file *f = file;

	file_writer_created(f);
	f->base.events->on_ready(f->base.owner); /* may abort `f` */
}

/* Those whose chunks are here already hear nothing of it. */
static void
begin_writing(void *file)
{
	struct incoming_file *f = file;

	file_writer_created(f);
	file_writer_go_on(f);
}

/* A job has failed: that may say something of the directory, or of its disk. */
void
incoming_tell_failed(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;
	int err = f->res, cause = f->base.cause;

	dir_hold(at); /* `f` may be the last one in it */
	file_writer_drop(f);
	f->base.events->on_failed(f->base.owner, err); /* may abort `f` */
	dir_learn(at, err, cause);
	dir_release(at);
}

/* The same while its writer waits for it: that tells. */
void
incoming_fail_writer(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;
	int err = f->res, cause = f->base.cause;

	dir_hold(at);
	if (f->writer != NULL)
		writer_failed(f->writer, err); /* may abort `f` */
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

	check_magic(f, INCOMING_MAGIC);
	if (to == NULL) {
		incoming_on(f, INCOMING_JOB_MOVED);
	} else if (device_is_avoided(to->device)) {
		f->res = STORE_SICK;
		incoming_on(f, INCOMING_NOT_REOPENED);
	} else {
		move_to(f, to);
		incoming_on(f, INCOMING_REOPENED);
	}
}

/* The job has left nothing behind: it is done again where the path leads now. */
static void
follow_path(void *file)
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
	f->res = STORE_VANISHED;
	incoming_on(f, INCOMING_NOT_REOPENED);
}

static void
stop_following(struct incoming_file *f)
{
	if (f->follower != NULL)
		list_remove(&f->follower->base.node);
}

/* ---- the end ---- */

static bool
has_unlinked(const struct incoming_file *f)
{
	for (int i = 0; i < LOCAL_UNLINKED; i++) {
		if (f->unlinked[i] != -1)
			return true;
	}
	return false;
}

/* Its owner has let go, and nothing is in flight: throw away what is left. */
static void
wind_down(void *file)
{
	struct incoming_file *f = file;

	stop_following(f);
	if (f->base.owner != NULL || f->job.in_flight ||
	    !file_writer_is_idle(f))
		return;
	incoming_on(f, f->u.fd == -1 && f->dir == -1 && !has_unlinked(f)
			   ? INCOMING_NOTHING_LEFT
		       : f->at->device->stalled ? INCOMING_STUCK
						: INCOMING_LEFTOVERS);
}

/* As incoming_tell_failed(), with nobody to tell. */
static void
fail_alone(void *file)
{
	struct incoming_file *f = file;
	struct local_dir *at = f->at;
	int err = f->res, cause = f->base.cause;

	dir_hold(at);
	file_writer_drop(f);
	wind_down(f);
	dir_learn(at, err, cause);
	dir_release(at);
}

static void
discard(void *file)
{
	struct incoming_file *f = file;
	bool slow = f->offset > LOCAL_SLOW_BYTES || has_unlinked(f);

	begin_job(f, jobs_discard, CALL_NO_STALL | (slow ? CALL_SLOW : 0));
}

static void
postpone(void *file)
{
	struct incoming_file *f = file;

	dir_postpone(f->at, &f->member);
}

static void
file_free(void *file)
{
	struct incoming_file *f = file;
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

/* ---- its disk ---- */

static void
cancel_all(struct incoming_file *f)
{
	file_writer_cancel(f);
	(void)engine_cancel(f->local->to.engine, &f->job);
}

void
incoming_tell_sick(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	stop_following(f);
	f->base.events->on_failed(f->base.owner, STORE_SICK);
}

void
incoming_tell_called_off(void *file)
{
	struct incoming_file *f = file;

	f->base.events->on_failed(f->base.owner, STORE_SICK);
}

void
incoming_tell_unknown(void *file)
{
	struct incoming_file *f = file;

	f->base.events->on_failed(f->base.owner, STORE_OUTCOME_UNKNOWN);
}

/* Whether the name will appear is decided here when it is not under way; else
 * nobody can tell before the disk answers. */
static void
call_off(void *file)
{
	struct incoming_file *f = file;
	int phase = LINK_NOT_BEGUN;

	cancel_all(f);
	incoming_on(f, atomic_compare_exchange_strong(
			   &f->link_phase, &phase, LINK_CALLED_OFF)
			   ? INCOMING_CALLED_OFF
			   : INCOMING_UNKNOWN);
}

static void
on_unhealthy(struct dir_member *m, bool stalled)
{
	(void)stalled;
	incoming_on(
	    container_of(m, struct incoming_file, member), INCOMING_SICK);
}

static void
on_healthy(struct dir_member *m)
{
	incoming_on(
	    container_of(m, struct incoming_file, member), INCOMING_HEALTHY);
}

static const struct dir_member_ops member_ops = {
    .on_unhealthy = on_unhealthy,
    .on_healthy = on_healthy,
};

/* ---- it has its name ---- */

static void
on_synced(struct dirsync_wait *w, int err)
{
	struct incoming_file *f = container_of(w, struct incoming_file, synced);

	check_magic(f, INCOMING_MAGIC);
	f->dir = -1; /* it was closed */
	if (err < 0) {
		f->base.cause = -err;
		f->res = STORE_OUTCOME_UNKNOWN;
	}
	incoming_on(f, err < 0 ? INCOMING_UNSYNCED : INCOMING_SYNCED);
}

/* Whether its name is durable the directory's sync will tell. */
static void
sync_directory(void *file)
{
	struct incoming_file *f = file;
	int err;

	file_writer_drop(f);
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
		f->base.cause = -err;
		f->res = STORE_OUTCOME_UNKNOWN;
		incoming_on(f, INCOMING_UNSYNCED);
	}
}

/*
 * The file has its name: it is the newest, unless a later one was faster.  True
 * when the one before, or this one, is to go, which is in f->old then.  What a
 * scan found may be somebody else's file: that is never removed.
 */
static bool
become_latest(struct incoming_file *f)
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
remove_before(void *file)
{
	struct incoming_file *f = file;

	atomic_store(&f->link_phase, LINK_DURABLE);
	f->base.durability =
	    report_durability(f->at->traits.sync, f->local->to.policy->sync);
	if (!f->base.superseded && become_latest(f))
		begin_job(f, jobs_remove_before, CALL_SLOW);
	else
		incoming_on(f, INCOMING_JOB_DONE);
}

static void
note_removed(struct incoming_file *f)
{
	if (f->old != NULL)
		removals_tried(&f->local->removals, f->at, f->old, f->res);
}

void
incoming_tell_stored(void *file)
{
	struct incoming_file *f = file;

	note_removed(f);
	f->base.events->on_stored(f->base.owner); /* may abort `f` */
}

static void
end_stored_alone(void *file)
{
	note_removed(file);
	wind_down(file);
}

/* The disk is sick, but the file is durable already. */
void
incoming_tell_stored_early(void *file)
{
	struct incoming_file *f = file;

	cancel_all(f);
	f->base.events->on_stored(f->base.owner); /* may abort `f` */
}

/* ---- the table ---- */

static const char *const state_names[INCOMING_STATES] = {
    [INCOMING_NEW] = "new",
    [INCOMING_COLLECTING] = "collecting",
    [INCOMING_OPENING] = "opening",
    [INCOMING_OPENING_LATE] = "opening late",
    [INCOMING_OPEN] = "open",
    [INCOMING_COMMIT_DUE] = "commit due",
    [INCOMING_COMMITTING] = "committing",
    [INCOMING_STORING] = "storing",
    [INCOMING_REOPENING] = "reopening",
    [INCOMING_REOPENING_LATE] = "reopening late",
    [INCOMING_REOPENING_STORING] = "reopening to store",
    [INCOMING_SYNCING] = "syncing",
    [INCOMING_REMOVING] = "removing",
    [INCOMING_STORED] = "stored",
    [INCOMING_FAILED] = "failed",
    [INCOMING_COMMIT_DUE_ALONE] = "commit due, alone",
    [INCOMING_COMMITTING_ALONE] = "committing alone",
    [INCOMING_SYNCING_ALONE] = "syncing alone",
    [INCOMING_REMOVING_ALONE] = "removing alone",
    [INCOMING_ENDING] = "ending",
    [INCOMING_POSTPONED] = "postponed",
    [INCOMING_DISCARDING] = "discarding",
    [INCOMING_OVER] = "over",
};

static const char *const event_names[INCOMING_EVENTS] = {
    [INCOMING_CREATE] = "create",
    [INCOMING_COLLECT] = "collect",
    [INCOMING_LATE] = "late",
    [INCOMING_COMMIT] = "commit",
    [INCOMING_COMMIT_BUSY] = "commit while busy",
    [INCOMING_ABORT] = "abort",
    [INCOMING_JOB_DONE] = "job done",
    [INCOMING_JOB_FAILED] = "job failed",
    [INCOMING_JOB_MOVED] = "directory moved",
    [INCOMING_REOPENED] = "reopened",
    [INCOMING_NOT_REOPENED] = "not reopened",
    [INCOMING_BACKGROUND_DONE] = "background job done",
    [INCOMING_BACKGROUND_FAILED] = "background job failed",
    [INCOMING_WRITTEN] = "written",
    [INCOMING_SYNCED] = "synced",
    [INCOMING_UNSYNCED] = "not synced",
    [INCOMING_SICK] = "disk sick",
    [INCOMING_CALLED_OFF] = "called off",
    [INCOMING_UNKNOWN] = "outcome unknown",
    [INCOMING_HEALTHY] = "disk healthy",
    [INCOMING_NOTHING_LEFT] = "nothing left",
    [INCOMING_STUCK] = "stuck",
    [INCOMING_LEFTOVERS] = "leftovers",
};

/* clang-format off */
static const struct fsm_square squares[INCOMING_STATES][INCOMING_EVENTS] = {
	[INCOMING_NEW] = {
		[INCOMING_CREATE]            = { FSM_ACT, INCOMING_OPENING,           begin_create },
		[INCOMING_COLLECT]           = { FSM_NOTHING, INCOMING_COLLECTING },
	},
	[INCOMING_COLLECTING] = {
		[INCOMING_LATE]              = { FSM_ACT, INCOMING_OPENING_LATE,      begin_create },
		[INCOMING_COMMIT]            = { FSM_ACT, INCOMING_STORING,           begin_storing },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_OPENING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_OPEN,              incoming_tell_ready },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING,         follow_path },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_OPENING_LATE] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_OPEN,              begin_writing },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_FAILED,            incoming_fail_writer },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING_LATE,    follow_path },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_OPEN] = {
		[INCOMING_COMMIT]            = { FSM_ACT, INCOMING_COMMITTING,        begin_commit },
		[INCOMING_COMMIT_BUSY]       = { FSM_NOTHING, INCOMING_COMMIT_DUE },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_BACKGROUND_DONE]   = { FSM_ACT, INCOMING_OPEN,              file_writer_go_on },
		[INCOMING_BACKGROUND_FAILED] = { FSM_ACT, INCOMING_FAILED,            incoming_fail_writer },
		[INCOMING_WRITTEN]           = { FSM_NOTHING, INCOMING_OPEN },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_COMMIT_DUE] = {
		[INCOMING_BACKGROUND_DONE]   = { FSM_ACT, INCOMING_COMMITTING,        begin_commit },
		[INCOMING_BACKGROUND_FAILED] = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_COMMIT_DUE_ALONE },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_COMMITTING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_SYNCING,           sync_directory },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_COMMITTING_ALONE },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_COMMITTING,        call_off },
		[INCOMING_CALLED_OFF]        = { FSM_ACT, INCOMING_COMMITTING_ALONE,  incoming_tell_called_off },
		[INCOMING_UNKNOWN]           = { FSM_ACT, INCOMING_COMMITTING_ALONE,  incoming_tell_unknown },
	},
	[INCOMING_STORING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_SYNCING,           sync_directory },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING_STORING, follow_path },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_COMMITTING_ALONE },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_STORING,           call_off },
		[INCOMING_CALLED_OFF]        = { FSM_ACT, INCOMING_COMMITTING_ALONE,  incoming_tell_called_off },
		[INCOMING_UNKNOWN]           = { FSM_ACT, INCOMING_COMMITTING_ALONE,  incoming_tell_unknown },
	},
	[INCOMING_REOPENING] = {
		[INCOMING_REOPENED]          = { FSM_ACT, INCOMING_OPENING,           begin_create },
		[INCOMING_NOT_REOPENED]      = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING,         follow_path },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_REOPENING_LATE] = {
		[INCOMING_REOPENED]          = { FSM_ACT, INCOMING_OPENING_LATE,      begin_create },
		[INCOMING_NOT_REOPENED]      = { FSM_ACT, INCOMING_FAILED,            incoming_fail_writer },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING_LATE,    follow_path },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_REOPENING_STORING] = {
		[INCOMING_REOPENED]          = { FSM_ACT, INCOMING_STORING,           begin_storing },
		[INCOMING_NOT_REOPENED]      = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_REOPENING_STORING, follow_path },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_FAILED,            incoming_tell_sick },
	},
	[INCOMING_SYNCING] = {
		[INCOMING_SYNCED]            = { FSM_ACT, INCOMING_REMOVING,          remove_before },
		[INCOMING_UNSYNCED]          = { FSM_ACT, INCOMING_FAILED,            incoming_tell_failed },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_SYNCING_ALONE },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_SYNCING,           call_off },
		[INCOMING_CALLED_OFF]        = { FSM_ACT, INCOMING_SYNCING_ALONE,     incoming_tell_called_off },
		[INCOMING_UNKNOWN]           = { FSM_ACT, INCOMING_SYNCING_ALONE,     incoming_tell_unknown },
	},
	[INCOMING_REMOVING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_STORED,            incoming_tell_stored },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_STORED,            incoming_tell_stored },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_REMOVING_ALONE },
		[INCOMING_SICK]              = { FSM_ACT, INCOMING_REMOVING_ALONE,    incoming_tell_stored_early },
	},
	[INCOMING_STORED] = {
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_STORED },
	},
	[INCOMING_FAILED] = {
		[INCOMING_JOB_DONE]          = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_JOB_FAILED]        = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_JOB_MOVED]         = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_BACKGROUND_DONE]   = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_BACKGROUND_FAILED] = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_WRITTEN]           = { FSM_NOTHING, INCOMING_FAILED },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_FAILED },
	},
	[INCOMING_COMMIT_DUE_ALONE] = {
		[INCOMING_BACKGROUND_DONE]   = { FSM_ACT, INCOMING_COMMITTING_ALONE,  begin_commit },
		[INCOMING_BACKGROUND_FAILED] = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_COMMIT_DUE_ALONE },
	},
	[INCOMING_COMMITTING_ALONE] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_SYNCING_ALONE,     sync_directory },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_COMMITTING_ALONE },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_COMMITTING_ALONE },
	},
	[INCOMING_SYNCING_ALONE] = {
		[INCOMING_SYNCED]            = { FSM_ACT, INCOMING_REMOVING_ALONE,    remove_before },
		[INCOMING_UNSYNCED]          = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_SYNCING_ALONE },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_SYNCING_ALONE },
	},
	[INCOMING_REMOVING_ALONE] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_ENDING,            end_stored_alone },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_ENDING,            end_stored_alone },
		[INCOMING_ABORT]             = { FSM_NOTHING, INCOMING_REMOVING_ALONE },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_REMOVING_ALONE },
	},
	[INCOMING_ENDING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_JOB_MOVED]         = { FSM_ACT, INCOMING_ENDING,            fail_alone },
		[INCOMING_BACKGROUND_DONE]   = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_BACKGROUND_FAILED] = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_WRITTEN]           = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_ABORT]             = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_ENDING },
		[INCOMING_NOTHING_LEFT]      = { FSM_ACT, INCOMING_OVER,              file_free },
		[INCOMING_STUCK]             = { FSM_ACT, INCOMING_POSTPONED,         postpone },
		[INCOMING_LEFTOVERS]         = { FSM_ACT, INCOMING_DISCARDING,        discard },
	},
	[INCOMING_POSTPONED] = {
		[INCOMING_HEALTHY]           = { FSM_ACT, INCOMING_ENDING,            wind_down },
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_POSTPONED },
	},
	[INCOMING_DISCARDING] = {
		[INCOMING_JOB_DONE]          = { FSM_ACT, INCOMING_OVER,              file_free },
		[INCOMING_JOB_FAILED]        = { FSM_ACT, INCOMING_POSTPONED,         postpone }, /* no thread */
		[INCOMING_SICK]              = { FSM_NOTHING, INCOMING_DISCARDING },
	},
};
/* clang-format on */

const struct fsm_table incoming_table = {
    .name = "incoming file",
    .states = INCOMING_STATES,
    .events = INCOMING_EVENTS,
    .state_names = state_names,
    .event_names = event_names,
    .first = INCOMING_NEW,
    .final = FSM_STATE(INCOMING_OVER),
    .squares = squares[0],
};

/* ---- what the store calls ---- */

void
incoming_commit(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	check(f->in_flight == 0);
	incoming_on(
	    f, f->job.in_flight ? INCOMING_COMMIT_BUSY : INCOMING_COMMIT);
}

void
incoming_abort(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	f->base.owner = NULL;
	f->writer = NULL;
	incoming_on(f, INCOMING_ABORT);
}

static int
new_file(struct local *local, const struct put_request *request,
    struct incoming_file **ret)
{
	size_t len = strlen(request->name);
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
	memcpy(f->name, request->name, len + 1);
	*ret = f;
	return 0;
}

int
incoming_create(struct store *s, const struct put_request *request,
    const struct put_events *events, void *owner, struct incoming **ret)
{
	struct local *local = local_of(s);
	struct incoming_file *f;
	static uint64_t id;
	bool collect =
	    request->collect && request->length <= local->to.chunk_size;
	int err;

	err = new_file(local, request, &f);
	if (err < 0) {
		free(request->terms);
		return err;
	}
	f->magic = INCOMING_MAGIC;
	f->state = incoming_table.first;
	f->id = ++id;
	f->local = local;
	f->at = local->opener.current;
	f->base.store = s;
	f->base.account = &f->at->device->account;
	f->base.owner = owner;
	f->base.events = events;
	f->base.came.head_ns = request->head_ns;
	f->u.fd = f->dir = f->unlinked[0] = f->unlinked[1] = -1;
	f->length = request->length;
	f->has_forerunner = request->forerunner != NULL;
	if (f->has_forerunner)
		file_version_digest(request->forerunner, f->forerunner);
	f->terms_hold = request->terms_hold;
	f->terms = request->terms;
	atomic_init(&f->link_phase, LINK_NOT_BEGUN);
	file_writer_init(f);
	if (collect) /* its reader may be as patient as it likes */
		f->base.sink.whole_chunks = true;
	f->member.ops = &member_ops;
	dir_join(f->at, &f->member);
	*ret = &f->base;
	incoming_on(f, collect ? INCOMING_COLLECT : INCOMING_CREATE);
	return collect;
}
