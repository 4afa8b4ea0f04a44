/* What the upload of a request tells: the events of the table (resume_states.h). */
#include <string.h>

#include "resume_states.h"

static struct web_resume *
resume_of(struct upload *u)
{
	struct web_resume *r = container_of(u, struct web_resume, upload);

	check_magic(r, RESUME_MAGIC);
	return r;
}

/* ---- what there is ---- */

/* Keep what is known of it: the store's copy is gone after the next step.  What was judged
 * by is what holds.  False: it cannot be read. */
static bool
read_record(struct web_resume *r, const struct partial *p)
{
	if (r->kept.len > 0)
		return r->kept.len == p->record.len &&
		       memcmp(r->kept.s, p->record.s, r->kept.len) == 0;
	str_add(&r->kept, p->record.s, p->record.len);
	if (str_failed(&r->kept) || r->kept.len == 0 ||
	    !resume_record_decode(
		(struct span){r->kept.s, r->kept.len}, &r->record))
		return false;
	str_add(&r->name, r->record.name.s, r->record.name.len);
	memcpy(r->id, p->id, sizeof(r->id));
	return !str_failed(&r->name);
}

static void
resume_on_failed(struct upload *u, struct failure why, const char *reason)
{
	struct web_resume *r = resume_of(u);

	r->why = why;
	r->reason = reason;
	resume_on(r, RESUME_FAILED);
}

/* `ev`, if it can be read what it is. */
static void
resume_shown(struct web_resume *r, enum resume_event ev)
{
	if (read_record(r, upload_partial(&r->upload)))
		resume_on(r, ev);
	else
		resume_on_failed(
		    &r->upload, failure_of(OUTCOME_NO_UPLOAD, 0), NULL);
}

static void
resume_on_held(struct upload *u)
{
	resume_shown(resume_of(u), RESUME_SHOWN);
}

static void
resume_on_found(struct upload *u)
{
	struct web_resume *r = resume_of(u);
	const struct partial *p = upload_partial(u);

	resume_times_decode(p->state, &r->times);
	r->length = p->length;
	resume_shown(r, RESUME_FOUND);
}

static bool
resume_describe(struct upload *u, struct live_record *rec)
{
	const struct web_resume *r = resume_of(u);
	uint64_t given = upload_given(u);

	if (r->kind != RESUME_CREATE && r->kind != RESUME_APPEND)
		return false;
	if (r->exchange != NULL) {
		live_set_client(rec, exchange_client(r->exchange));
		live_set_user(rec, exchange_user(r->exchange));
	}
	live_set_name(rec, resume_name(r));
	rec->from = r->ask.offset;
	rec->bytes = given > rec->from ? given - rec->from : 0;
	if (r->length != RESUME_UNKNOWN)
		rec->length = r->length;
	return true;
}

static void
resume_on_cut(struct upload *u)
{
	struct web_resume *r = resume_of(u);

	if (r->state == RESUME_FLOWING)
		resume_on(r, RESUME_CUT);
}

static void
resume_on_wanted(struct upload *u)
{
	struct web_resume *r = resume_of(u);

	r->wanted = true;
	resume_on(r, RESUME_WANTED);
}

/* ---- what becomes of it ---- */

static void
resume_on_ready(struct upload *u)
{
	resume_on(resume_of(u), RESUME_OPENED);
}

static void
resume_on_transferred(struct upload *u, struct failure why)
{
	struct web_resume *r = resume_of(u);

	r->why = why;
	resume_on(r, RESUME_TRANSFERRED);
}

static void
resume_on_suspended(struct upload *u)
{
	resume_on(resume_of(u), RESUME_SUSPENDED);
}

static void
resume_on_stored(struct upload *u, const struct stored *s)
{
	struct web_resume *r = resume_of(u);

	r->told.stored = s;
	resume_on(r, RESUME_STORED);
}

static void
resume_on_removed(struct upload *u)
{
	resume_on(resume_of(u), RESUME_ERASED);
}

const struct upload_events resume_upload_events = {
    .on_ready = resume_on_ready,
    .on_transferred = resume_on_transferred,
    .on_stored = resume_on_stored,
    .on_failed = resume_on_failed,
    .on_held = resume_on_held,
    .on_found = resume_on_found,
    .on_suspended = resume_on_suspended,
    .on_removed = resume_on_removed,
    .on_wanted = resume_on_wanted,
    .describe = resume_describe,
    .on_cut = resume_on_cut,
};
