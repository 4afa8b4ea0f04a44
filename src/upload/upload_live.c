/* What is told of an upload while it runs, and how an operator cuts it. */
#include "upload/env.h"
#include "upload_internal.h"

static enum live_stage
stage_of(const struct upload *u)
{
	switch ((enum upload_state)u->state) {
	case UPLOAD_FLOWING:
	case UPLOAD_DRAINING:
		return LIVE_RECEIVING;
	case UPLOAD_READY:
	case UPLOAD_SUSPENDED:
	case UPLOAD_OVER:
		return LIVE_WAITING;
	case UPLOAD_SUSPENDING:
		return LIVE_KEEPING;
	case UPLOAD_HASHING:
		return LIVE_HASHING;
	case UPLOAD_COMMITTING:
		return LIVE_COMMITTING;
	case UPLOAD_OPENING:
	case UPLOAD_RESUMING:
	case UPLOAD_ELSEWHERE:
	case UPLOAD_FOUND:
	case UPLOAD_REMOVING:
	case UPLOAD_STATES:
		break;
	}
	return LIVE_OPENING;
}

/* As if it ended now. */
static uint8_t
verdict_of(const struct upload *u)
{
	struct meter m = u->flow.meter;

	meter_stop(&m);
	m.hash_ns = upload_digests_ns(&u->digests);
	return (uint8_t)meter_verdict(&m);
}

static bool
upload_describe(struct roll_entry *e, struct live_record *r)
{
	struct upload *u = container_of(e, struct upload, entry);
	const struct flow *f = &u->flow;

	check_magic(u, UPLOAD_MAGIC);
	r->began_ns = f->meter.start;
	r->stage = (uint8_t)stage_of(u);
	r->verdict = verdict_of(u);
	r->reader = (uint8_t)f->meter.reader;
	r->writer = (uint8_t)f->meter.writer;
	r->queued = (uint16_t)f->link.queue.length;
	r->queue_depth = (uint16_t)u->location->queue_depth;
	r->length = LIVE_LENGTH_UNKNOWN;
	return u->events->describe != NULL && u->events->describe(u, r);
}

/* Its file is made, or its bytes flow.  Else it has to wait for something first, or is
 * whole. */
static bool
may_be_cut(const struct upload *u)
{
	return u->state == UPLOAD_OPENING || u->state == UPLOAD_FLOWING ||
	       u->state == UPLOAD_DRAINING;
}

/* One that outlives its connection keeps what came: its owner sees to that. */
static void
upload_cut_here(struct roll_entry *e)
{
	struct upload *u = container_of(e, struct upload, entry);

	check_magic(u, UPLOAD_MAGIC);
	if (u->events->on_cut != NULL)
		u->events->on_cut(u); /* may free `u` */
	else if (may_be_cut(u))
		upload_fail(u, failure_of(OUTCOME_CUT, 0)); /* frees `u` */
}

static const struct roll_ops roll_ops = {
    .describe = upload_describe,
    .cut = upload_cut_here,
};

void
upload_begin_live(struct upload *u)
{
	u->entry.node.next = NULL;
	if (u->env->roll != NULL)
		roll_enter(
		    u->env->roll, &u->entry, &roll_ops, u->id, u->location);
}

void
upload_end_live(struct upload *u)
{
	if (u->env->roll != NULL)
		roll_leave(u->env->roll, &u->entry);
}
