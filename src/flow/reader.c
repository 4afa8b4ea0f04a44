#include "flow/reader.h"

#include <errno.h>

#include "flow/writer.h"

#define READER_MAGIC 0x72656164U

/* A part-filled chunk is put when nothing came for so long: putting it at
 * every EAGAIN costs a third of the CPU of a fast upload. */
#define PUT_SILENCE_S 0.010

/* While others wait for a chunk, nobody keeps a part-filled one for longer,
 * however steadily it trickles in. */
#define PUT_AGE_S 0.100

/* Look at the silence again in `after` seconds. */
static void
watch_silence(struct reader *r, double after)
{
	ev_timer_stop(r->to.loop, &r->silence);
	ev_timer_set(&r->silence, after, 0.);
	ev_timer_start(r->to.loop, &r->silence);
	r->looks_soon = r->filling != NULL;
}

/* Wait for the source to have something.  The timer is not set anew for every
 * packet, only when it would look too late. */
static void
await_source(struct reader *r)
{
	meter_read(r->to.meter, READER_NETWORK);
	if (r->to.source->fd != -1 && !ev_is_active(&r->watcher))
		ev_io_start(r->to.loop, &r->watcher);
	if (r->filling != NULL && !(ev_is_active(&r->silence) && r->looks_soon))
		watch_silence(r, PUT_SILENCE_S);
	else if (!ev_is_active(&r->silence) && r->to.silence_max_s > 0)
		watch_silence(r, r->to.silence_max_s);
}

/* Stop watching; why is the meter's to know. */
static void
pause_reading(struct reader *r, enum meter_reader why)
{
	ev_io_stop(r->to.loop, &r->watcher);
	ev_timer_stop(r->to.loop, &r->silence);
	meter_read(r->to.meter, why);
}

void
reader_resume(struct reader *r)
{
	check_magic(r, READER_MAGIC);
	if (!r->running || r->reading_ahead || list_is_linked(&r->claim.node))
		return;
	meter_read(r->to.meter, READER_NETWORK);
	r->last_byte = ev_now(r->to.loop);
	ev_feed_event(r->to.loop, &r->watcher, EV_READ);
}

/* Put the chunk being filled; false when the queue is full now. */
static bool
put(struct reader *r)
{
	struct chunk *c = r->filling;

	r->filling = NULL;
	r->asked = false;
	trace_step(r->to.trace, TRACE_READER, "put()");
	if (queue_push(r->to.queue, c) == QUEUE_STEADY) {
		writer_wake(r->to.writer);
		return true;
	}
	writer_wake(r->to.writer);
	pause_reading(r, READER_QUEUE);
	return false;
}

static void
fail(struct reader *r, int err)
{
	void *owner = r->to.owner;

	r->running = false;
	pause_reading(r, READER_DONE);
	r->to.on_failed(owner, err); /* may end `r` */
}

/* The source has ended: put what is there, close the queue. */
static void
end(struct reader *r)
{
	void *owner = r->to.owner;

	if (r->filling != NULL && r->filling->len > 0)
		(void)put(r);
	if (r->filling != NULL) {
		chunk_give(r->filling);
		r->filling = NULL;
	}
	queue_close(r->to.queue);
	r->running = false;
	pause_reading(r, READER_DONE);
	trace_step(r->to.trace, TRACE_READER, "join()");
	writer_wake(r->to.writer);
	r->to.on_ended(owner); /* may end `r` */
}

/* The chunk grew, or only framing was read. */
static void
took_bytes(struct reader *r)
{
	r->last_byte = ev_now(r->to.loop);
	if (r->to.source->ended) {
		end(r);
		return;
	}
	if (r->filling->len == chunk_size(r->to.pool) && !put(r))
		return;
	if (r->to.source->fd == -1 || r->to.source->ready)
		ev_feed_event(r->to.loop, &r->watcher, EV_READ);
	else
		await_source(r);
}

/* Make sure of a chunk; false when the pool has none now. */
static bool
have_chunk(struct reader *r)
{
	if (r->filling == NULL) {
		if (!r->asked)
			trace_step(
			    r->to.trace, TRACE_READER, "stream().next()");
		r->asked = true;
		r->filling = chunk_take(r->to.pool, &r->claim);
		r->filling_since = ev_now(r->to.loop);
	}
	if (r->filling == NULL)
		pause_reading(r, READER_MEMORY);
	return r->filling != NULL;
}

static void
read_once(struct reader *r)
{
	struct source *s = r->to.source;
	struct chunk *c;

	if (!have_chunk(r))
		return;
	switch (s->ops->read(s, r->filling, chunk_size(r->to.pool), r)) {
	case SOURCE_BYTES:
		took_bytes(r);
		return;
	case SOURCE_NONE:
		if (r->filling->len == 0) {
			chunk_give(r->filling);
			r->filling = NULL;
		}
		await_source(r);
		return;
	case SOURCE_TAKEN:
		c = r->filling;
		check(c != NULL);
		r->filling = NULL;
		r->reading_ahead = true;
		return;
	case SOURCE_FAILED:
		fail(r, s->err);
		return;
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct reader *r = w->data;

	(void)loop;
	(void)revents;
	check_magic(r, READER_MAGIC);
	if (r->running && !queue_is_full(r->to.queue) && !r->reading_ahead &&
	    !list_is_linked(&r->claim.node))
		read_once(r);
}

void
reader_filled(struct reader *r, struct chunk *c, int res)
{
	check_magic(r, READER_MAGIC);
	check(r->reading_ahead && r->filling == NULL);

	r->reading_ahead = false;
	r->filling = c;
	if (res < 0)
		fail(r, res);
	else
		took_bytes(r);
}

static void
on_grant(struct chunk_claim *claim, struct chunk *c)
{
	struct reader *r = container_of(claim, struct reader, claim);

	check_magic(r, READER_MAGIC);
	check(r->filling == NULL);
	r->filling = c;
	r->filling_since = r->last_byte = ev_now(r->to.loop);
	check(!queue_is_full(r->to.queue)); /* nobody else fills it */
	meter_read(r->to.meter, READER_NETWORK);
	read_once(r);
}

/* Nothing came for PUT_SILENCE_S: what is there goes on its way, and who has
 * nothing holds no chunk. */
static void
put_what_is_there(struct reader *r)
{
	if (r->filling->len == 0) { /* only framing came with it */
		chunk_give(r->filling);
		r->filling = NULL;
	} else if (put(r)) {
		trace_step(r->to.trace, TRACE_READER, "stream().next()");
		r->asked = true;
	}
}

/* Do others wait for what this one keeps for long? */
static bool
is_overdue(const struct reader *r)
{
	return chunk_pool_is_short(r->to.pool) &&
	       ev_now(r->to.loop) - r->filling_since >= PUT_AGE_S;
}

/* Nothing was read for a while, or it only looks so. */
static void
on_silence(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct reader *r = w->data;
	double silent = ev_now(loop) - r->last_byte;
	double limit = r->to.silence_max_s;

	(void)revents;
	check_magic(r, READER_MAGIC);
	if (r->filling != NULL) {
		if (silent < PUT_SILENCE_S && !is_overdue(r)) {
			watch_silence(r, PUT_SILENCE_S - silent);
			return;
		}
		put_what_is_there(r);
		if (queue_is_full(r->to.queue))
			return;
	}
	if (limit <= 0)
		return;
	if (silent >= limit)
		fail(r, -ETIMEDOUT);
	else
		watch_silence(r, limit - silent);
}

void
reader_start(struct reader *r, const struct reader_setup *setup)
{
	*r = (struct reader){.magic = READER_MAGIC, .to = *setup};
	r->claim.account = setup->account;
	r->claim.on_grant = on_grant;
	r->running = true;
	r->last_byte = ev_now(setup->loop);
	ev_io_init(&r->watcher, on_readable, setup->source->fd, EV_READ);
	r->watcher.data = r;
	ev_timer_init(&r->silence, on_silence, 0., 0.);
	r->silence.data = r;
	meter_read(setup->meter, READER_NETWORK);
	ev_feed_event(setup->loop, &r->watcher, EV_READ);
}

void
reader_stop(struct reader *r)
{
	if (r->magic == 0)
		return;
	check_magic(r, READER_MAGIC);
	r->running = false;
	ev_io_stop(r->to.loop, &r->watcher);
	ev_clear_pending(r->to.loop, &r->watcher);
	ev_timer_stop(r->to.loop, &r->silence);
	chunk_stop_waiting(r->to.pool, &r->claim);
	if (r->reading_ahead)
		r->to.source->ops->abandon(r->to.source);
	if (r->filling != NULL)
		chunk_give(r->filling);
	r->filling = NULL;
	r->magic = 0;
}
