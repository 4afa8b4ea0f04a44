#include "upload/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/trace.h"
#include "upload/env.h"
#include "upload_internal.h"

#define UPLOAD_MAGIC 0x75706c6fU

static const char *const state_names[UPLOAD_STATES] = {
    [UPLOAD_OPENING] = "opening",
    [UPLOAD_READY] = "ready",
    [UPLOAD_FLOWING] = "flowing",
    [UPLOAD_DRAINING] = "draining",
    [UPLOAD_COMMITTING] = "committing",
    [UPLOAD_OVER] = "over",
};

static const char *const event_names[UPLOAD_EVENTS] = {
    [UPLOAD_OPENED] = "opened",
    [UPLOAD_TRANSFER] = "transfer",
    [UPLOAD_LAST_BYTE] = "last byte",
    [UPLOAD_EMPTIED] = "emptied",
    [UPLOAD_COMMIT] = "commit",
    [UPLOAD_COMMITTED] = "committed",
    [UPLOAD_FAILED] = "failed",
    [UPLOAD_GONE] = "gone",
};

/* The only way to change an upload's state; `u` may be freed by it. */
static void
upload_on(struct upload *u, enum upload_event ev)
{
	check_magic(u, UPLOAD_MAGIC);
	fsm_on(&upload_table, &u->state, ev, u->id, u);
}

/* ---- what the store and the flow tell ---- */

struct upload_failed {
	struct failure why;
	const char *reason; /* NULL: there is no more to say */
};

static void
upload_fail_with(struct upload *u, struct failure why, const char *reason)
{
	const struct upload_failed failed = {why, reason};

	u->told.failed = &failed; /* in this call only */
	upload_on(u, UPLOAD_FAILED);
}

static void
upload_fail(struct upload *u, struct failure why)
{
	upload_fail_with(u, why, NULL);
}

static void
upload_on_ready(void *owner)
{
	upload_on(owner, UPLOAD_OPENED);
}

static void
upload_on_stored(void *owner, const struct stored *s)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	u->told.stored = s;
	upload_on(u, UPLOAD_COMMITTED);
}

static void
on_store_failed(void *owner, struct failure why, const char *reason)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	upload_fail_with(u, why, reason);
}

static const struct put_events put_events = {
    .on_ready = upload_on_ready,
    .on_stored = upload_on_stored,
    .on_failed = on_store_failed,
};

static void
upload_on_flow_failed(void *owner, struct failure why)
{
	upload_fail(owner, why);
}

static void
upload_on_read_all(void *owner)
{
	upload_on(owner, UPLOAD_LAST_BYTE);
}

/* A source that is to be kept has failed: its end is what was read of it. */
static void
upload_on_cut(void *owner, struct failure why)
{
	struct upload *u = owner;

	u->told.cut = why;
	flow_drain(&u->flow);
}

static void
upload_on_drained(void *owner)
{
	struct upload *u = owner;

	flow_rest(&u->flow);
	upload_on(u, UPLOAD_EMPTIED);
}

/* ---- what is done on the way ---- */

static void
upload_tell_ready(void *upload)
{
	struct upload *u = upload;

	trace_step(u->flow.link.trace, TRACE_OPEN);
	u->events->on_ready(u);
}

static void
tell_transferred(void *upload)
{
	struct upload *u = upload;

	if (u->keeps) { /* the next one may be long in coming */
		meter_read(&u->flow.meter, READER_NETWORK);
		meter_write(&u->flow.meter, WRITER_DATA);
	}
	u->events->on_transferred(u, u->told.cut);
}

static void
start_commit(void *upload)
{
	struct upload *u = upload;

	if (u->location->policy.sync)
		trace_step(u->flow.link.trace, TRACE_SYNC);
	trace_step(u->flow.link.trace, TRACE_PUBLISH);
	meter_read(&u->flow.meter, READER_DONE);
	/* What was collected is written only now: see stop_meter(). */
	meter_write(&u->flow.meter, WRITER_SYNC);
	store_commit(u->incoming, u->told.last_ns);
}

/* The times are all known now. */
static void
stop_meter(struct upload *u, const struct stored *s)
{
	meter_stop(&u->flow.meter);
	if (u->digester != NULL)
		u->flow.meter.hash_ns = digester_ns(u->digester);
	if (s->written_ns != 0)
		meter_split_sync(&u->flow.meter, s->written_ns);
}

void
upload_tell_stored(void *upload)
{
	struct upload *u = upload;
	const struct stored *s = u->told.stored;

	stop_meter(u, s);
	u->events->on_stored(u, s);
}

static void
tell_failed(void *upload)
{
	struct upload *u = upload;
	const struct upload_failed *failed = u->told.failed;

	meter_stop(&u->flow.meter); /* the rest may be a job's still */
	u->events->on_failed(u, failed->why, failed->reason);
}

/* Give back all that it has.  A commit that has begun goes on without it. */
static void
upload_release(void *upload)
{
	struct upload *u = upload;

	flow_stop(&u->flow);
	digester_free(&u->digester);
	store_abort(&u->incoming);
}

/*
 * Every move that an upload can make, and what is done on the way.  GONE is its
 * owner's giving up: before the commit nothing stays then, after it the file is still
 * stored.
 */
/* clang-format off */
static const struct fsm_square squares[UPLOAD_STATES][UPLOAD_EVENTS] = {
	[UPLOAD_OPENING] = {
		[UPLOAD_OPENED]    = { FSM_ACT, UPLOAD_READY,      upload_tell_ready  },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       tell_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       upload_release     },
	},
	[UPLOAD_READY] = {
		[UPLOAD_TRANSFER]  = { FSM_NOTHING, UPLOAD_FLOWING                    },
		[UPLOAD_COMMIT]    = { FSM_ACT, UPLOAD_COMMITTING, start_commit       },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       tell_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       upload_release     },
	},
	[UPLOAD_FLOWING] = {
		[UPLOAD_LAST_BYTE] = { FSM_NOTHING, UPLOAD_DRAINING                   },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       tell_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       upload_release     },
	},
	[UPLOAD_DRAINING] = {
		[UPLOAD_EMPTIED]   = { FSM_ACT, UPLOAD_READY,      tell_transferred   },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       tell_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       upload_release     },
	},
	[UPLOAD_COMMITTING] = {
		[UPLOAD_COMMITTED] = { FSM_ACT, UPLOAD_OVER,       upload_tell_stored },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       tell_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       upload_release     },
	},
};
/* clang-format on */

const struct fsm_table upload_table = {
    .name = "upload",
    .states = UPLOAD_STATES,
    .events = UPLOAD_EVENTS,
    .state_names = state_names,
    .event_names = event_names,
    .first = UPLOAD_OPENING,
    .final = FSM_STATE(UPLOAD_OVER),
    .squares = squares[0],
    .marked = NULL,
};

/* ---- what its owner calls ---- */

static struct trace *
begin_trace(const struct upload *u)
{
	char label[32];

	if (!u->location->trace)
		return NULL;
	snprintf(label, sizeof(label), "%ld-%" PRIu64, (long)getpid(), u->id);
	return trace_new(label, u->env->traces);
}

/* The digests that its location computes, and those that are claimed. */
static struct failure
begin_digests(struct upload *u, const struct digest_claims *claims)
{
	unsigned set = u->location->checksum | claims->set;

	if (set == 0)
		return failure_none();
	return digester_new(
	    &(struct digester_setup){
		.loop = u->env->loop,
		.engine = u->env->engine,
		.compute = u->env->compute,
		.set = set,
		.claims = claims,
		.depth = (unsigned)u->location->write_depth,
	    },
	    &u->digester);
}

static void
begin_storing(struct upload *u, const struct upload_request *r)
{
	struct failure why =
	    store_create(r->store, r->put, &put_events, u, &u->incoming);

	if (failure_is(why))
		upload_fail(u, why);
	else if (u->incoming->is_ready)
		upload_on(u, UPLOAD_OPENED);
}

void
upload_begin(struct upload *u, const struct upload_request *r)
{
	struct failure why;

	u->magic = UPLOAD_MAGIC;
	u->state = upload_table.first;
	u->incoming = NULL;
	u->digester = NULL;
	u->env = r->env;
	u->events = r->events;
	u->location = r->location;
	u->id = r->id;
	u->place = r->place;
	flow_init(&u->flow);
	u->flow.link.trace = begin_trace(u);
	why = begin_digests(u, r->claims);
	if (failure_is(why)) {
		free(r->put->pre);
		upload_fail(u, why);
	} else {
		begin_storing(u, r);
	}
}

/* Chunks that may be in writing: what the store can use of write_depth, or as
 * many as can be hashed meanwhile. */
static unsigned
write_depth(const struct upload *u)
{
	unsigned most = u->incoming->sink->depth;

	if (u->digester != NULL)
		most = 0;
	return most > 0 && most < u->location->write_depth
		   ? most
		   : (unsigned)u->location->write_depth;
}

void
upload_transfer(struct upload *u, const struct transfer *t)
{
	struct flow_setup setup = {
	    .loop = u->env->loop,
	    .pool = u->env->pool,
	    .account = u->incoming->account,
	    .source = t->source,
	    .limits = t->limits,
	    .queue_depth = t->queue_depth,
	    .sink = u->incoming->sink,
	    .tap = u->digester ? digester_tap(u->digester) : NULL,
	    .write_depth = write_depth(u),
	    .owner = u,
	    .on_read_all = upload_on_read_all,
	    .on_drained = upload_on_drained,
	    .on_read_failed = t->keep ? upload_on_cut : upload_on_flow_failed,
	    .on_write_failed = upload_on_flow_failed,
	};

	upload_on(u, UPLOAD_TRANSFER); /* nothing is done by that */
	u->told.cut = failure_none();
	u->keeps = t->keep;
	flow_start(&u->flow, &setup);
}

/* Nothing that differs from what is claimed is committed. */
void
upload_commit(struct upload *u, uint64_t last_ns)
{
	struct failure why = failure_none();

	if (u->digester != NULL)
		why = digester_finish(u->digester);
	if (failure_is(why)) {
		upload_fail(u, why);
	} else {
		u->told.last_ns = last_ns;
		upload_on(u, UPLOAD_COMMIT);
	}
}

bool
upload_is_committing(const struct upload *u)
{
	return u->state == UPLOAD_COMMITTING;
}

void
upload_end(struct upload *u, const char *last_step)
{
	if (u->state == UPLOAD_OVER)
		upload_release(u);
	else
		upload_on(u, UPLOAD_GONE); /* it is let go by that */
	trace_end(&u->flow.link.trace, last_step);
	limits_leave(u->env->limits, &u->place);
	u->magic = 0;
}

uint64_t
upload_offset(const struct upload *u)
{
	return store_offset(u->incoming);
}

const struct digest *
upload_digest(const struct upload *u)
{
	return u->digester != NULL ? digester_values(u->digester) : NULL;
}
