/*
 * A flow between a source and a sink that are made up: what comes out is what
 * went in, back-pressure holds, and whatever ends it, and when, no chunk is
 * lost.
 */
#include "flow/flow.h"

#include <errno.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "set_clock.h"

enum {
	SIZE = 1024, /* of a chunk */
	BUDGET = 64,
	BODY = 40 * 1024 + 123,
	PATIENCE_S = 5,
	TURN_US = 4, /* what a turn of the loop takes */
};

static struct faked_flow f;

static int
set_up(void **state)
{
	(void)state;
	faked_flow_set_up(&f, SIZE, BUDGET);
	set_clock_turn_ns = TURN_US * UINT64_C(1000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	faked_flow_tear_down(&f);
	return 0;
}

static void
start(size_t queue_depth, unsigned write_depth,
    const struct reader_limits *limits)
{
	test_flow_start(&f.t, &f.l,
	    &(struct flow_setup){
		.source = &f.source.source,
		.sink = &f.sink.sink,
		.queue_depth = queue_depth,
		.write_depth = write_depth,
		.limits = *limits,
	    });
}

static void
begin(bool takes, size_t queue_depth, unsigned write_depth)
{
	f.t.on_end = NULL;
	fake_source_begin(&f.source, BODY, takes);
	f.source.seed = (unsigned)queue_depth * 10 + write_depth;
	fake_sink_begin(&f.sink, BODY, write_depth);
	start(queue_depth, write_depth, &(struct reader_limits){0});
}

/* End it from within the callback, as owners do. */
static void
stop_within(struct test_flow *t)
{
	flow_stop(&t->flow);
}

static void
turn(unsigned n)
{
	test_loop_turn(&f.l, n);
}

static bool
has_ended(void)
{
	return test_flow_has_ended(&f.t);
}

static bool
is_drained(void)
{
	return f.t.drained;
}

static bool
has_failed(void)
{
	return failure_is(f.t.failed);
}

static bool
await(bool (*what)(void))
{
	return test_loop_await(&f.l, what, PATIENCE_S);
}

/* Stop it; what the source and the sink still have comes back as it ends. */
static void
end(void)
{
	flow_stop(&f.t.flow);
	flow_stop(&f.t.flow); /* nothing the second time */
	f.sink.stalled = false;
	f.source.pause_at = SIZE_MAX;
	turn(f.sink.lag + 3);
	assert_int_equal(f.sink.count, 0);
	assert_null(f.source.taken);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(f.l.account.waiting, 0);
}

static void
assert_arrived(size_t len)
{
	assert_int_equal(f.sink.len, len);
	assert_fake_bytes(f.sink.got, len);
}

static void
fall_silent(void)
{
	fake_source_fall_silent(&f.source);
}

static void
speak_up(void)
{
	fake_source_speak_up(&f.source);
}

/* ---- the tests */

static void
what_goes_in_comes_out_in_order(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (size_t depth = 1; depth <= 8; depth++) {
			for (unsigned writes = 1; writes <= 3; writes++) {
				begin(takes, depth, writes);
				f.sink.lag = (unsigned)depth % 4;
				assert_true(await(has_ended));
				assert_true(f.t.drained && f.t.read_all);
				assert_false(failure_is(f.t.failed));
				assert_arrived(BODY);
				assert_true(f.sink.most <= writes);
				end();
			}
		}
	}
}

static void
chunks_are_put_when_they_are_full(void **state)
{
	(void)state;
	begin(false, 8, 1);
	assert_true(await(is_drained));
	assert_int_equal(f.sink.writes, (BODY + SIZE - 1) / SIZE);
	end();
}

static void
a_stalled_sink_stops_the_reader(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (size_t depth = 1; depth <= 8; depth++) {
			for (unsigned writes = 1; writes <= 3; writes++) {
				size_t held;

				begin(takes, depth, writes);
				f.sink.stalled = true;
				turn(500);
				held = chunk_pool_held(f.l.pool);
				/* The queue is full, and so is the sink; the
				 * reader may hold one it is filling. */
				assert_true(held >= depth + writes);
				assert_true(held <= depth + writes + 1);
				assert_int_equal(f.sink.count, writes);
				assert_true(f.source.at <= held * SIZE);
				assert_int_equal(
				    f.t.flow.meter.reader, READER_QUEUE);
				assert_int_equal(
				    f.t.flow.meter.writer, WRITER_WRITE);
				/* It was the last word: nothing moves. */
				turn(50);
				assert_int_equal(
				    chunk_pool_held(f.l.pool), held);
				f.sink.stalled = false;
				assert_true(await(is_drained));
				assert_arrived(BODY);
				end();
			}
		}
	}
}

/* One free place is enough: waiting for more would be taking turns. */
static void
the_first_free_place_resumes_the_reader(void **state)
{
	size_t at;

	(void)state;
	begin(false, 4, 1);
	f.sink.stalled = true;
	turn(200);
	at = f.source.at;
	f.sink.stalled = false;
	turn(1);
	f.sink.stalled = true;
	turn(50);
	assert_true(f.source.at > at);
	assert_true(f.source.at <= at + 2 * SIZE);
	end();
}

static void
a_silent_source_costs_no_memory(void **state)
{
	(void)state;
	begin(false, 4, 1);
	f.source.pause_at = 0;
	turn(50);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(f.t.flow.meter.reader, READER_NETWORK);
	assert_int_equal(f.t.flow.meter.writer, WRITER_DATA);
	f.source.pause_at = SIZE_MAX;
	assert_true(await(is_drained));
	assert_arrived(BODY);
	end();
}

static void
stop_trickling(void)
{
	fake_source_stop_trickling(&f.source);
}

static bool
something_arrived(void)
{
	return f.sink.writes > 0;
}

/* What came before a silence goes on its way; not at once, but soon. */
static void
a_part_filled_chunk_is_put_when_nothing_comes(void **state)
{
	uint64_t began = clock_mono_ns();

	(void)state;
	begin(false, 4, 1);
	f.source.pause_at = 1;
	turn(3);
	assert_int_equal(f.sink.writes, 0);
	fall_silent();
	assert_true(await(something_arrived));
	assert_true(clock_mono_ns() - began >= 9 * NS_PER_MS);
	assert_true(clock_mono_ns() - began < 2000 * NS_PER_MS);
	assert_arrived(f.source.at);
	turn(10);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	f.source.pause_at = SIZE_MAX;
	speak_up();
	assert_true(await(is_drained));
	assert_arrived(BODY);
	end();
}

/* Several at once, when several places are free at once. */
static void
what_was_written_is_flushed_once(void **state)
{
	unsigned writes;

	(void)state;
	for (unsigned depth = 1; depth <= 4; depth++) {
		begin(false, 8, depth);
		f.sink.stalled = true;
		turn(200);
		assert_int_equal(f.sink.writes, depth);
		assert_int_equal(f.sink.unflushed, 0);
		/* Nothing new: nothing to flush. */
		f.sink.flushes = 0;
		for (int i = 0; i < 20; i++) {
			writer_wake(&f.t.flow.writer);
			turn(2);
		}
		assert_int_equal(f.sink.flushes, 0);
		for (unsigned burst = 1; burst <= 4; burst++) {
			writes = f.sink.writes;
			f.sink.stalled = false;
			turn(1); /* all are done, as many go out */
			f.sink.stalled = true;
			turn(20);
			assert_int_equal(f.sink.writes, writes + depth);
			assert_int_equal(f.sink.flushes, burst);
			assert_int_equal(f.sink.unflushed, 0);
		}
		f.sink.stalled = false;
		assert_true(await(is_drained));
		assert_int_equal(f.sink.unflushed, 0);
		assert_true(f.sink.flushes <= f.sink.writes);
		assert_arrived(BODY);
		end();
	}
}

/* One byte comes, and then nothing: how long until the sink has it. */
static uint64_t
patience(void)
{
	uint64_t began;

	f.sink.writes = 0;
	f.source.pause_at = f.source.at + 1;
	speak_up();
	while (f.source.at < f.source.pause_at)
		turn(1);
	began = clock_mono_ns();
	fall_silent();
	assert_true(await(something_arrived));
	assert_arrived(f.source.at);
	return clock_mono_ns() - began;
}

/* A reader is patient where a part-filled chunk costs the sink dear, for as
 * long as that is so. */
static void
whole_chunks_are_waited_for(void **state)
{
	uint64_t took, least = UINT64_MAX;

	(void)state;
	begin(false, 4, 1);
	f.source.pause_at = 0;
	fall_silent();
	turn(2);
	f.sink.sink.whole_chunks = true;
	for (int i = 0; i < 2; i++) {
		took = patience();
		assert_in_range(took, 95 * NS_PER_MS, 3000 * NS_PER_MS);
	}
	/* This machine may be busy, but not each time. */
	f.sink.sink.whole_chunks = false;
	for (int i = 0; i < 20 && least > 60 * NS_PER_MS; i++) {
		took = patience();
		assert_true(took >= 8 * NS_PER_MS);
		if (took < least)
			least = took;
	}
	assert_true(least <= 60 * NS_PER_MS);
	f.sink.sink.whole_chunks = true;
	assert_true(patience() >= 95 * NS_PER_MS);

	/* Those that are full, and the last one, wait for nothing. */
	f.source.pause_at = SIZE_MAX;
	speak_up();
	assert_true(await(is_drained));
	assert_arrived(BODY);
	assert_true(f.sink.writes <= BODY / SIZE + 2);
	end();
}

static bool
none_is_held(void)
{
	return chunk_pool_held(f.l.pool) == 0;
}

/* A size line came and then nothing: such a client is idle as well. */
static void
only_framing_holds_no_chunk_for_long(void **state)
{
	uint64_t began = clock_mono_ns();

	(void)state;
	begin(false, 4, 1);
	f.source.framing = true;
	f.source.pause_at = 0;
	fall_silent();
	turn(2);
	if (!await(none_is_held))
		print_error(
		    "a silent client held a chunk for %d s\n", PATIENCE_S);
	else
		assert_true(clock_mono_ns() - began < 2000 * NS_PER_MS);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	f.source.pause_at = SIZE_MAX;
	speak_up();
	assert_true(await(is_drained));
	assert_arrived(BODY);
	end();
}

static void
nothing_is_an_upload_too(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		begin(takes, 2, 1);
		f.source.at = BODY;
		assert_true(await(is_drained));
		assert_int_equal(f.sink.writes, 0);
		end();
	}
}

static void
a_failing_source_is_told(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (size_t at = 0; at < BODY - SIZE; at += BODY / 5) {
			begin(takes, 3, 1);
			f.source.fail_at = at;
			assert_true(await(has_ended));
			assert_int_equal(f.t.failed_side, READING);
			assert_true(f.t.failed.err == -ENETDOWN ||
				    f.t.failed.err == -EIO);
			assert_false(f.t.read_all);
			end();
		}
	}
}

static void
what_a_failing_source_gave_can_be_drained(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (size_t at = 0; at < BODY - SIZE; at += BODY / 5) {
			for (unsigned lag = 0; lag < 4; lag++) {
				begin(takes, 3, 1 + lag % 2);
				f.t.drains = true;
				f.source.fail_at = at;
				f.sink.lag = lag;
				assert_true(await(is_drained));
				assert_int_equal(f.t.failed_side, READING);
				assert_true(f.t.read_all);
				assert_true(f.source.at >= at);
				assert_arrived(f.source.at);
				assert_int_equal(f.sink.count, 0);
				end();
			}
		}
	}
}

/* The sink may fail over it all the same. */
static void
a_sink_may_fail_while_it_is_drained(void **state)
{
	(void)state;
	begin(false, 8, 1);
	f.t.drains = true;
	f.source.fail_at = 4 * SIZE;
	f.source.whole = true;
	f.sink.stalled = true;
	assert_true(await(has_failed));
	assert_int_equal(f.t.failed_side, READING);
	f.sink.fail_at = 1;
	f.sink.stalled = false;
	turn(3);
	assert_int_equal(f.t.failed_of[WRITING].err, -ENOSPC);
	assert_false(f.t.drained);
	end();
}

/* One flow after the other, the first of which lost its source, make one body. */
static void
another_flow_goes_on_where_one_ended(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		size_t at;
		uint64_t read_ns;

		begin(takes, 3, 2);
		f.t.drains = true;
		f.source.fail_at = BODY / 3;
		f.sink.lag = 2;
		assert_true(await(is_drained));
		flow_rest(&f.t.flow);
		flow_rest(&f.t.flow); /* nothing the second time */
		assert_int_equal(chunk_pool_held(f.l.pool), 0);
		assert_int_equal(f.t.flow.meter.end, 0);
		read_ns = f.t.flow.meter.reader_ns[READER_NETWORK];
		at = f.source.at;
		fake_source_begin(&f.source, BODY, !takes);
		f.source.at = at;
		test_flow_go_on(&f.t, &f.l,
		    &(struct flow_setup){
			.source = &f.source.source,
			.sink = &f.sink.sink,
			.queue_depth = 1,
			.write_depth = 2,
		    });
		assert_true(await(is_drained));
		assert_false(failure_is(f.t.failed));
		assert_arrived(BODY);
		flow_stop(&f.t.flow);
		assert_true(f.t.flow.meter.reader_ns[READER_NETWORK] > read_ns);
		end();
	}
}

/* As a file's source does whose disk does not answer: its chunk comes back late. */
static void
a_source_may_fail_while_it_has_a_chunk(void **state)
{
	(void)state;
	for (int within = 0; within < 2; within++) {
		begin(true, 3, 1);
		f.t.on_end = within ? stop_within : NULL;
		f.source.pause_at = BODY / 2;
		while (f.source.taken == NULL || f.source.at < BODY / 2)
			turn(1);
		reader_failed(f.source.reader, failure_of_errno(-ETIMEDOUT));
		assert_int_equal(f.t.failed_side, READING);
		assert_int_equal(f.t.failed.err, -ETIMEDOUT);
		if (!within) /* it is told once */
			reader_failed(f.source.reader, failure_of_errno(-EIO));
		assert_int_equal(f.t.failed.err, -ETIMEDOUT);
		turn(3);
		assert_non_null(f.source.taken);
		assert_false(f.t.read_all);
		end();
	}
}

static void
a_failing_sink_is_told(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (size_t at = 1; at < BODY; at += BODY / 5) {
			for (unsigned lag = 0; lag < 4; lag++) {
				begin(takes, 3, 2);
				f.sink.fail_at = at;
				f.sink.lag = lag;
				assert_true(await(has_ended));
				assert_int_equal(f.t.failed_side, WRITING);
				assert_int_equal(f.t.failed.err, -ENOSPC);
				assert_false(f.t.drained);
				end();
			}
		}
	}
}

/* The owner ends everything from within the call that tells it so. */
static void
it_may_be_stopped_from_within(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		begin(takes, 3, 2);
		f.t.on_end = stop_within;
		assert_true(await(is_drained));
		assert_arrived(BODY);
		end();
		begin(takes, 3, 2);
		f.t.on_end = stop_within;
		f.source.fail_at = BODY / 2;
		f.sink.lag = 3;
		assert_true(await(has_failed));
		end();
		begin(takes, 3, 2);
		f.t.on_end = stop_within;
		f.sink.fail_at = BODY / 2;
		f.sink.lag = 3;
		assert_true(await(has_failed));
		end();
	}
}

static void
stopped_at_any_moment_it_loses_nothing(void **state)
{
	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		for (unsigned lag = 0; lag < 4; lag++) {
			for (unsigned after = 0; after < 150; after++) {
				begin(takes, 1 + after % 4, 1 + lag % 3);
				f.sink.lag = lag;
				f.sink.stalled = after % 5 == 4;
				turn(after);
				end();
			}
		}
	}
}

/* The pool is empty: a reader that waits for it can be stopped, or goes on when a
 * chunk comes back. */
static void
a_dry_pool_pauses_the_reader(void **state)
{
	struct chunk_claim other = {.account = &f.l.account};
	struct chunk *taken[BUDGET];

	(void)state;
	for (int stop = 0; stop < 2; stop++) {
		for (int i = 0; i < BUDGET; i++) {
			taken[i] = chunk_take(f.l.pool, &other);
			assert_non_null(taken[i]);
		}
		begin(false, 4, 1);
		turn(20);
		assert_int_equal(f.t.flow.meter.reader, READER_MEMORY);
		assert_int_equal(f.source.at, 0);
		assert_int_equal(f.l.account.waiting, 1);
		if (stop)
			flow_stop(&f.t.flow);
		for (int i = 0; i < BUDGET; i++)
			chunk_give(taken[i]);
		if (stop) {
			turn(20);
			assert_int_equal(f.source.at, 0);
		} else {
			assert_true(await(is_drained));
			assert_arrived(BODY);
		}
		end();
	}
}

/* ---- silence */

static void
begin_with_limits(const struct reader_limits *limits)
{
	begin(false, 2, 1);
	flow_stop(&f.t.flow);
	turn(1);
	start(2, 1, limits);
}

static void
begin_with_silence_max(double seconds)
{
	begin_with_limits(&(struct reader_limits){.client.silence_s = seconds});
}

static void
silence_has_a_limit(void **state)
{
	uint64_t began;

	(void)state;
	for (size_t after = 0; after <= 2; after++) {
		/* At once; after a part of a chunk; after some chunks. */
		begin_with_silence_max(0.06);
		f.source.pause_at = after == 2 ? 5 * SIZE : after;
		turn(100);
		fall_silent();
		began = clock_mono_ns();
		assert_true(await(has_failed));
		assert_int_equal(f.t.failed.outcome, OUTCOME_TOO_SLOW);
		assert_int_equal(f.t.failed_side, READING);
		assert_true(clock_mono_ns() - began < 3000 * NS_PER_MS);
		assert_arrived(f.source.at);
		end();
		speak_up();
	}
}

/* It is the client's silence that counts, not the disk's. */
static void
a_slow_sink_is_not_the_clients_silence(void **state)
{
	uint64_t until;

	(void)state;
	begin_with_silence_max(0.05);
	f.sink.stalled = true;
	until = clock_mono_ns() + 200 * NS_PER_MS;
	while (clock_mono_ns() < until)
		turn(1);
	assert_false(failure_is(f.t.failed));
	f.sink.stalled = false;
	assert_true(await(is_drained));
	assert_arrived(BODY);
	end();
}

static void
a_dry_pool_is_not_the_clients_silence(void **state)
{
	struct chunk_claim other = {.account = &f.l.account};
	struct chunk *taken[BUDGET];
	uint64_t until;

	(void)state;
	for (int i = 0; i < BUDGET; i++)
		taken[i] = chunk_take(f.l.pool, &other);
	begin_with_silence_max(0.05);
	until = clock_mono_ns() + 200 * NS_PER_MS;
	while (clock_mono_ns() < until)
		turn(1);
	assert_false(failure_is(f.t.failed));
	for (int i = 0; i < BUDGET; i++)
		chunk_give(taken[i]);
	assert_true(await(is_drained));
	end();
}

static void
on_grant(struct chunk_claim *claim, struct chunk *c)
{
	(void)claim;
	chunk_give(c);
}

/* Let the loop turn for so long. */
static void
pass(unsigned ms)
{
	uint64_t until = clock_mono_ns() + ms * NS_PER_MS;

	while (clock_mono_ns() < until)
		turn(1);
}

static bool
all_are_held(void)
{
	return chunk_pool_held(f.l.pool) == BUDGET;
}

/* It never is silent for long enough to have its chunk put; but when others
 * wait for one it may not keep it. */
static void
a_trickle_keeps_no_chunk_that_others_need(void **state)
{
	struct chunk_claim other = {
	    .account = &f.l.account, .on_grant = on_grant};
	struct chunk *taken[BUDGET - 1];

	(void)state;
	begin(false, 4, 1);
	f.source.trickles = true;
	for (int i = 0; i < BUDGET - 1; i++)
		taken[i] = chunk_take(f.l.pool, &other);
	assert_true(await(all_are_held));
	f.sink.writes = 0;
	assert_null(chunk_take(f.l.pool, &other));
	assert_true(await(something_arrived));
	assert_in_range(f.sink.len, 1, SIZE / 2); /* long before it is full */
	chunk_stop_waiting(f.l.pool, &other);
	for (int i = 0; i < BUDGET - 1; i++)
		chunk_give(taken[i]);
	end();
	stop_trickling();
}

/* ---- rates */

static void
a_trickle_may_be_too_slow(void **state)
{
	struct reader_limits limits = {
	    .client.rate_min = 10000, .client.rate_min_for_s = 0.1};

	(void)state;
	begin_with_limits(&limits);
	f.source.trickles = true;
	assert_true(await(has_failed));
	assert_int_equal(f.t.failed.outcome, OUTCOME_BELOW_RATE);
	assert_int_equal(f.t.failed_side, READING);
	end();
	stop_trickling();

	/* Some 250 bytes a second do. */
	limits.client.rate_min = 20;
	begin_with_limits(&limits);
	f.source.trickles = true;
	pass(350);
	assert_false(failure_is(f.t.failed));
	end();
	stop_trickling();

	/* It has no credit from the time when it was fast. */
	limits.client.rate_min = 10000;
	begin_with_limits(&limits);
	f.source.pause_at = 30 * SIZE;
	turn(300);
	fall_silent();
	assert_true(await(has_failed));
	assert_int_equal(f.t.failed.outcome, OUTCOME_BELOW_RATE);
	assert_true(f.source.at >= 30 * SIZE);
	end();
	speak_up();
}

static void
a_slow_sink_is_not_the_clients_rate(void **state)
{
	struct reader_limits limits = {
	    .client.rate_min = 100000000, .client.rate_min_for_s = 0.05};

	(void)state;
	begin_with_limits(&limits);
	f.sink.stalled = true;
	pass(250);
	assert_false(failure_is(f.t.failed));
	f.sink.stalled = false;
	assert_true(await(is_drained));
	assert_arrived(BODY);
	end();
}

/* Turns of 10 ms each, which make so many. */
static void
pass_quickly(unsigned ms)
{
	for (unsigned i = 0; i < ms / 10; i++) {
		set_clock_pass(10 * NS_PER_MS);
		turn(1);
	}
}

/* The sink stalls for five seconds, then the client is silent: that is told after one
 * second, as `e`. */
static void
assert_blamed_after_our_pause(enum outcome e)
{
	f.sink.stalled = true;
	turn(200);
	pass_quickly(5000);
	assert_false(failure_is(f.t.failed));
	f.source.pause_at = f.source.at;
	fall_silent();
	f.sink.stalled = false;
	pass_quickly(800);
	assert_false(failure_is(f.t.failed));
	pass_quickly(400);
	assert_int_equal(f.t.failed.outcome, e);
	end();
	speak_up();
}

/* Nor do they count when the client is waited for again. */
static void
a_pause_of_ours_is_not_the_clients_time(void **state)
{
	struct reader_limits limits = {
	    .client.rate_min = 10000, .client.rate_min_for_s = 1};

	(void)state;
	begin_with_limits(&limits);
	assert_blamed_after_our_pause(OUTCOME_BELOW_RATE);
}

static void
silence_begins_anew_after_a_pause_of_ours(void **state)
{
	(void)state;
	begin_with_silence_max(1);
	assert_blamed_after_our_pause(OUTCOME_TOO_SLOW);
}

/* Slower than it could, and not the client's fault. */
static void
a_rate_is_held(void **state)
{
	struct reader_limits limits = {.rate_max = 4 * BODY,
	    .client.rate_min = 100000000,
	    .client.rate_min_for_s = 0.05,
	    .client.silence_s = 0.06};
	uint64_t began = clock_mono_ns(), took;

	(void)state;
	begin_with_limits(&limits);
	assert_true(await(is_drained));
	assert_arrived(BODY);
	took = clock_mono_ns() - began;
	/* A tenth of a second's worth may come at once. */
	assert_in_range(took, 140 * NS_PER_MS, 3000 * NS_PER_MS);
	assert_true(f.t.flow.meter.reader_ns[READER_PACED] > 50 * NS_PER_MS);
	end();
}

static void
the_meter_sees_both_sides(void **state)
{
	const struct meter *m = &f.t.flow.meter;

	(void)state;
	begin(false, 2, 1);
	f.sink.lag = 5;
	assert_true(await(is_drained));
	flow_stop(&f.t.flow);
	assert_true(meter_total_ns(m) > 0);
	assert_true(m->reader_ns[READER_QUEUE] > 0);
	assert_true(m->writer_ns[WRITER_WRITE] > 0);
	end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_goes_in_comes_out_in_order),
	    TEST(chunks_are_put_when_they_are_full),
	    TEST(a_stalled_sink_stops_the_reader),
	    TEST(the_first_free_place_resumes_the_reader),
	    TEST(a_silent_source_costs_no_memory),
	    TEST(a_part_filled_chunk_is_put_when_nothing_comes),
	    TEST(what_was_written_is_flushed_once),
	    TEST(whole_chunks_are_waited_for),
	    TEST(only_framing_holds_no_chunk_for_long),
	    TEST(nothing_is_an_upload_too),
	    TEST(a_failing_source_is_told),
	    TEST(what_a_failing_source_gave_can_be_drained),
	    TEST(a_sink_may_fail_while_it_is_drained),
	    TEST(another_flow_goes_on_where_one_ended),
	    TEST(a_source_may_fail_while_it_has_a_chunk),
	    TEST(a_failing_sink_is_told),
	    TEST(it_may_be_stopped_from_within),
	    TEST(stopped_at_any_moment_it_loses_nothing),
	    TEST(a_dry_pool_pauses_the_reader),
	    TEST(silence_has_a_limit),
	    TEST(a_slow_sink_is_not_the_clients_silence),
	    TEST(a_dry_pool_is_not_the_clients_silence),
	    TEST(a_trickle_keeps_no_chunk_that_others_need),
	    TEST(a_trickle_may_be_too_slow),
	    TEST(a_slow_sink_is_not_the_clients_rate),
	    TEST(a_pause_of_ours_is_not_the_clients_time),
	    TEST(silence_begins_anew_after_a_pause_of_ours),
	    TEST(a_rate_is_held),
	    TEST(the_meter_sees_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
