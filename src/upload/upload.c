#include "upload/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "shared/metrics.h"
#include "log/trace.h"
#include "upload/env.h"
#include "upload_internal.h"

/* ---- what the flow tells ---- */

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

/* ---- what its owner calls ---- */

static struct trace *
begin_trace(const struct upload *u)
{
	char label[32];

	if (!u->location->trace)
		return NULL;
	snprintf(label, sizeof(label), "%" PRIu64, u->id);
	return trace_new(label, u->env->traces);
}

/* The digests that its location computes, and those that are claimed. */
static void
want_digests(struct upload *u, const struct digest_claims *claims)
{
	upload_digests_want(&u->digests, u->location->checksum, claims,
	    (unsigned)u->location->write_depth, u->partial[0] != '\0');
}

static void
begin_storing(struct upload *u, const struct upload_request *r)
{
	struct failure why =
	    store_create(r->store, r->put, &upload_put_events, u, &u->incoming);

	if (failure_is(why))
		upload_fail(u, why);
	else if (u->incoming->is_ready)
		upload_on(u, UPLOAD_OPENED);
}

static void
upload_init(struct upload *u, const struct upload_request *r, const char *id)
{
	u->magic = UPLOAD_MAGIC;
	u->table = &upload_table;
	u->state = upload_table.first;
	u->incoming = NULL;
	upload_digests_init(&u->digests);
	u->env = r->env;
	u->events = r->events;
	u->location = r->location;
	u->id = r->id;
	u->place = r->place;
	u->is_told = u->is_awaited = false;
	u->store = r->store;
	u->partial[0] = '\0';
	u->hold.node.next = u->wait.node.next = NULL;
	if (id != NULL) {
		check(partial_is_id(id, strlen(id)));
		memcpy(u->partial, id, sizeof(u->partial));
		u->since_ns = clock_mono_ns();
	}
	flow_init(&u->flow);
	u->flow.link.trace = begin_trace(u);
	upload_begin_live(u);
	if (u->env->counted != NULL)
		metrics_move(u->env->counted, METRICS_UPLOADS, true);
}

void
upload_begin(struct upload *u, const struct upload_request *r)
{
	const struct partial *p = r->put->partial;
	struct failure why = failure_none();

	upload_init(u, r, p != NULL ? p->id : NULL);
	want_digests(u, r->claims);
	if (p == NULL)
		why = upload_digests_begin(&u->digests, u->env, NULL, 0);
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

	if (u->digests.digester != NULL)
		most = 0;
	return most > 0 && most < u->location->write_depth
		   ? most
		   : (unsigned)u->location->write_depth;
}

static void
start_flow(struct upload *u, const struct transfer *t)
{
	struct digester *d = u->digests.digester;
	struct flow_setup setup = {
	    .loop = u->env->loop,
	    .pool = u->env->pool,
	    .account = u->incoming->account,
	    .source = t->source,
	    .limits = t->limits,
	    .queue_depth = t->queue_depth,
	    .sink = u->incoming->sink,
	    .tap = d != NULL ? digester_tap(d) : NULL,
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

void
upload_transfer(struct upload *u, const struct transfer *t)
{
	struct failure why = upload_digests_begin(
	    &u->digests, u->env, t->claims, upload_offset(u));

	if (failure_is(why))
		upload_fail(u, why);
	else
		start_flow(u, t);
}

void
upload_cut(struct upload *u, struct failure why)
{
	check(u->keeps && failure_is(why));
	if (u->state == UPLOAD_FLOWING)
		u->told.cut = why;
	upload_on(u, UPLOAD_CUT);
}

/* Nothing that differs from what is claimed is committed. */
void
upload_commit(struct upload *u, uint64_t last_ns)
{
	struct failure why;

	u->told.last_ns = last_ns;
	if (upload_digests_need_reading(&u->digests, upload_offset(u))) {
		upload_on(u, UPLOAD_HASH);
		return;
	}
	why = upload_digests_end_whole(&u->digests, upload_offset(u));
	if (failure_is(why))
		upload_fail(u, why);
	else
		upload_on(u, UPLOAD_COMMIT);
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

bool
upload_settle(struct upload *u, void *owner,
    void (*on_done)(void *owner, int err), struct store_task **ret)
{
	check(u->state == UPLOAD_READY);
	return store_settle(u->incoming, owner, on_done, ret);
}

uint64_t
upload_offset(const struct upload *u)
{
	return store_offset(u->incoming);
}

uint64_t
upload_given(const struct upload *u)
{
	return u->incoming != NULL ? store_offset(u->incoming) : 0;
}

const struct digest *
upload_digest(const struct upload *u)
{
	return upload_digests_values(&u->digests);
}

const struct digest *
upload_part_digest(const struct upload *u)
{
	return upload_digests_part(&u->digests);
}

/* ---- one that outlives its connection ---- */

void
upload_resume(struct upload *u, const struct upload_request *r)
{
	upload_init(u, r, r->partial);
	upload_on(u, UPLOAD_RESUME);
}

void
upload_await(struct upload *u)
{
	upload_on(u, UPLOAD_AWAIT);
}

/* It is there for good once it is open, and has a phase. */
const struct partial *
upload_partial(const struct upload *u)
{
	check_magic(u, UPLOAD_MAGIC);
	return u->incoming != NULL ? u->incoming->partial : NULL;
}

void
upload_append(struct upload *u, const struct put_request *put,
    const struct digest_claims *claims)
{
	want_digests(u, claims);
	u->told.append = put;
	upload_on(u, UPLOAD_APPEND);
}

void
upload_suspend(struct upload *u, const struct partial *what)
{
	u->told.suspend = what;
	upload_on(u, UPLOAD_SUSPEND);
}

void
upload_conclude(struct upload *u, enum partial_phase phase, struct span answer)
{
	check_magic(u, UPLOAD_MAGIC);
	check(u->incoming != NULL && u->incoming->partial != NULL);
	if (u->state != UPLOAD_OVER)
		upload_on(u, UPLOAD_CONCLUDE); /* nothing is done by that */
	store_conclude(u->incoming, phase, answer);
}

void
upload_remove(struct upload *u)
{
	upload_on(u, UPLOAD_REMOVE);
}
