#include "web/put.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/digester.h"
#include "flow/flow.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "web/handshake.h"
#include "web/limit_text.h"
#include "web/outcome.h"
#include "web/receipt.h"
#include "upload_internal.h"

#define UPLOAD_MAGIC 0x75706c6fU

static const char *const state_names[UPLOAD_STATES] = {
    [UPLOAD_OPENING] = "opening",
    [UPLOAD_FLOWING] = "flowing",
    [UPLOAD_DRAINING] = "draining",
    [UPLOAD_COMMITTING] = "committing",
    [UPLOAD_OVER] = "over",
};

static const char *const event_names[UPLOAD_EVENTS] = {
    [UPLOAD_OPENED] = "opened",
    [UPLOAD_LAST_BYTE] = "last byte",
    [UPLOAD_EMPTIED] = "emptied",
    [UPLOAD_COMMITTED] = "committed",
    [UPLOAD_FAILED] = "failed",
    [UPLOAD_GONE] = "gone",
};

struct upload {
	unsigned magic;
	unsigned state; /* enum upload_state */
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	struct incoming *incoming;   /* NULL: not begun, or done with */
	const struct stored *stored; /* while it is told that it is stored */
	struct flow flow;
	struct digester *digester; /* NULL: no digest is wanted */
	limits_entry place;	   /* among max_uploads; 0: not counted */
	uint64_t id;
	bool named; /* by its client */
	enum outcome outcome;
	int err; /* the cause of `outcome`, for the log */
	char name[];
};

/* The only way to change an upload's state; `u` may be freed by it. */
static void
upload_on(struct upload *u, enum upload_event ev)
{
	check_magic(u, UPLOAD_MAGIC);
	fsm_on(&upload_table, &u->state, ev, u->id, u);
}

/* ---- what the others tell ---- */

static void
upload_fail(struct upload *u, struct failure why)
{
	u->outcome = why.outcome;
	u->err = why.err;
	upload_on(u, UPLOAD_FAILED);
}

static void
on_ready(void *owner)
{
	upload_on(owner, UPLOAD_OPENED);
}

static void
on_stored(void *owner, const struct stored *s)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	u->stored = s;
	upload_on(u, UPLOAD_COMMITTED);
}

static void
on_store_failed(void *owner, int err)
{
	struct upload *u = owner;

	check_magic(u, UPLOAD_MAGIC);
	upload_fail(u, outcome_of_put(err, u->incoming->cause));
}

static const struct put_events put_events = {
    .on_ready = on_ready,
    .on_stored = on_stored,
    .on_failed = on_store_failed,
};

static void
upload_on_read_all(void *owner)
{
	struct upload *u = owner;

	if (u->incoming->came.head_ns != 0)
		u->incoming->came.last_ns = exchange_would_come_ns(u->exchange);
	upload_on(u, UPLOAD_LAST_BYTE);
}

/* Nothing that differs from what its client claims is committed. */
static void
upload_on_drained(void *owner)
{
	struct upload *u = owner;
	int err = u->digester != NULL ? digester_finish(u->digester) : 0;

	if (err == -EBADMSG)
		upload_fail(u, failure_of(OUTCOME_DIGEST_DIFFERS, 0));
	else if (err < 0)
		upload_fail(u, failure_of_errno(err));
	else
		upload_on(u, UPLOAD_EMPTIED);
}

static void
upload_on_flow_failed(void *owner, struct failure why)
{
	upload_fail(owner, why);
}

/* It ends without a response.  A file that is being committed may still get its
 * name. */
static enum outcome
upload_on_gone(void *owner)
{
	struct upload *u = owner;
	enum outcome e = u->state == UPLOAD_COMMITTING ? OUTCOME_OUTCOME_UNKNOWN
						       : OUTCOME_STOPPED;

	u->outcome = e;
	upload_on(u, UPLOAD_GONE);
	return e;
}

/* A file that is being committed may get its name at any time. */
static bool
on_stop(void *owner)
{
	struct upload *u = owner;

	if (u->state == UPLOAD_COMMITTING)
		return false;
	(void)upload_on_gone(u);
	return true;
}

static const struct exchange_ops upload_ops = {
    .on_gone = upload_on_gone,
    .on_stop = on_stop,
};

/* ---- what is done on the way ---- */

/* Free all that the upload has; a response, if there is one, is sent after. */
static void
upload_release(struct upload *u, const char *last_step)
{
	flow_stop(&u->flow);
	digester_free(&u->digester);
	store_abort(&u->incoming);
	trace_end(&u->flow.trace, last_step);
	limits_leave(u->context->uploads.limits, &u->place);
	u->magic = 0;
	free(u);
}

/* Chunks that may be in writing: what the store can use of write_depth, or as
 * many as can be hashed meanwhile. */
static unsigned
write_depth(const struct upload *u)
{
	unsigned most = u->incoming->write_depth;

	if (u->digester != NULL)
		most = 0;
	return most > 0 && most < u->location->write_depth
		   ? most
		   : (unsigned)u->location->write_depth;
}

static void
start_flow(void *owner)
{
	struct upload *u = owner;

	trace_step(u->flow.trace, TRACE_OPEN);
	exchange_continue(u->exchange);
	if (flow_start(&u->flow,
		&(struct flow_setup){
		    .loop = u->context->loop,
		    .pool = u->context->pool,
		    .account = u->incoming->account,
		    .source = exchange_body(u->exchange),
		    .sink = &u->incoming->sink,
		    .tap = u->digester ? digester_tap(u->digester) : NULL,
		    .queue_depth = u->location->queue_depth,
		    .write_depth = write_depth(u),
		    .limits =
			{
			    .client.silence_s =
				u->context->conf->body_timeout_s,
			    .client.rate_min = u->location->min_rate,
			    .client.rate_min_for_s =
				u->location->min_rate_grace_s,
			    .rate_max = u->location->limit_rate,
			},
		    .owner = u,
		    .on_read_all = upload_on_read_all,
		    .on_drained = upload_on_drained,
		    .on_read_failed = upload_on_flow_failed,
		    .on_write_failed = upload_on_flow_failed,
		}) < 0)
		upload_fail(u, failure_of_errno(-ENOMEM));
}

static void
start_commit(void *owner)
{
	struct upload *u = owner;

	if (u->location->policy.sync)
		trace_step(u->flow.trace, TRACE_SYNC);
	trace_step(u->flow.trace, TRACE_PUBLISH);
	/* What was collected is written only now: see stop_meter(). */
	meter_write(&u->flow.meter, WRITER_SYNC);
	store_commit(u->incoming);
}

static struct receipt
receipt_of(const struct upload *u, const char *location)
{
	return (struct receipt){
	    .name = u->name,
	    .location = location,
	    .bytes = exchange_body_bytes(u->exchange),
	    .meter = &u->flow.meter,
	    .durability = u->stored->durability,
	    .digest = u->digester ? digester_values(u->digester) : NULL,
	    .info = &u->stored->info,
	};
}

/* The times are all known now. */
static void
stop_meter(struct upload *u)
{
	meter_stop(&u->flow.meter);
	if (u->digester != NULL)
		u->flow.meter.hash_ns = digester_ns(u->digester);
	if (u->stored->written_ns != 0)
		meter_split_sync(&u->flow.meter, u->stored->written_ns);
}

void
upload_answer_stored(void *owner)
{
	struct upload *u = owner;
	struct exchange *x = u->exchange;
	struct response r = {.content_type = "application/json"};
	struct str location = {0};
	struct receipt receipt;

	stop_meter(u);
	u->outcome = u->stored->replaced ? OUTCOME_REPLACED : OUTCOME_STORED;
	r.status = answer_status(u->outcome);
	if (u->stored->superseded)
		u->outcome = OUTCOME_SUPERSEDED;
	if (u->named && u->outcome == OUTCOME_STORED)
		handshake_note(x, u->location, u->name, &u->stored->info);
	if (strcmp(u->location->prefix, "/") != 0)
		str_puts(&location, u->location->prefix);
	str_puts(&location, "/");
	names_encode(u->name, &location);
	receipt = receipt_of(u, location.s);
	receipt_respond(&receipt, &r);
	r.outcome = u->outcome;
	exchange_measured(x, &u->flow.meter, receipt.digest != NULL, u->name);
	upload_release(u, "Done");
	exchange_respond(x, &r);
	str_fini(&location);
}

/* What the client is told of an upload that ended with `e`. */
static void
describe_failure(const struct upload *u, enum outcome e, struct response *r)
{
	const char *why = NULL;
	char limit[LIMIT_TEXT_MAX];

	if (e == OUTCOME_BAD_FRAMING)
		why = exchange_body_problem(u->exchange);
	else if (e == OUTCOME_PRECONDITION && u->incoming != NULL)
		why = u->incoming->why;
	if (why != NULL)
		response_problem(r, answer_status(e), "%s", why);
	else
		answer_problem(e,
		    &(struct answer_context){.prefix = u->location->prefix,
			.limit =
			    limit_text(e, u->context->conf, u->location, limit),
			.name = u->name},
		    r);
	r->outcome = e;
}

static void
answer_failed(void *owner)
{
	struct upload *u = owner;

	struct exchange *x = u->exchange;
	enum outcome e = u->outcome;
	bool leaves = answer_status(e) == 0; /* the client has gone */
	struct response r = {0};

	context_note_failure(u->context, u->location, "upload", u->id, u->name,
	    failure_of(e, u->err));
	if (!leaves)
		describe_failure(u, e, &r);
	/* The rest may be a job's still. */
	meter_stop(&u->flow.meter);
	exchange_measured(x, &u->flow.meter, false, u->name);
	upload_release(u, outcome_word(e));
	if (leaves)
		exchange_leave(x, e);
	else
		exchange_respond(x, &r);
}

/* There is no response to send.  A commit that has begun goes on without us. */
static void
forget(void *owner)
{
	struct upload *u = owner;

	upload_release(u, outcome_word(u->outcome));
}

/*
 * Every move that an upload can make, and what is done on the way.  A client
 * that leaves before the last byte leaves nothing behind; one that leaves
 * after it still gets its file stored.  (GONE while DRAINING is this server's
 * end, not the client's.)
 */
/* clang-format off */
static const struct fsm_square squares[UPLOAD_STATES][UPLOAD_EVENTS] = {
	[UPLOAD_OPENING] = {
		[UPLOAD_OPENED]    = { FSM_ACT, UPLOAD_FLOWING,    start_flow           },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       answer_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       forget               },
	},
	[UPLOAD_FLOWING] = {
		[UPLOAD_LAST_BYTE] = { FSM_NOTHING, UPLOAD_DRAINING                     },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       answer_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       forget               },
	},
	[UPLOAD_DRAINING] = {
		[UPLOAD_EMPTIED]   = { FSM_ACT, UPLOAD_COMMITTING, start_commit         },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       answer_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       forget               },
	},
	[UPLOAD_COMMITTING] = {
		[UPLOAD_COMMITTED] = { FSM_ACT, UPLOAD_OVER,       upload_answer_stored },
		[UPLOAD_FAILED]    = { FSM_ACT, UPLOAD_OVER,       answer_failed        },
		[UPLOAD_GONE]      = { FSM_ACT, UPLOAD_OVER,       forget               },
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

/* ---- the beginning ---- */

static struct trace *
begin_trace(const struct upload *u)
{
	char label[32];

	if (!u->location->trace)
		return NULL;
	snprintf(label, sizeof(label), "%ld-%" PRIu64, (long)getpid(), u->id);
	return trace_new(label, u->context->traces);
}

static struct upload *
upload_new(const struct upload_request *r)
{
	size_t len = strlen(r->name);
	struct upload *u = malloc(sizeof(*u) + len + 1);

	if (u == NULL)
		return NULL;
	*u =
	    (struct upload){.magic = UPLOAD_MAGIC, .state = upload_table.first};
	u->context = r->context;
	u->exchange = r->exchange;
	u->location = r->location;
	u->id = exchange_id(r->exchange);
	u->named = r->named;
	u->place = r->place;
	memcpy(u->name, r->name, len + 1);
	flow_init(&u->flow);
	u->flow.trace = begin_trace(u);
	return u;
}

/* For the store, which judges on a thread what has the name then. */
static bool
do_hold(const void *preconditions, const struct object_info *existing,
    const char **ret_why)
{
	return preconditions_hold(preconditions, existing, ret_why);
}

/* Ask the store for a file.  The head is needed no longer than for that. */
static void
begin_storing(struct upload *u, const struct upload_request *r)
{
	const struct head *h = exchange_head(u->exchange);
	struct put_request request = {
	    .name = u->name,
	    .length = h->has_length ? h->content_length : STORE_LENGTH_UNKNOWN,
	    .collect = h->has_length && !h->expect_continue,
	    .terms = r->preconditions,
	    .terms_hold = r->preconditions != NULL ? do_hold : NULL,
	};
	char first[OBJECT_ETAG_SIZE];
	int err;

	/* No other upload can have a generated name. */
	if (u->named && u->location->policy.overwrite)
		request.head_ns = exchange_came_ns(u->exchange);
	if (u->named &&
	    handshake_follows(u->exchange, u->location, u->name, h, first))
		request.forerunner = first;
	exchange_drop_head(u->exchange);
	err = store_create(context_store(u->context, u->location), &request,
	    &put_events, u, &u->incoming);
	if (err < 0)
		upload_fail(u, outcome_of_put(err, 0));
	else if (err > 0)
		upload_on(u, UPLOAD_OPENED);
}

/* The digests that its location computes, and those that its client claims. */
static int
begin_digests(struct upload *u, const struct digest_claims *claims)
{
	unsigned set = u->location->checksum | claims->set;

	if (set == 0)
		return 0;
	return digester_new(
	    &(struct digester_setup){
		.loop = u->context->loop,
		.engine = u->context->engine,
		.compute = u->context->compute,
		.set = set,
		.claims = claims,
		.depth = (unsigned)u->location->write_depth,
	    },
	    &u->digester);
}

static void
begin_hashing(struct upload *u, const struct upload_request *r)
{
	int err = begin_digests(u, r->claims);

	if (err == 0) {
		begin_storing(u, r);
		return;
	}
	free(r->preconditions);
	if (err == -EOPNOTSUPP)
		upload_fail(u, failure_of(OUTCOME_NO_DIGEST, 0));
	else
		upload_fail(u, failure_of(OUTCOME_NO_MEMORY, err));
}

bool
upload_start(const struct upload_request *r)
{
	struct upload *u = upload_new(r);

	if (u == NULL)
		return false;
	exchange_take(r->exchange, &upload_ops, u);
	begin_hashing(u, r);
	return true;
}
