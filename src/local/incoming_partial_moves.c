/*
 * What is done with a file on its way in that is a partial (store/partial.h), beside what
 * is done with all (incoming_moves.c).
 */
#include <string.h>

#include "base/log.h"
#include "incoming_moves.h"
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

	file_writer_hold(&f->writer);
	begin(f, partial_conclude_job, CALL_SLOW);
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
	begin(
	    f, partial_suspend_job, dir_syncs(f->target.at) ? CALL_FLUSHES : 0);
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

/* ---- its owner is told ---- */

void
incoming_tell_made(void *file)
{
	struct incoming_file *f = file;

	f->partial->open.is_new = false;
	f->base.partial = &f->partial->open.file.shown;
	incoming_tell_ready(f); /* may abort `f` */
}

void
incoming_tell_found(void *file)
{
	struct incoming_file *f = file;

	incoming_job_give(&f->local->jobs, &f->job);
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
	incoming_tell_failed(f); /* may abort `f` */
}

void
incoming_tell_suspended(void *file)
{
	struct incoming_file *f = file;

	incoming_job_give(&f->local->jobs, &f->job);
	file_writer_resume(&f->writer, f->partial->open.file.shown.offset,
	    STORE_LENGTH_UNKNOWN);
	f->base.events->on_suspended(f->base.owner); /* may abort `f` */
}

void
incoming_tell_removed(void *file)
{
	struct incoming_file *f = file;

	f->base.events->on_removed(f->base.owner); /* may abort `f` */
}
