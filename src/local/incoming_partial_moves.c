/*
 * What is done with a file on its way in that is a partial (store/partial.h), beside what
 * is done with all (incoming_moves.c).
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "incoming_moves.h"
#include "incoming_turn.h"
#include "local_error.h"
#include "partial_jobs.h"

static void
begin(struct incoming_file *f, int (*job)(void *), unsigned flags)
{
	if (!incoming_have_job(f)) {
		incoming_fail_job(f);
		return;
	}
	incoming_prepare(f);
	incoming_begin_job(f, job, &f->job->commit, flags);
}

void
incoming_begin_making(void *file)
{
	begin(file, partial_create_job, 0);
}

void
incoming_begin_finding(void *file)
{
	begin(file, partial_find_job, 0);
}

void
incoming_begin_append(void *file)
{
	begin(file, partial_append_job, 0);
}

void
incoming_begin_remove(void *file)
{
	begin(file, partial_remove_job, CALL_SLOW);
}

void
incoming_begin_conclude(void *file)
{
	struct incoming_file *f = file;
	bool removes = f->partial->open.next.phase == PARTIAL_REFUSED;

	file_writer_hold(&f->writer);
	begin(f, partial_conclude_job, removes ? CALL_SLOW : 0);
}

/* No more is known to be written than its writer says. */
void
incoming_begin_suspend(void *file)
{
	struct incoming_file *f = file;
	struct partial *next = &f->partial->open.next;

	file_writer_hold(&f->writer);
	if (next->offset > f->writer.written)
		next->offset = f->writer.written;
	if (!incoming_have_job(f)) {
		incoming_fail_job(f);
		return;
	}
	incoming_prepare(f);
	incoming_begin_job(f, partial_suspend_job, &f->job->commit,
	    incoming_turn_begin(f, f->writer.room.is_longer));
}

void
incoming_suspend_when_idle(void *file)
{
	struct incoming_file *f = file;

	if (file_writer_is_idle(&f->writer))
		incoming_on(f, INCOMING_SUSPEND);
}

/* ---- it is made: its name in `.penstock` is to be durable, too ---- */

static void
on_listed(struct dirsync_wait *w, int err)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_job, commit.synced)->file;

	check_magic(f, INCOMING_MAGIC);
	f->partial->is_syncing = false;
	if (err < 0) {
		f->cause = -err;
		f->res = LOCAL_SYNC_FAILED;
	}
	incoming_on(f, err < 0 ? INCOMING_UNSYNCED : INCOMING_SYNCED);
}

void
incoming_sync_listing(void *file)
{
	struct incoming_file *f = file;
	struct dirsync_wait *w = &f->job->commit.synced;
	int err;

	if (!dir_syncs(f->target.at)) {
		incoming_on(f, INCOMING_SYNCED);
		return;
	}
	w->keep_dir = true;
	w->small = false;
	w->disk = f->target.at->fd;
	w->on_done = on_listed;
	err = dirsync_join(f->target.at->dirsync, w);
	if (err < 0) {
		f->res = err;
		incoming_on(f, INCOMING_UNSYNCED);
		return;
	}
	f->partial->is_syncing = true;
}

/* ---- its bytes are read back ---- */

static bool
is_at_rest(const struct incoming_file *f)
{
	return f->state == INCOMING_FOUND || f->state == INCOMING_OPEN ||
	       f->state == INCOMING_SUSPENDED;
}

static void
end_hash(struct incoming_file *f, int res)
{
	struct local_dir *at = f->target.at;

	if (res == 0)
		partial_hash_give(f->partial->hash);
	partial_hash_free(&f->partial->hash);
	incoming_job_give(&f->local->jobs, &f->job);
	dir_hold(at); /* `f` may be the last one in it */
	f->base.events->on_hashed(f->base.owner, /* may abort `f` */
	    res < 0 ? local_error_in_put(res, 0) : failure_none());
	dir_learn(at, res, 0);
	dir_release(at);
}

static void
on_hash_step(struct op *op, int res)
{
	struct incoming_file *f =
	    container_of(op, struct incoming_job, op)->file;
	struct partial_hash *h = f->partial->hash;

	check_magic(f, INCOMING_MAGIC);
	if (!is_at_rest(f)) { /* its owner has gone, or was told */
		partial_hash_free(&f->partial->hash);
		incoming_on(f, INCOMING_JOB_DONE);
	} else if (res < 0 || partial_hash_is_done(h)) {
		end_hash(f, res); /* may abort `f` */
	} else {
		engine_call(f->local->to.engine, f->target.at->device,
		    &f->job->op, partial_hash_job, h, CALL_SLOW, on_hash_step);
	}
}

void
incoming_begin_hash(struct incoming_file *f, struct digest *d)
{
	uint64_t end = f->state == INCOMING_FOUND ? f->base.partial->offset
						  : f->writer.offset;
	struct partial_hash *h = partial_hash_new(d, end);

	check(is_at_rest(f) && f->partial->hash == NULL);
	if (h == NULL || !incoming_have_job(f)) {
		partial_hash_free(&h);
		f->base.events->on_hashed(f->base.owner, /* may abort `f` */
		    local_error_in_put(-ENOMEM, 0));
		return;
	}
	incoming_prepare(f);
	partial_hash_prepare(h, &f->job->commit);
	f->partial->hash = h;
	engine_call(f->local->to.engine, f->target.at->device, &f->job->op,
	    partial_hash_job, h, CALL_SLOW, on_hash_step);
}

/* ---- its owner is told ---- */

void
incoming_tell_made(void *file)
{
	struct incoming_file *f = file;

	f->partial->open.is_new = false;
	f->partial->is_known = true;
	f->base.partial = &f->partial->open.file.shown;
	incoming_tell_ready(f); /* may abort `f` */
}

void
incoming_tell_found(void *file)
{
	struct incoming_file *f = file;

	incoming_job_give(&f->local->jobs, &f->job);
	f->partial->is_known = true;
	f->partial->offset = f->partial->open.file.shown.offset;
	f->base.partial = &f->partial->open.file.shown;
	f->base.events->on_found(f->base.owner); /* may abort `f` */
}

/* What there is of it is kept, but says nothing to this server. */
static void
log_garbled(const struct incoming_file *f)
{
	const struct partial_file *p = &f->partial->open.file;

	log_warn("%s/%s/%s%s: %s: it is left as it is until it expires",
	    f->local->base.label, PUBLISH_TEMP_DIR, p->shown.id,
	    partial_info_suffix,
	    p->format > PARTIAL_FILE_FORMAT
		? "a newer version of this server has written it"
		: "it does not say, or says wrongly, what there is of the "
		  "upload");
}

void
incoming_tell_not_found(void *file)
{
	struct incoming_file *f = file;

	if (f->res == LOCAL_GARBLED)
		log_garbled(f);
	if (f->res == LOCAL_HELD)
		f->base.partial = incoming_partial_show_held(f->partial);
	incoming_tell_failed(f); /* may abort `f` */
}

void
incoming_tell_suspended(void *file)
{
	struct incoming_file *f = file;

	incoming_turn_end(f, true);
	incoming_job_give(&f->local->jobs, &f->job);
	f->partial->offset = f->partial->open.file.shown.offset;
	file_writer_resume(
	    &f->writer, f->partial->offset, STORE_LENGTH_UNKNOWN);
	f->base.events->on_suspended(f->base.owner); /* may abort `f` */
}

void
incoming_tell_removed(void *file)
{
	struct incoming_file *f = file;

	f->base.events->on_removed(f->base.owner); /* may abort `f` */
}
