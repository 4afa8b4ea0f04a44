#include "flow/reader.h"

#include <stdint.h>

#include "base/clock.h"
#include "loop/watch.h"
#include "log/trace.h"
#include "flow/meter.h"
#include "flow/sink.h"
#include "flow/source.h"

#define READER_MAGIC 0x72656164U

/* A part-filled chunk is put when no byte came for so long: putting it at
 * every EAGAIN costs a third of the CPU of a fast upload. */
#define PUT_SILENCE_S 0.010
#define PUT_SILENCE_WHOLE_S 0.100 /* where the sink likes whole chunks */

/* While others wait for a chunk, a part-filled one is kept no longer than this,
 * however steadily its bytes trickle in. */
#define PUT_AGE_S 0.100

enum {
	/* A read is given spare chunks up to so much room: what a socket has
	 * is fetched in few calls, and other uploads do not wait for long. */
	READ_BYTES_MAX = 1024 * 1024,
	/* A read of so much is worth a pipe: with less at a time it is cheaper to
	 * collect in memory what is written at once. */
	PIPE_WORTH = 64 * 1024,
};

/* Comparisons of times that are due now. */
#define SLACK_S 0.001

static double
put_silence_s(const struct reader *r)
{
	return r->to->sink->whole_chunks ? PUT_SILENCE_WHOLE_S : PUT_SILENCE_S;
}

/* Set the time of the next look: the earliest of what may have to be done. */
static void
set_look(struct reader *r)
{
	double now = clock_mono_s(), left;
	double next = client_clock_left_s(&r->clock, now);

	if (r->filling != NULL) {
		left = put_silence_s(r) - (now - r->clock.last_byte);
		next = left < next ? left : next;
	}
	if (r->filling != NULL && chunk_pool_is_short(r->to->pool)) {
		left = r->filling_since + PUT_AGE_S - now;
		next = left < next ? left : next;
	}
	if (next < CLIENT_CLOCK_NEVER_S)
		deadline_set(&r->look, next);
	else
		deadline_clear(&r->look);
}

/* Wait for the source to have something. */
static void
await_source(struct reader *r)
{
	meter_read(r->to->meter, READER_NETWORK);
	client_clock_run(&r->clock);
	if (r->to->source->fd != -1)
		watch_for(r->to->loop, &r->watcher, r->to->source->wants);
	set_look(r);
}

/* Stop watching; why is the meter's to know. */
static void
pause_reading(struct reader *r, enum meter_reader why)
{
	ev_io_stop(r->to->loop, &r->watcher);
	client_clock_stop(&r->clock);
	deadline_clear(&r->look);
	meter_read(r->to->meter, why);
}

/* Read in this iteration of the loop. */
static void
go_on_reading(struct reader *r)
{
	meter_read(r->to->meter, READER_NETWORK);
	client_clock_took(&r->clock, 0);
	client_clock_run(&r->clock);
	ev_feed_event(r->to->loop, &r->watcher, EV_READ);
}

void
reader_resume(struct reader *r)
{
	check_magic(r, READER_MAGIC);
	if (!r->running || r->reading_ahead || r->pacing ||
	    list_is_linked(&r->claim.node))
		return;
	go_on_reading(r);
}

/* ---- reading ---- */

/* Put the chunk being filled; false when the queue is full now. */
static bool
put(struct reader *r)
{
	struct chunk *c = r->filling;

	r->filling = NULL;
	trace_step(r->to->trace, TRACE_PUT);
	if (queue_push(&r->to->queue, c) == QUEUE_STEADY)
		return true;
	pause_reading(r, READER_QUEUE);
	return false;
}

static void
fail(struct reader *r, struct failure why)
{
	void *owner = r->to->owner;

	r->running = false;
	chunk_stop_waiting(r->to->pool, &r->claim);
	pause_reading(r, READER_DONE);
	r->to->on_read_failed(owner, why); /* may end `r` */
}

/* The source has ended: put what is there, close the queue. */
static void
end(struct reader *r)
{
	void *owner = r->to->owner;

	if (r->filling != NULL && r->filling->len > 0)
		(void)put(r);
	if (r->filling != NULL) {
		chunk_give(r->filling);
		r->filling = NULL;
	}
	r->running = false;
	pause_reading(r, READER_DONE);
	trace_step(r->to->trace, TRACE_JOIN);
	queue_close(&r->to->queue);
	r->to->on_read_all(owner); /* may end `r` */
}

void
reader_finish(struct reader *r)
{
	check_magic(r, READER_MAGIC);
	check(!r->running);
	end(r);
}

/* Nothing more goes into the chunk being filled. */
static bool
is_full(const struct reader *r)
{
	const struct chunk *c = r->filling;

	return chunk_is_pipe(c) ? c->len > 0
				: c->len == chunk_size(r->to->pool);
}

/* What the client has sent: the `n` bytes that were read, less those that were `ahead`
 * before, and with those that are now. */
static size_t
sent(const struct reader *r, size_t n, size_t ahead)
{
	size_t all = n + r->to->source->ahead;

	return all > ahead ? all - ahead : 0;
}

/* The chunk grew by `n` bytes, or only framing was read. */
static void
took_bytes(struct reader *r, size_t n, size_t ahead)
{
	client_clock_took(&r->clock, sent(r, n, ahead));
	pace_took(&r->pace, n);
	if (r->to->source->ended) {
		end(r);
		return;
	}
	if (is_full(r) && !put(r))
		return;
	if (r->to->source->fd == -1 || r->to->source->ready)
		ev_feed_event(r->to->loop, &r->watcher, EV_READ);
	else
		await_source(r);
}

/* Make sure of a chunk; false when the pool has none now. */
static bool
have_chunk(struct reader *r)
{
	if (r->filling == NULL) {
		trace_step(r->to->trace, TRACE_NEXT);
		r->filling = chunk_take(r->to->pool, &r->claim);
		r->filling_since = clock_mono_s();
	}
	if (r->filling == NULL)
		pause_reading(r, READER_MEMORY);
	return r->filling != NULL;
}

/* For a sink that likes whole chunks a part-filled one is kept for a short
 * while. */
static bool
keeps_chunk(const struct reader *r, double wait)
{
	return r->to->sink->whole_chunks && wait < PUT_SILENCE_WHOLE_S &&
	       !chunk_pool_is_short(r->to->pool);
}

/* On with it as it is, or back when it is empty; false: the queue is full. */
static bool
part_with_chunk(struct reader *r)
{
	if (r->filling->len > 0)
		return put(r);
	chunk_give(r->filling);
	r->filling = NULL;
	return true;
}

/* Read no more for a while, and keep no chunk for long meanwhile. */
static void
begin_pause(struct reader *r)
{
	double wait = pace_pause_s(&r->pace);

	if (r->filling != NULL && !keeps_chunk(r, wait) && !part_with_chunk(r))
		return; /* again when the queue has room */
	pause_reading(r, READER_PACED);
	r->pacing = true;
	deadline_set(&r->look, wait);
}

/* Have chunks behind chunks[0], as far as the queue has room for them and nobody
 * else needs them; returns how many there are then. */
static unsigned
add_spares(struct reader *r, struct chunk **chunks)
{
	size_t size = chunk_size(r->to->pool), room = size - chunks[0]->len;
	size_t most = queue_room(&r->to->queue);
	unsigned count = 1;

	if (most > SOURCE_CHUNKS_MAX)
		most = SOURCE_CHUNKS_MAX;
	for (; count < most && room < READ_BYTES_MAX; room += size) {
		struct chunk *c = chunk_take_spare(r->to->pool, &r->claim);

		if (c == NULL)
			break;
		chunks[count++] = c;
	}
	return count;
}

/* The last of `count` chunks that has bytes, or else the first, is the one being
 * filled from now on: those before it are put, those behind it are given back. */
static void
keep_last(struct reader *r, struct chunk **chunks, unsigned count)
{
	/* The one used last comes back last, so that it is used next. */
	while (count > 1 && chunks[count - 1]->len == 0)
		chunk_give(chunks[--count]);
	for (unsigned i = 0; i + 1 < count; i++) {
		check(put(r)); /* there is room in the queue for all */
		trace_step(r->to->trace, TRACE_NEXT);
		r->filling = chunks[i + 1];
		r->filling_since = clock_mono_s();
	}
}

/* As read() of a source; the chunk being filled is another one afterwards, if that
 * is full.  *ret_bytes says how many bytes came. */
static enum source_result
read_several(struct reader *r, size_t *ret_bytes)
{
	struct source *s = r->to->source;
	struct chunk *chunks[SOURCE_CHUNKS_MAX] = {r->filling};
	size_t before = r->filling->len, after = 0;
	unsigned count = add_spares(r, chunks);
	enum source_result result =
	    s->ops->read_several(s, chunks, count, chunk_size(r->to->pool));

	for (unsigned i = 0; i < count; i++)
		after += chunks[i]->len;
	*ret_bytes = after - before;
	keep_last(r, chunks, count);
	return result;
}

/* Have an empty pipe, if it may be used and there is one; what is in memory is put
 * before. */
static bool
have_pipe(struct reader *r)
{
	const struct flow_link *to = r->to;
	bool puts = r->filling != NULL && r->filling->len > 0;
	struct chunk *c;

	if (!to->source->splices || !to->sink->takes_pipes || to->tap != NULL ||
	    r->trickles || queue_room(&to->queue) < 1U + puts)
		return false;
	c = chunk_take_pipe(to->pool, &r->claim);
	if (c == NULL)
		return false;
	if (r->filling != NULL)
		check(part_with_chunk(r));
	trace_step(to->trace, TRACE_NEXT);
	r->filling = c;
	r->filling_since = clock_mono_s();
	return true;
}

/* As read() of a source, into the pipe being filled. */
static enum source_result
read_piped(struct reader *r, size_t *ret_bytes)
{
	struct source *s = r->to->source;
	enum source_result result =
	    s->ops->splice(s, r->filling, CHUNK_PIPE_BYTES);

	*ret_bytes = r->filling->len;
	r->trickles = *ret_bytes < PIPE_WORTH;
	return result;
}

/* As read() of a source, of at most `most` bytes. */
static enum source_result
read_one(struct reader *r, size_t most, size_t *ret_bytes)
{
	struct source *s = r->to->source;
	struct chunk *c = r->filling;
	size_t size = chunk_size(r->to->pool), before = c->len;
	enum source_result result;

	if (most < size - before)
		size = before + most;
	result = s->ops->read(s, c, size, r);
	if (result == SOURCE_BYTES)
		*ret_bytes = c->len - before;
	return result;
}

/* Of at most `most` bytes, into memory. */
static enum source_result
read_memory(struct reader *r, size_t most, size_t *ret_bytes)
{
	enum source_result result = r->to->source->several && most == SIZE_MAX
					? read_several(r, ret_bytes)
					: read_one(r, most, ret_bytes);

	if (*ret_bytes >= PIPE_WORTH)
		r->trickles = false;
	return result;
}

static void
read_once(struct reader *r)
{
	size_t most = pace_allowed(&r->pace), bytes = 0;
	size_t ahead = r->to->source->ahead;
	enum source_result result;

	if (most == 0) {
		begin_pause(r);
		return;
	}
	if (most == SIZE_MAX && have_pipe(r))
		result = read_piped(r, &bytes);
	else if (have_chunk(r))
		result = read_memory(r, most, &bytes);
	else
		return;
	switch (result) {
	case SOURCE_BYTES:
		took_bytes(r, bytes, ahead);
		return;
	case SOURCE_NONE:
		if (r->filling->len == 0) {
			chunk_give(r->filling);
			r->filling = NULL;
		}
		await_source(r);
		return;
	case SOURCE_TAKEN:
		check(r->filling != NULL);
		r->filling = NULL;
		r->reading_ahead = true;
		return;
	case SOURCE_FAILED:
		fail(r, r->to->source->failure);
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
	if (r->running && !queue_is_full(&r->to->queue) && !r->reading_ahead &&
	    !r->pacing && !list_is_linked(&r->claim.node))
		read_once(r);
}

void
reader_filled(struct reader *r, struct chunk *c, struct failure why)
{
	check_magic(r, READER_MAGIC);
	check(r->reading_ahead && r->filling == NULL);

	r->reading_ahead = false;
	r->filling = c;
	if (failure_is(why))
		fail(r, why);
	else
		took_bytes(r, 0, 0); /* only a file comes so: it has no rate */
}

void
reader_failed(struct reader *r, struct failure why)
{
	check_magic(r, READER_MAGIC);
	check(failure_is(why));
	if (r->running)
		fail(r, why); /* may end `r` */
}

static void
on_grant(struct chunk_claim *claim, struct chunk *c)
{
	struct reader *r = container_of(claim, struct reader, claim);

	check_magic(r, READER_MAGIC);
	check(r->filling == NULL);
	r->filling = c;
	client_clock_took(&r->clock, 0);
	r->filling_since = r->clock.last_byte;
	check(!queue_is_full(&r->to->queue)); /* only this reader fills it */
	meter_read(r->to->meter, READER_NETWORK);
	client_clock_run(&r->clock);
	read_once(r);
}

/* Nothing came for put_silence_s(): put what is there; an empty chunk goes back
 * to the pool. */
static void
put_what_is_there(struct reader *r)
{
	if (r->filling->len == 0) { /* only framing came with it */
		chunk_give(r->filling);
		r->filling = NULL;
	} else if (put(r)) {
		trace_step(r->to->trace, TRACE_NEXT);
	}
}

/* Do others wait for what this one keeps for long? */
static bool
is_overdue(const struct reader *r)
{
	return chunk_pool_is_short(r->to->pool) &&
	       clock_mono_s() - r->filling_since + SLACK_S >= PUT_AGE_S;
}

/* Bytes are there already: then this process is late, not the client. */
static bool
has_bytes(const struct reader *r)
{
	struct source *s = r->to->source;

	return s->ready || (s->ops->has_bytes != NULL && s->ops->has_bytes(s));
}

/* The source is too slow, it seems. */
static void
blame_source(struct reader *r, enum outcome e)
{
	if (!has_bytes(r)) {
		fail(r, failure_of(e, 0));
		return;
	}
	client_clock_forgive(&r->clock);
	set_look(r);
}

/* The end of a pause, or time to look at the clocks. */
static void
reader_on_look(struct deadline *d)
{
	struct reader *r = container_of(d, struct reader, look);
	double now = clock_mono_s(), silent = now - r->clock.last_byte;

	check_magic(r, READER_MAGIC);
	if (r->pacing) {
		r->pacing = false;
		go_on_reading(r);
		return;
	}
	if (r->filling != NULL &&
	    (silent + SLACK_S >= put_silence_s(r) || is_overdue(r))) {
		put_what_is_there(r);
		if (queue_is_full(&r->to->queue))
			return;
	}
	switch (client_clock_judge(&r->clock, now)) {
	case CLIENT_IN_TIME:
		set_look(r);
		return;
	case CLIENT_SILENT:
		blame_source(r, OUTCOME_TOO_SLOW);
		return;
	case CLIENT_SLOW:
		blame_source(r, OUTCOME_BELOW_RATE);
		return;
	}
}

/* Go on where the last reader of this client has stopped: its time has stood since. */
static void
recall(struct reader *r, struct reader_past *past)
{
	r->past = past;
	if (past == NULL || !past->began)
		return;
	r->clock = past->clock;
	client_clock_took(&r->clock, 0);
	client_clock_run(&r->clock);
	r->pace = past->pace;
}

static void
remember(struct reader *r)
{
	if (r->past == NULL)
		return;
	client_clock_stop(&r->clock);
	*r->past = (struct reader_past){true, r->clock, r->pace};
}

void
reader_start(struct reader *r, struct flow_link *to,
    struct chunk_account *account, const struct reader_limits *limits)
{
	*r = (struct reader){.magic = READER_MAGIC, .to = to};
	r->claim.account = account;
	r->claim.on_grant = on_grant;
	r->running = true;
	client_clock_init(&r->clock, &limits->client);
	pace_init(&r->pace, limits->rate_max, r->clock.last_byte);
	recall(r, limits->past);
	ev_io_init(&r->watcher, on_readable, to->source->fd, EV_READ);
	r->watcher.data = r;
	deadline_init(&r->look, to->loop, reader_on_look);
	meter_read(to->meter, READER_NETWORK);
	ev_feed_event(to->loop, &r->watcher, EV_READ);
}

void
reader_stop(struct reader *r)
{
	if (r->magic == 0)
		return;
	check_magic(r, READER_MAGIC);
	remember(r);
	r->running = false;
	ev_io_stop(r->to->loop, &r->watcher);
	ev_clear_pending(r->to->loop, &r->watcher);
	deadline_fini(&r->look);
	chunk_stop_waiting(r->to->pool, &r->claim);
	if (r->reading_ahead)
		r->to->source->ops->abandon(r->to->source);
	if (r->filling != NULL)
		chunk_give(r->filling);
	r->filling = NULL;
	r->magic = 0;
}
