/* What is done on the way of an upload; upload_table.c says when. */
#include "shared/metrics.h"
#include "log/trace.h"
#include "upload/env.h"
#include "upload_internal.h"

void
upload_tell_ready(void *upload)
{
	struct upload *u = upload;

	trace_step(u->flow.link.trace, TRACE_OPEN);
	upload_begin_hold(u);
	u->events->on_ready(u);
}

/* A part that is cut, or not what is claimed, has no digest. */
static void
end_part(struct upload *u)
{
	if (failure_is(u->told.cut))
		upload_digests_cut(&u->digests);
	else
		u->told.cut =
		    upload_digests_end(&u->digests, store_offset(u->incoming));
}

void
upload_tell_transferred(void *upload)
{
	struct upload *u = upload;

	end_part(u);
	if (u->keeps) { /* the next one may be long in coming */
		meter_read(&u->flow.meter, READER_NETWORK);
		meter_write(&u->flow.meter, WRITER_DATA);
	}
	u->events->on_transferred(u, u->told.cut);
}

/* As if its source had failed. */
void
upload_cut_source(void *upload)
{
	struct upload *u = upload;

	flow_cut(&u->flow, u->told.cut);
}

void
upload_start_commit(void *upload)
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
	u->flow.meter.hash_ns = upload_digests_ns(&u->digests);
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

void
upload_tell_failed(void *upload)
{
	struct upload *u = upload;
	const struct upload_failed *failed = u->told.failed;

	meter_stop(&u->flow.meter); /* the rest may be a job's still */
	u->events->on_failed(u, failed->why, failed->reason);
}

/* Give back all that it has.  A commit that has begun goes on without it. */
void
upload_release(void *upload)
{
	struct upload *u = upload;

	upload_end_live(u);
	takeover_end(&u->wait);
	flow_stop(&u->flow);
	store_abort(&u->incoming);
	upload_end_hold(u);
	upload_digests_fini(&u->digests);
	if (u->env->counted != NULL)
		metrics_move(u->env->counted, METRICS_UPLOADS, false);
}
