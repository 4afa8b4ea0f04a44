/*
 * One request for an upload that can be resumed: what it brings is kept, and when all is
 * there the upload is committed.
 *
 *	begin or append -> on_ready -> transfer -> on_transferred --> commit -> on_stored
 *	                                                  \---> suspend -> on_suspended
 *
 * When its exchange ends before, what came is kept all the same: then the request goes on
 * without one, until that is done.
 *
 * The table says what is done when (resume_states.h).  Here is what a request is told by its
 * gate and its exchange; what its upload tells is in resume_events.c.
 */
#include <stdlib.h>
#include <string.h>

#include "resume_states.h"

/* ---- by its exchange ---- */

static enum outcome
resume_on_gone(void *owner)
{
	struct web_resume *r = owner;
	enum outcome e;

	check_magic(r, RESUME_MAGIC);
	e = r->state == RESUME_COMMITTING || r->state == RESUME_CLAIMING
		? OUTCOME_OUTCOME_UNKNOWN
		: OUTCOME_STOPPED;
	r->exchange = NULL;
	resume_on(r, RESUME_GONE);
	return e;
}

/* What came is kept first, and told; who has brought nothing yet is not answered. */
static bool
resume_on_stop(void *owner)
{
	struct web_resume *r = owner;
	bool ends;

	check_magic(r, RESUME_MAGIC);
	ends = fsm_is_final(
	    r->table, fsm_square(r->table, r->state, RESUME_STOP)->next);
	if (ends)
		r->exchange = NULL;
	resume_on(r, RESUME_STOP);
	return ends;
}

static const struct exchange_ops exchange_ops = {
    .on_gone = resume_on_gone,
    .on_stop = resume_on_stop,
};

/* ---- by the gate ---- */

bool
resume_is_his(struct span whose, struct span owner)
{
	return whose.len == 0 || (whose.len == owner.len &&
				     memcmp(whose.s, owner.s, whose.len) == 0);
}

struct web_resume *
resume_new(struct context *c, struct exchange *x, const struct conf_location *l,
    enum resume_kind kind, const struct resume_dialect *d)
{
	struct web_resume *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->magic = RESUME_MAGIC;
	r->kind = kind;
	r->table = &resume_table;
	r->state = resume_table.first;
	r->request = exchange_id(x);
	r->context = c;
	r->exchange = x;
	r->location = l;
	r->dialect = d;
	r->ask.dialect = d;
	r->length = RESUME_UNKNOWN;
	r->trailer.name = "upload-checksum";
	return r;
}

void
resume_find(struct web_resume *r, const char *id)
{
	r->told.id = id;
	resume_on(r, RESUME_FIND);
}

void
resume_await(struct web_resume *r)
{
	resume_on(r, RESUME_AWAIT);
}

void
resume_start(struct web_resume *r)
{
	exchange_take(r->exchange, &exchange_ops, r);
	r->pass = NULL;
	resume_on(r, RESUME_PASSED);
}
