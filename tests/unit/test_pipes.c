/*
 * Chunks with pipes: what they count as, that no byte of one upload gets into another,
 * and that a flow uses them where both of its ends can, and only there.
 */
#include "disk/chunk.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow/reader.h"
#include "flow/writer.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "lib/portable.h"

enum {
	SIZE = 64 * 1024, /* of a chunk of memory */
	WEIGHT = CHUNK_PIPE_BYTES / SIZE,
	BUDGET = 8 * WEIGHT,
	BODY = FAKE_BODY_MAX,
	PATIENCE_S = 5,
};

static struct faked_flow f;
static struct chunk_claim own;

static int
set_up_budget(size_t chunks)
{
	faked_flow_set_up(&f, SIZE, chunks);
	own = (struct chunk_claim){.account = &f.l.account};
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return set_up_budget(BUDGET);
}

static int
set_up_small(void **state)
{
	(void)state;
	return set_up_budget(2 * WEIGHT);
}

static int
tear_down(void **state)
{
	(void)state;
	faked_flow_tear_down(&f);
	return 0;
}

/* ---- the pool */

static struct chunk *
take(void)
{
	return chunk_take_pipe(f.l.pool, &own);
}

static void
fill(struct chunk *c, const char *text)
{
	assert_int_equal(write(c->pipe.wr, text, strlen(text)), strlen(text));
	c->len = strlen(text);
}

static void
assert_empty(struct chunk *c)
{
	char byte;

	assert_true(chunk_is_pipe(c));
	assert_int_equal(c->len, 0);
	assert_int_equal(c->taken, 0);
	assert_int_equal(read(c->pipe.rd, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
it_counts_as_the_memory_that_it_may_hold(void **state)
{
	struct chunk *c;

	(void)state;
	SKIP_PORTABLE("pipes");
	c = take();
	assert_non_null(c);
	assert_empty(c);
	assert_int_equal(chunk_pool_held(f.l.pool), WEIGHT);
	assert_int_equal(f.l.account.held, WEIGHT);
	assert_int_equal(own.held, 1);
	chunk_give(c);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(f.l.account.held, 0);
	assert_int_equal(own.held, 0);
}

static void
there_are_few(void **state)
{
	struct chunk *c[CHUNK_PIPES_MAX];

	(void)state;
	SKIP_PORTABLE("pipes");
	for (int i = 0; i < CHUNK_PIPES_MAX; i++) {
		c[i] = take();
		assert_non_null(c[i]);
	}
	assert_null(take());
	assert_int_equal(f.l.account.waiting, 0);
	chunk_give(c[1]);
	assert_ptr_equal(take(), c[1]);
	for (int i = 0; i < CHUNK_PIPES_MAX; i++)
		chunk_give(c[i]);
}

/* With a pool of two of them: what is in use, and what is free and kept, is never more
 * than the budget; and a quarter is left to others. */
static void
the_budget_is_the_most_there_is(void **state)
{
	struct chunk *c[2 * WEIGHT], *pipe;
	int n;

	(void)state;
	SKIP_PORTABLE("pipes");
	pipe = take();
	assert_non_null(pipe);
	assert_null(take());
	for (n = 0; n < WEIGHT; n++) {
		c[n] = chunk_take(f.l.pool, &own);
		assert_non_null(c[n]);
	}
	assert_null(chunk_take(f.l.pool, &own)); /* it waits */
	chunk_stop_waiting(f.l.pool, &own);
	chunk_give(pipe);
	assert_null(take());
	c[n++] = chunk_take(f.l.pool, &own);
	assert_non_null(c[WEIGHT]);
	while (n > 0)
		chunk_give(c[--n]);
	/* One chunk of memory too many is free, and kept for a while. */
	assert_null(take());
}

static void
on_grant(struct chunk_claim *claim, struct chunk *c)
{
	(void)claim;
	chunk_give(c);
}

static void
one_that_comes_back_wakes_those_that_wait(void **state)
{
	struct chunk_claim other = {
	    .account = &f.l.account, .on_grant = on_grant};
	struct chunk *c[2 * WEIGHT], *pipe;
	int n;

	(void)state;
	SKIP_PORTABLE("pipes");
	pipe = take();
	for (n = 0; n < WEIGHT; n++)
		c[n] = chunk_take(f.l.pool, &own);
	assert_null(chunk_take(f.l.pool, &other));
	test_loop_turn(&f.l, 2);
	assert_int_equal(f.l.account.waiting, 1);
	chunk_give(pipe);
	test_loop_turn(&f.l, 2);
	assert_int_equal(f.l.account.waiting, 0);
	while (n > 0)
		chunk_give(c[--n]);
}

static void
nobody_is_pushed_aside(void **state)
{
	struct chunk_claim other = {
	    .account = &f.l.account, .on_grant = on_grant};
	struct chunk *c[2 * WEIGHT];
	int n;

	(void)state;
	SKIP_PORTABLE("pipes");
	for (n = 0; n < 2 * WEIGHT; n++)
		c[n] = chunk_take(f.l.pool, &own);
	assert_null(chunk_take(f.l.pool, &other));
	while (n > 1)
		chunk_give(c[--n]);
	assert_null(take());
	test_loop_turn(&f.l, 2);
	chunk_give(c[0]);
}

static void
what_is_left_in_one_gets_into_no_other(void **state)
{
	struct chunk *c, *other;

	(void)state;
	SKIP_PORTABLE("pipes");
	for (size_t taken = 0; taken < 6; taken++) {
		char byte[8];

		c = take();
		other = take();
		assert_non_null(c);
		assert_non_null(other);
		fill(c, "secret");
		assert_int_equal(read(c->pipe.rd, byte, taken), taken);
		c->taken = taken;
		chunk_give(c);
		c = take();
		assert_non_null(c);
		assert_empty(c);
		chunk_give(other);
		chunk_give(c);
	}
}

static void
an_empty_one_is_used_again(void **state)
{
	struct chunk *c;
	char byte[8];

	(void)state;
	SKIP_PORTABLE("pipes");
	c = take();
	assert_non_null(c);
	for (int i = 0; i < 3; i++) {
		struct pipe had = c->pipe;

		fill(c, "secret");
		assert_int_equal(read(c->pipe.rd, byte, 6), 6);
		c->taken = 6;
		chunk_give(c);
		assert_ptr_equal(take(), c);
		assert_memory_equal(&c->pipe, &had, sizeof(had));
		assert_empty(c);
	}
	chunk_give(c);
}

/* ... and it is not tried again for each read. */
static void
where_none_can_be_opened_there_is_none(void **state)
{
	struct rlimit had, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &had), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = had.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_null(take());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &had), 0);
	assert_null(take());
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
}

/* ---- flows */

struct fake_tap {
	struct tap tap;
	size_t len;
};

static bool
tap_take(struct tap *t, struct chunk *c, struct writer *w)
{
	(void)w;
	if (!chunk_is_pipe(c)) /* it can read no other */
		container_of(t, struct fake_tap, tap)->len += c->len;
	return false;
}

static void
tap_abandon(struct tap *t)
{
	(void)t;
}

static struct fake_tap tap;

/* What there may be against pipes. */
enum against {
	NOTHING,
	SOURCE_CANNOT,
	SINK_CANNOT,
	TAPPED,
	PACED,
	AGAINST_COUNT
};

static void
begin(size_t depth, unsigned sink_depth, enum against what)
{
	static const struct tap_ops tap_ops = {tap_take, tap_abandon};

	tap = (struct fake_tap){.tap.ops = &tap_ops};
	fake_source_begin(&f.source, BODY, false);
	f.source.seed = (unsigned)depth;
	f.source.source.splices = what != SOURCE_CANNOT;
	fake_sink_begin(&f.sink, BODY, sink_depth);
	f.sink.sink.takes_pipes = what != SINK_CANNOT;
	test_flow_start(&f.t, &f.l,
	    &(struct flow_setup){
		.source = &f.source.source,
		.sink = &f.sink.sink,
		.tap = what == TAPPED ? &tap.tap : NULL,
		.queue_depth = depth,
		.write_depth = sink_depth,
		.limits.rate_max = what == PACED ? 100 * BODY : 0,
	    });
}

static bool
is_drained(void)
{
	return f.t.drained;
}

static void
end(void)
{
	flow_stop(&f.t.flow);
	f.sink.stalled = false;
	test_loop_turn(&f.l, f.sink.lag + 3);
	assert_int_equal(f.sink.count, 0);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
}

static void
finish(void)
{
	assert_true(test_loop_await(&f.l, is_drained, PATIENCE_S));
	assert_int_equal(f.sink.len, BODY);
	assert_fake_bytes(f.sink.got, BODY);
	end();
}

static void
what_goes_in_comes_out_in_order(void **state)
{
	unsigned piped = 0, mixed = 0;

	(void)state;
	for (size_t depth = 1; depth <= 12; depth++) {
		for (unsigned lag = 0; lag < 3; lag++) {
			begin(depth, 1 + lag, NOTHING);
			f.sink.lag = lag;
			finish();
			piped += f.sink.piped;
			mixed +=
			    f.sink.piped > 0 && f.sink.piped < f.sink.writes;
		}
	}
	if (!IS_PORTABLE)
		assert_true(piped > 20 && mixed > 5);
}

static void
pipes_are_used_where_both_ends_can(void **state)
{
	(void)state;
	SKIP_PORTABLE("pipes");
	for (int what = 0; what < AGAINST_COUNT; what++) {
		begin(4, 1, what);
		f.source.whole = true;
		finish();
		assert_int_equal(tap.len, what == TAPPED ? BODY : 0);
		if (what == NOTHING)
			assert_int_equal(f.sink.piped, f.sink.writes);
		else
			assert_int_equal(f.sink.piped, 0);
	}
}

static void
turn_until(size_t at)
{
	f.source.pause_at = at;
	for (int i = 0; i < 10000 && f.source.at < at; i++)
		test_loop_turn(&f.l, 1);
	assert_int_equal(f.source.at, at);
}

/* As when its first bytes came with the head. */
static void
what_was_read_into_memory_goes_before(void **state)
{
	(void)state;
	SKIP_PORTABLE("pipes");
	begin(4, 1, SOURCE_CANNOT);
	f.source.next = 1000;
	turn_until(1000);
	f.source.source.splices = true;
	f.source.whole = true;
	f.source.pause_at = SIZE_MAX;
	finish();
	assert_int_equal(f.sink.piped, 1);
	assert_int_equal(f.sink.writes, 2);
}

/* Little at a time gathers in memory, and is written together. */
static void
what_comes_slowly_gathers_in_memory(void **state)
{
	(void)state;
	SKIP_PORTABLE("pipes");
	begin(4, 1, NOTHING);
	for (size_t at = 1000; at <= SIZE; at += 1000) {
		f.source.next = 1000;
		turn_until(at);
	}
	test_loop_turn(&f.l, 3);
	assert_int_equal(f.sink.piped, 1);
	assert_int_equal(f.sink.writes, 1);
	/* When much comes at once it goes by a pipe again, behind them. */
	f.source.whole = true;
	f.source.pause_at = SIZE_MAX;
	finish();
	assert_int_equal(f.sink.piped, 2);
}

static void
a_silent_client_has_none(void **state)
{
	(void)state;
	begin(4, 1, NOTHING);
	f.source.pause_at = 0;
	test_loop_turn(&f.l, 5);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	f.source.pause_at = SIZE_MAX;
	finish();
}

static void
stopped_at_any_moment_it_loses_nothing(void **state)
{
	(void)state;
	for (unsigned lag = 0; lag < 4; lag++) {
		for (unsigned after = 0; after < 30; after++) {
			begin(1 + after % 9, 1, NOTHING);
			f.sink.lag = lag;
			f.sink.stalled = after % 5 == 4;
			test_loop_turn(&f.l, after);
			end();
		}
	}
}

static bool
has_failed(void)
{
	return failure_is(f.t.failed);
}

static void
a_failing_source_is_told(void **state)
{
	static const size_t ends[] = {0, 1, SIZE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		begin(4, 1, NOTHING);
		f.source.next = ends[i];
		turn_until(ends[i]);
		f.source.pause_at = SIZE_MAX;
		f.source.fail_at = ends[i];
		assert_true(test_loop_await(&f.l, has_failed, PATIENCE_S));
		assert_int_equal(f.t.failed_side, READING);
		assert_int_equal(f.t.failed.err, -ENETDOWN);
		end();
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SMALL(name)                                                            \
	cmocka_unit_test_setup_teardown(name, set_up_small, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_counts_as_the_memory_that_it_may_hold),
	    TEST(there_are_few),
	    SMALL(the_budget_is_the_most_there_is),
	    SMALL(one_that_comes_back_wakes_those_that_wait),
	    SMALL(nobody_is_pushed_aside),
	    TEST(what_is_left_in_one_gets_into_no_other),
	    TEST(an_empty_one_is_used_again),
	    TEST(where_none_can_be_opened_there_is_none),
	    TEST(what_goes_in_comes_out_in_order),
	    TEST(pipes_are_used_where_both_ends_can),
	    TEST(what_was_read_into_memory_goes_before),
	    TEST(what_comes_slowly_gathers_in_memory),
	    TEST(a_silent_client_has_none),
	    TEST(stopped_at_any_moment_it_loses_nothing),
	    TEST(a_failing_source_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
