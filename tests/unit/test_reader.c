/*
 * A reader whose source can be read into several chunks at once: what comes out is
 * what went in, it takes no more than the queue has room for and others can spare,
 * and what it did not need goes back at once.
 */
#include "flow/reader.h"

#include <errno.h>

#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "set_clock.h"

enum {
	SIZE = 1024, /* of a chunk */
	BUDGET = 64,
	DEPTH = 8, /* of the queue */
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
turn(unsigned n)
{
	test_loop_turn(&f.l, n);
}

/* A flow of `len` bytes, into a sink that has one chunk at a time. */
static void
begin_limited(size_t len, size_t queue_depth, uint64_t rate_max)
{
	fake_source_begin(&f.source, len, false);
	f.source.source.several = true;
	f.source.seed = (unsigned)(len + queue_depth);
	fake_sink_begin(&f.sink, len, 1);
	test_flow_start(&f.t, &f.l,
	    &(struct flow_setup){
		.source = &f.source.source,
		.sink = &f.sink.sink,
		.queue_depth = queue_depth,
		.write_depth = 1,
		.limits.rate_max = rate_max,
	    });
}

static void
begin(size_t len, size_t queue_depth)
{
	begin_limited(len, queue_depth, 0);
}

static void
end(void)
{
	flow_stop(&f.t.flow);
	f.sink.stalled = false;
	turn(f.sink.lag + 3);
	assert_int_equal(f.sink.count, 0);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(f.l.account.waiting, 0);
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

static void
finish(size_t len)
{
	assert_true(test_loop_await(&f.l, is_drained, PATIENCE_S));
	assert_false(failure_is(f.t.failed));
	assert_int_equal(f.sink.len, len);
	assert_fake_bytes(f.sink.got, len);
	end();
}

/* One read, which finds `n` bytes; no more come for now. */
static void
read_bytes(size_t n)
{
	size_t before = f.source.at;

	f.source.next = n;
	f.source.pause_at = before + n;
	for (int i = 0; i < 3 && f.source.at == before; i++)
		turn(1);
	assert_int_equal(f.source.at, before + n);
}

static void
read_on(void)
{
	f.sink.stalled = false;
	f.source.pause_at = SIZE_MAX;
}

/* Chunks for so many bytes. */
static size_t
chunks_for(size_t bytes)
{
	return (bytes + SIZE - 1) / SIZE;
}

/* ---- the tests */

static void
what_goes_in_comes_out_in_order(void **state)
{
	(void)state;
	for (size_t depth = 1; depth <= 20; depth++) {
		for (unsigned lag = 0; lag < 3; lag++) {
			begin(BODY, depth);
			f.sink.lag = lag;
			finish(BODY);
			assert_int_equal(f.sink.writes, chunks_for(BODY));
		}
	}
	assert_true(f.source.offered_most > 4);
}

/* Within the first, at its edge, in the second, at the edge of the third ...: behind it
 * others come, or it was the end. */
static void
a_read_may_end_anywhere(void **state)
{
	static const size_t ends[] = {1, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE - 1,
	    3 * SIZE, 3 * SIZE + 5, DEPTH * SIZE};

	(void)state;
	for (size_t had = 0; had < SIZE; had += SIZE / 2) {
		for (size_t i = 0; i < COUNT_OF(ends); i++) {
			for (int last = 0; last < 2; last++) {
				size_t len = last ? had + ends[i] : BODY;

				if (ends[i] <= had)
					continue;
				begin(len, DEPTH);
				f.sink.stalled = true;
				if (had > 0)
					read_bytes(had);
				read_bytes(ends[i] - had);
				assert_int_equal(f.source.offered, DEPTH);
				assert_int_equal(chunk_pool_held(f.l.pool),
				    chunks_for(ends[i]));
				read_on();
				finish(len);
			}
		}
	}
}

static void
what_was_not_needed_goes_back_at_once(void **state)
{
	(void)state;
	begin(BODY, DEPTH);
	f.source.pause_at = 0;
	turn(3);
	assert_int_equal(f.source.offered_most, DEPTH);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	read_bytes(1);
	assert_int_equal(f.source.offered, DEPTH);
	assert_int_equal(chunk_pool_held(f.l.pool), 1);
	read_on();
	finish(BODY);
}

static void
no_more_is_read_than_the_queue_has_room_for(void **state)
{
	(void)state;
	for (size_t depth = 1; depth <= 2 * SOURCE_CHUNKS_MAX; depth++) {
		size_t most =
		    depth < SOURCE_CHUNKS_MAX ? depth : SOURCE_CHUNKS_MAX;

		begin(BODY, depth);
		f.sink.stalled = true;
		read_bytes(most * SIZE);
		assert_int_equal(f.source.offered, most);
		turn(3);
		/* The sink has one of them. */
		read_bytes(1);
		most = depth - most + 1;
		assert_int_equal(f.source.offered,
		    most < SOURCE_CHUNKS_MAX ? most : SOURCE_CHUNKS_MAX);
		f.source.pause_at = SIZE_MAX;
		turn(200);
		assert_true(chunk_pool_held(f.l.pool) <= depth + 2);
		assert_true(chunk_pool_held(f.l.pool) >=
			    (depth < BODY / SIZE ? depth + 1 : BODY / SIZE));
		read_on();
		finish(BODY);
	}
}

/* Of the quarter that stays free each reader has its one chunk all the same. */
static void
what_others_may_need_is_not_taken(void **state)
{
	struct chunk_claim other = {.account = &f.l.account};
	struct chunk *taken[BUDGET];
	unsigned count = 0;

	(void)state;
	begin(BODY, DEPTH);
	for (; count < BUDGET - BUDGET / 4 - 3; count++)
		taken[count] = chunk_take(f.l.pool, &other);
	read_bytes(1);
	assert_int_equal(f.source.offered, 3);
	for (int i = 0; i < 2; i++)
		taken[count++] = chunk_take(f.l.pool, &other);
	read_bytes(1);
	assert_int_equal(f.source.offered, 1);
	for (; count > 0; count--)
		chunk_give(taken[count - 1]);
	read_bytes(1);
	assert_int_equal(f.source.offered, DEPTH);
	read_on();
	finish(BODY);
}

/* One upload does not hold up the others for long. */
static void
a_turn_is_bounded_by_bytes(void **state)
{
	static const struct {
		size_t size;
		unsigned offered;
	} rows[] = {{64 * 1024, 16}, {256 * 1024, 4}, {384 * 1024, 3},
	    {1024 * 1024, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		test_loop_end(&f.l);
		test_loop_begin(&f.l, rows[i].size, BUDGET);
		begin(BODY, 2 * SOURCE_CHUNKS_MAX);
		f.source.pause_at = 0;
		turn(3);
		assert_int_equal(f.source.offered_most, rows[i].offered);
		end();
	}
}

/* It may take only so much now. */
static void
one_that_is_paced_reads_into_one(void **state)
{
	(void)state;
	begin_limited(BODY, DEPTH, 20 * BODY);
	finish(BODY);
	assert_int_equal(f.source.offered_most, 0);
}

static void
a_failing_source_is_told(void **state)
{
	(void)state;
	for (size_t at = 0; at < BODY - SIZE; at += BODY / 5) {
		begin(BODY, DEPTH);
		f.source.fail_at = at;
		assert_true(test_loop_await(&f.l, has_failed, PATIENCE_S));
		assert_int_equal(f.t.failed_side, READING);
		assert_int_equal(f.t.failed.err, -ENETDOWN);
		end();
	}
}

static void
stopped_at_any_moment_it_loses_nothing(void **state)
{
	(void)state;
	for (unsigned lag = 0; lag < 4; lag++) {
		for (unsigned after = 0; after < 60; after++) {
			begin(BODY, 1 + after % 9);
			f.sink.lag = lag;
			f.sink.stalled = after % 5 == 4;
			turn(after);
			end();
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_goes_in_comes_out_in_order),
	    TEST(a_read_may_end_anywhere),
	    TEST(what_was_not_needed_goes_back_at_once),
	    TEST(no_more_is_read_than_the_queue_has_room_for),
	    TEST(what_others_may_need_is_not_taken),
	    TEST(a_turn_is_bounded_by_bytes),
	    TEST(one_that_is_paced_reads_into_one),
	    TEST(a_failing_source_is_told),
	    TEST(stopped_at_any_moment_it_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
