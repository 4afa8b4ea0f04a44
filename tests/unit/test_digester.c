/*
 * A digester beside a sink that is made up: the values are right however the
 * bytes come and whichever of the two is slower, a chunk goes back when both
 * are done with it, and whatever ends it, and when, no chunk is lost.
 */
#include "flow/digester.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "disk/device.h"
#include "disk/engine.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"

enum {
	SIZE = 8 * 1024, /* of a chunk */
	BUDGET = 64,
	BODY_MAX = FAKE_BODY_MAX,
	ON_LOOP = 16 * 1024, /* so many bytes are hashed on the loop */
	BLOCKERS_MAX = 256,
	PATIENCE_S = 20,
};

/* A call that waits on the compute device until it is let go. */
struct blocker {
	struct op op;
	bool out;
};

static struct fixture {
	struct test_loop l;
	struct device_set *devices;
	struct device *compute;
	struct engine *engine;
	struct test_flow t;
	struct fake_source source;
	struct fake_sink sink;
	struct digester *digester;
	struct blocker blockers[BLOCKERS_MAX];
	size_t blocked;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
	bool end_within; /* all of it ends from within the callback */
} f;

/* ---- libcrypto, which may fail */

static bool is_broken;

#ifdef RTLD_NEXT
int
EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
	static int (*real)(EVP_MD_CTX *, const void *, size_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestUpdate");
	return is_broken ? 0 : real(ctx, bytes, len);
}
#define CAN_BREAK true
#else
#define CAN_BREAK false
#endif

/* ---- the compute device, which may be busy */

static int
block(void *blocker)
{
	(void)blocker;
	pthread_mutex_lock(&f.lock);
	while (!f.open)
		pthread_cond_wait(&f.opened, &f.lock);
	pthread_mutex_unlock(&f.lock);
	return 0;
}

static void
on_unblocked(struct op *op, int res)
{
	struct blocker *b = op->owner;

	assert_int_equal(res, 0);
	b->out = true;
	f.blocked--;
}

/* From here on nothing is hashed but on the loop, until unblock_compute(). */
static void
block_compute(void)
{
	assert_true(f.compute->cap <= BLOCKERS_MAX);
	f.open = false;
	for (; f.blocked < f.compute->cap; f.blocked++) {
		struct blocker *b = &f.blockers[f.blocked];

		b->op = (struct op){.kind = OP_CALL,
		    .call = block,
		    .arg = b,
		    .slow = true,
		    .owner = b,
		    .on_done = on_unblocked};
		engine_submit(f.engine, f.compute, &b->op);
	}
}

static void
unblock_compute(void)
{
	pthread_mutex_lock(&f.lock);
	f.open = true;
	pthread_cond_broadcast(&f.opened);
	pthread_mutex_unlock(&f.lock);
}

/* ---- the owner */

static void
end_all(void)
{
	flow_stop(&f.t.flow);
	digester_free(&f.digester);
}

static void
on_end(struct test_flow *t)
{
	if (t->drained) { /* both are done with all chunks */
		assert_int_equal(f.sink.count, 0);
		assert_int_equal(chunk_pool_held(f.l.pool), 0);
	} else {
		assert_int_equal(t->failed_side, WRITING);
		assert_false(failure_is(t->failed_of[READING]));
	}
	if (f.end_within)
		end_all();
}

static void
on_turn(void)
{
	fake_sink_turn(&f.sink);
}

static int
set_up(void **state)
{
	(void)state;
	(void)digest_start();
	memset(&f, 0, sizeof(f));
	is_broken = false;
	test_loop_begin(&f.l, SIZE, BUDGET);
	f.l.on_turn = on_turn;
	f.devices = device_set_new(f.l.pool);
	f.compute = device_new_compute(f.devices);
	assert_non_null(f.compute);
	assert_int_equal(engine_new(f.l.loop, ENGINE_THREADS, &f.engine), 0);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.opened, NULL);
	fake_source_open(&f.source);
	return 0;
}

static void
turn(unsigned n)
{
	test_loop_turn(&f.l, n);
}

static bool
await(bool (*what)(void))
{
	return test_loop_await(&f.l, what, PATIENCE_S);
}

static bool
has_ended(void)
{
	return test_flow_has_ended(&f.t);
}

static bool
is_idle(void)
{
	return engine_in_flight(f.engine) == 0;
}

static bool
blockers_run_alone(void)
{
	return engine_in_flight(f.engine) == f.blocked;
}

/* Stop it, in whatever state it is: nothing is lost. */
static void
end(void)
{
	end_all();
	assert_null(f.digester);
	f.sink.stalled = false;
	turn(f.sink.lag + 3);
	unblock_compute();
	assert_true(await(is_idle));
	assert_int_equal(f.sink.count, 0);
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	assert_int_equal(f.l.account.held, 0);
	assert_int_equal(f.l.account.waiting, 0);
}

static int
tear_down(void **state)
{
	(void)state;
	end();
	fake_source_close(&f.source);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	test_loop_end(&f.l);
	return 0;
}

static unsigned
sha256(void)
{
	return digest_bit(DIGEST_SHA256);
}

static const struct digest_claims *claims; /* of those that begin() makes */

static struct flow_setup
flow_setup(unsigned depth)
{
	return (struct flow_setup){
	    .source = &f.source.source,
	    .sink = &f.sink.sink,
	    .tap = digester_tap(f.digester),
	    .queue_depth = 2,
	    .write_depth = depth,
	};
}

static void
begin(unsigned set, size_t len, unsigned depth)
{
	struct flow_setup flow;

	fake_source_begin(&f.source, len, false);
	f.source.whole = f.source.source.ready = true;
	f.source.source.ended = len == 0;
	fake_sink_begin(&f.sink, BODY_MAX, depth);
	f.end_within = false;
	assert_false(
	    failure_is(digester_new(&(struct digester_setup){.loop = f.l.loop,
					.engine = f.engine,
					.compute = f.compute,
					.set = set,
					.claims = claims,
					.depth = depth},
		&f.digester)));
	f.t.on_end = on_end;
	flow = flow_setup(depth);
	test_flow_start(&f.t, &f.l, &flow);
}

/* The sink has it all, in order, and the values are those of all. */
static void
assert_digested(size_t len)
{
	const struct digest *is = digester_values(f.digester);
	struct digest *want;

	assert_int_equal(f.sink.len, len);
	assert_fake_bytes(f.sink.got, len);
	assert_false(failure_is(digester_finish(f.digester)));
	assert_int_equal(digest_new(digest_set(is), &want), 0);
	assert_int_equal(digest_update(want, f.sink.got, len), 0);
	assert_int_equal(digest_finish(want), 0);
	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		if (digest_set(is) & digest_bit(a))
			assert_memory_equal(digest_value(is, a),
			    digest_value(want, a), digest_kinds[a].len);
	digest_free(&want);
}

/* ---- the tests */

static void
values_are_those_of_all_bytes_in_order(void **state)
{
	static const size_t lengths[] = {0, 1, SIZE, ON_LOOP, ON_LOOP + 1,
	    ON_LOOP + SIZE, 100 * 1024 + 7, BODY_MAX};
	static const unsigned sets[] = {
	    1U << DIGEST_SHA256, 1U << DIGEST_CRC32C | 1U << DIGEST_MD5};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		for (unsigned k = 0; k < 24; k++) {
			begin(sets[k % 2], lengths[i], 1 + k % 8);
			f.sink.lag = k % 4;
			f.sink.backwards = k % 3 == 2;
			assert_true(await(has_ended));
			assert_false(failure_is(f.t.failed));
			assert_digested(lengths[i]);
			assert_true(
			    lengths[i] == 0 || digester_ns(f.digester) > 0);
			end();
		}
	}
}

/* Small ones need no thread. */
static void
the_first_bytes_are_hashed_on_the_loop(void **state)
{
	(void)state;
	block_compute();
	begin(sha256(), ON_LOOP, 4);
	assert_true(await(has_ended));
	assert_int_equal(engine_in_flight(f.engine), f.blocked);
	assert_digested(ON_LOOP);
	end();
	block_compute();
	begin(sha256(), ON_LOOP + 1, 4);
	turn(200);
	assert_false(has_ended());
	unblock_compute();
	assert_true(await(has_ended));
	assert_digested(ON_LOOP + 1);
	end();
}

/* The writer waits for it, and takes no more meanwhile than it may have. */
static void
a_slow_digest_holds_the_writer_up(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 8; depth++) {
		size_t at;

		block_compute();
		begin(sha256(), BODY_MAX, depth);
		turn(500);
		assert_int_equal(f.sink.count, 0);
		assert_int_equal(f.t.flow.writer.writing, 0);
		assert_int_equal(f.t.flow.writer.tapped, depth);
		assert_int_equal(f.sink.len, ON_LOOP + depth * SIZE);
		assert_int_equal(f.t.flow.meter.writer, WRITER_HASH);
		assert_int_equal(f.t.flow.meter.reader, READER_QUEUE);
		/* What was written is held, and charged, like what was not. */
		assert_true(chunk_pool_held(f.l.pool) >= depth + 2);
		assert_int_equal(f.l.account.held, chunk_pool_held(f.l.pool));
		at = f.source.at;
		turn(50);
		assert_int_equal(f.source.at, at);
		unblock_compute();
		assert_true(await(has_ended));
		assert_true(f.t.flow.meter.writer_ns[WRITER_HASH] > 0);
		assert_digested(BODY_MAX);
		end();
	}
}

/* The last chunk too: the end waits for both. */
static void
it_has_not_drained_before_all_is_hashed(void **state)
{
	(void)state;
	block_compute();
	begin(sha256(), ON_LOOP + 3 * SIZE, 8);
	turn(200);
	assert_int_equal(f.sink.len, ON_LOOP + 3 * SIZE);
	assert_int_equal(f.t.flow.writer.writing, 0);
	assert_int_equal(f.t.flow.meter.writer, WRITER_HASH);
	assert_false(f.t.drained);
	unblock_compute();
	assert_true(await(has_ended));
	assert_digested(ON_LOOP + 3 * SIZE);
	end();
}

static bool
nothing_is_tapped(void)
{
	return f.t.flow.writer.tapped == 0;
}

static void
a_slow_sink_keeps_what_is_hashed(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 8; depth++) {
		begin(sha256(), BODY_MAX, depth);
		f.sink.stalled = true;
		turn(50);
		assert_true(await(nothing_is_tapped));
		assert_int_equal(f.t.flow.writer.writing, depth);
		assert_int_equal(f.t.flow.meter.writer, WRITER_WRITE);
		assert_true(chunk_pool_held(f.l.pool) >= depth);
		assert_false(f.t.drained);
		f.sink.stalled = false;
		assert_true(await(has_ended));
		assert_true(f.sink.most <= depth);
		assert_digested(BODY_MAX);
		end();
	}
}

/* Its chunks have no owner from then on, and come back when the job has ended. */
static void
abandoned_while_it_waits_it_is_called_off(void **state)
{
	(void)state;
	for (int stalled = 0; stalled < 2; stalled++) {
		block_compute();
		begin(sha256(), BODY_MAX, 4);
		f.sink.stalled = stalled;
		turn(200);
		assert_int_equal(f.t.flow.writer.tapped, stalled ? 2 : 4);
		end_all();
		/* It does not wait for its turn on the processors. */
		assert_true(await(blockers_run_alone));
		turn(3);
		/* What the sink has still is charged, and nothing else is. */
		assert_int_equal(f.l.account.held, f.sink.count);
		assert_int_equal(chunk_pool_held(f.l.pool), f.sink.count);
		end();
	}
}

static void
stopped_at_any_moment_it_loses_nothing(void **state)
{
	(void)state;
	for (unsigned after = 0; after < 300; after++) {
		begin(sha256(), BODY_MAX, 1 + after % 8);
		f.sink.lag = after % 4;
		f.sink.stalled = after % 5 == 4;
		f.sink.backwards = after % 2;
		turn(after % 60);
		end_all();
		/* A device may go when its last operation has ended. */
		f.sink.stalled = false;
		turn(f.sink.lag + 2);
		assert_int_equal(f.sink.count, 0);
		assert_int_equal(f.l.account.held, 0);
		end();
	}
}

static void
it_may_be_ended_from_within(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 16; k++) {
		begin(sha256(), BODY_MAX, 1 + k % 8);
		f.end_within = true;
		f.sink.lag = k % 3;
		if (k % 2)
			f.sink.fail_at = BODY_MAX / 2;
		assert_true(await(has_ended));
		end();
	}
}

static void
a_failing_sink_is_told(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 16; k++) {
		if (k % 4 == 3)
			block_compute();
		begin(sha256(), BODY_MAX, 1 + k % 8);
		f.sink.fail_at = 1 + k * SIZE / 2;
		assert_true(await(has_ended));
		assert_int_equal(f.t.failed.err, -ENOSPC);
		assert_false(f.t.drained);
		end();
	}
}

/* In the job at once, on the loop when it is asked for the values. */
static void
a_failing_digest_is_told(void **state)
{
	struct failure why;

	(void)state;
	if (!CAN_BREAK)
		skip();
	begin(sha256(), BODY_MAX, 4);
	f.end_within = true;
	is_broken = true;
	assert_true(await(has_ended));
	assert_int_equal(f.t.failed.err, -EIO);
	end();
	is_broken = false;
	begin(sha256(), 100, 4);
	is_broken = true;
	assert_true(await(has_ended));
	assert_true(f.t.drained);
	why = digester_finish(f.digester);
	assert_int_equal(why.outcome, OUTCOME_DISK_ERROR);
	assert_int_equal(why.err, -EIO);
	end();
	is_broken = false;
}

/* The last flow lost its source: another one brings the rest. */
static void
bytes_may_come_by_several_flows(void **state)
{
	static const size_t first[] = {0, 1, ON_LOOP, ON_LOOP + 1, 100 * 1024};

	(void)state;
	for (unsigned k = 0; k < 20 * COUNT_OF(first); k++) {
		unsigned depth = 1 + k % 8;
		struct flow_setup flow;

		begin(sha256(), first[k % COUNT_OF(first)], depth);
		f.sink.lag = k % 3;
		assert_true(await(has_ended));
		flow_rest(&f.t.flow);
		fake_source_begin(&f.source, BODY_MAX, false);
		f.source.at = f.sink.len;
		flow = flow_setup(depth);
		test_flow_go_on(&f.t, &f.l, &flow);
		assert_true(await(has_ended));
		assert_false(failure_is(f.t.failed));
		assert_digested(BODY_MAX);
		end();
	}
}

static void
values_are_held_against_what_is_claimed(void **state)
{
	struct digest_claims claimed = {.set = sha256()};
	struct digest *want;
	unsigned char bytes[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = fake_byte(i);
	assert_int_equal(digest_new(sha256(), &want), 0);
	assert_int_equal(digest_update(want, bytes, sizeof(bytes)), 0);
	assert_int_equal(digest_finish(want), 0);
	memcpy(claimed.value[DIGEST_SHA256], digest_value(want, DIGEST_SHA256),
	    digest_kinds[DIGEST_SHA256].len);
	digest_free(&want);
	claims = &claimed;
	for (size_t len = sizeof(bytes) - 1; len <= sizeof(bytes) + 1; len++) {
		begin(sha256() | 1U << DIGEST_MD5, len, 3);
		claimed.value[DIGEST_SHA256][0] ^= 1; /* it has a copy */
		assert_true(await(has_ended));
		assert_int_equal(digester_finish(f.digester).outcome,
		    len == sizeof(bytes) ? OUTCOME_NONE
					 : OUTCOME_DIGEST_DIFFERS);
		claimed.value[DIGEST_SHA256][0] ^= 1;
		end();
	}
	/* The same as none. */
	claimed.set = 0;
	begin(sha256(), 3, 3);
	assert_true(await(has_ended));
	assert_digested(3);
	end();
	claims = NULL;
}

/* Nothing began: the store would not have it. */
static void
one_that_no_writer_has_is_freed(void **state)
{
	(void)state;
	assert_false(
	    failure_is(digester_new(&(struct digester_setup){.loop = f.l.loop,
					.engine = f.engine,
					.compute = f.compute,
					.set = sha256(),
					.depth = 1},
		&f.digester)));
	digester_free(&f.digester);
	assert_null(f.digester);
	digester_free(&f.digester);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(values_are_those_of_all_bytes_in_order),
	    TEST(the_first_bytes_are_hashed_on_the_loop),
	    TEST(a_slow_digest_holds_the_writer_up),
	    TEST(it_has_not_drained_before_all_is_hashed),
	    TEST(a_slow_sink_keeps_what_is_hashed),
	    TEST(abandoned_while_it_waits_it_is_called_off),
	    TEST(stopped_at_any_moment_it_loses_nothing),
	    TEST(it_may_be_ended_from_within),
	    TEST(a_failing_sink_is_told),
	    TEST(a_failing_digest_is_told),
	    TEST(bytes_may_come_by_several_flows),
	    TEST(values_are_held_against_what_is_claimed),
	    TEST(one_that_no_writer_has_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
