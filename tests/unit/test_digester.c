/*
 * A digester beside a sink that is made up: the values are right however the
 * bytes come and whichever of the two is slower, a chunk goes back when both
 * are done with it, and whatever ends it, and when, no chunk is lost.
 */
#include "flow/digester.h"

#include <dlfcn.h>
#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "disk/chunk.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "flow/flow.h"

enum {
	SIZE = 8 * 1024, /* of a chunk */
	BUDGET = 64,
	BODY_MAX = 200 * 1024 + 123,
	ON_LOOP = 16 * 1024, /* so many bytes are hashed on the loop */
	SINK_MAX = 16,
	BLOCKERS_MAX = 256,
	PATIENCE_S = 20,
};

/* Gives `len` bytes, as much as fits at a time. */
struct fake_source {
	struct source source;
	size_t at, len;
};

/* Keeps what it was given; is done with a chunk `lag` turns later, never while
 * it is stalled. */
struct fake_sink {
	struct sink sink;
	unsigned char got[BODY_MAX];
	size_t len, fail_at;
	unsigned lag;
	bool stalled;
	struct {
		struct chunk *chunk;
		unsigned due;
	} has[SINK_MAX];
	unsigned count, most;
	bool backwards; /* the last one first */
	struct writer *writer;
};

/* A call that waits on the compute device until it is let go. */
struct blocker {
	struct op op;
	bool out;
};

static struct fixture {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account account;
	struct device_set *devices;
	struct device *compute;
	struct engine *engine;
	struct flow flow;
	struct fake_source source;
	struct fake_sink sink;
	struct digester *digester;
	struct blocker blockers[BLOCKERS_MAX];
	size_t blocked;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
	ev_prepare tick;
	ev_idle busy;
	int ends[2];
	unsigned turns;
	bool drained;
	int failed;
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

static unsigned char
byte_at(size_t at)
{
	return (unsigned char)(at * 2654435761U >> 11);
}

/* ---- the source and the sink */

static enum source_result
source_read(
    struct source *source, struct chunk *c, size_t size, struct reader *r)
{
	struct fake_source *s =
	    container_of(source, struct fake_source, source);

	(void)r;
	for (; c->len < size && s->at < s->len; s->at++)
		c->data[c->len++] = byte_at(s->at);
	s->source.ended = s->at == s->len;
	return SOURCE_BYTES;
}

static const struct source_ops source_ops = {.read = source_read};

static void
sink_write(struct sink *sink, struct chunk *c, struct writer *w)
{
	struct fake_sink *s = container_of(sink, struct fake_sink, sink);

	assert_true(s->len + c->len <= BODY_MAX);
	assert_true(s->count < SINK_MAX);
	memcpy(s->got + s->len, c->data, c->len);
	s->len += c->len;
	s->has[s->count].chunk = c;
	s->has[s->count++].due = f.turns + s->lag;
	s->writer = w;
	if (s->count > s->most)
		s->most = s->count;
}

static void
sink_abandon(struct sink *sink)
{
	struct fake_sink *s = container_of(sink, struct fake_sink, sink);

	assert_true(s->count > 0);
	s->writer = NULL;
	for (unsigned i = 0; i < s->count; i++)
		chunk_disown(s->has[i].chunk);
}

static void
sink_go_on(struct fake_sink *s)
{
	while (s->count > 0 && !s->stalled && s->has[0].due <= f.turns) {
		unsigned i = s->backwards ? s->count - 1 : 0;

		chunk_give(s->has[i].chunk);
		s->count--;
		memmove(s->has + i, s->has + i + 1,
		    (s->count - i) * sizeof(s->has[0]));
		if (s->writer == NULL)
			continue;
		writer_done(s->writer, 1);
		if (s->len >= s->fail_at)
			writer_failed(s->writer, -ENOSPC);
	}
}

static const struct sink_ops sink_ops = {
    .write = sink_write,
    .abandon = sink_abandon,
};

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
	flow_stop(&f.flow);
	digester_free(&f.digester);
}

static void
on_read_all(void *owner)
{
	(void)owner;
}

static void
on_drained(void *owner)
{
	(void)owner;
	assert_false(f.drained || f.failed);
	/* Both are done with all chunks. */
	assert_int_equal(f.sink.count, 0);
	assert_int_equal(chunk_pool_held(f.pool), 0);
	f.drained = true;
	if (f.end_within)
		end_all();
}

/* Only the sink fails here. */
static void
on_read_failed(void *owner, int err)
{
	(void)owner;
	fail_msg("the source failed: %d", err);
}

static void
on_write_failed(void *owner, int err)
{
	(void)owner;
	assert_int_equal(f.failed, 0);
	f.failed = err;
	if (f.end_within)
		end_all();
}

static void
on_tick(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	f.turns++;
	sink_go_on(&f.sink);
}

static void
on_busy(struct ev_loop *loop, ev_idle *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

static int
set_up(void **state)
{
	(void)state;
	(void)digest_start();
	memset(&f, 0, sizeof(f));
	is_broken = false;
	f.loop = ev_loop_new(EVFLAG_AUTO);
	f.pool = chunk_pool_new(f.loop, SIZE, SIZE * BUDGET);
	chunk_account_add(f.pool, &f.account);
	f.devices = device_set_new(f.pool);
	f.compute = device_new_compute(f.devices);
	assert_non_null(f.compute);
	assert_int_equal(engine_new(f.loop, ENGINE_THREADS, &f.engine), 0);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.opened, NULL);
	assert_int_equal(pipe(f.ends), 0);
	assert_int_equal(write(f.ends[1], "x", 1), 1);
	ev_prepare_init(&f.tick, on_tick);
	ev_prepare_start(f.loop, &f.tick);
	ev_idle_init(&f.busy, on_busy);
	ev_idle_start(f.loop, &f.busy);
	return 0;
}

/* So many turns of the loop. */
static void
turn(unsigned n)
{
	while (n-- > 0)
		ev_run(f.loop, EVRUN_NOWAIT);
}

static bool
await(bool (*what)(void))
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NS_PER_S;

	while (!what() && clock_mono_ns() < end)
		turn(1);
	return what();
}

static bool
has_ended(void)
{
	return f.drained || f.failed != 0;
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
	assert_int_equal(chunk_pool_held(f.pool), 0);
	assert_int_equal(f.account.held, 0);
	assert_int_equal(f.account.waiting, 0);
}

static int
tear_down(void **state)
{
	(void)state;
	end();
	close(f.ends[0]);
	close(f.ends[1]);
	chunk_account_remove(f.pool, &f.account);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	chunk_pool_free(&f.pool);
	ev_loop_destroy(f.loop);
	return 0;
}

static unsigned
sha256(void)
{
	return digest_bit(DIGEST_SHA256);
}

static void
begin(unsigned set, size_t len, unsigned depth)
{
	assert_true(len <= BODY_MAX);
	f.flow = (struct flow){0};
	f.source = (struct fake_source){
	    .source = {.ops = &source_ops,
		.fd = f.ends[0],
		.wants = EV_READ,
		.ready = true,
		.ended = len == 0},
	    .len = len,
	};
	memset(&f.sink, 0, sizeof(f.sink));
	f.sink.sink.ops = &sink_ops;
	f.sink.fail_at = SIZE_MAX;
	f.drained = f.end_within = false;
	f.failed = 0;
	assert_int_equal(digester_new(&(struct digester_setup){.loop = f.loop,
					  .engine = f.engine,
					  .compute = f.compute,
					  .set = set,
					  .depth = depth},
			     &f.digester),
	    0);
	flow_init(&f.flow);
	assert_int_equal(flow_start(&f.flow,
			     &(struct flow_setup){
				 .loop = f.loop,
				 .pool = f.pool,
				 .account = &f.account,
				 .source = &f.source.source,
				 .sink = &f.sink.sink,
				 .tap = digester_tap(f.digester),
				 .queue_depth = 2,
				 .write_depth = depth,
				 .owner = &f,
				 .on_read_all = on_read_all,
				 .on_drained = on_drained,
				 .on_read_failed = on_read_failed,
				 .on_write_failed = on_write_failed,
			     }),
	    0);
}

/* The sink has it all, in order, and the values are those of all. */
static void
assert_digested(size_t len)
{
	const struct digest *is = digester_values(f.digester);
	struct digest *want;

	assert_int_equal(f.sink.len, len);
	for (size_t i = 0; i < len; i++)
		if (f.sink.got[i] != byte_at(i))
			fail_msg("byte %zu is another", i);
	assert_int_equal(digester_finish(f.digester), 0);
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
			assert_int_equal(f.failed, 0);
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
		assert_int_equal(f.flow.writer.writing, 0);
		assert_int_equal(f.flow.writer.tapped, depth);
		assert_int_equal(f.sink.len, ON_LOOP + depth * SIZE);
		assert_int_equal(f.flow.meter.writer, WRITER_HASH);
		assert_int_equal(f.flow.meter.reader, READER_QUEUE);
		/* What was written is held, and charged, like what was not. */
		assert_true(chunk_pool_held(f.pool) >= depth + 2);
		assert_int_equal(f.account.held, chunk_pool_held(f.pool));
		at = f.source.at;
		turn(50);
		assert_int_equal(f.source.at, at);
		unblock_compute();
		assert_true(await(has_ended));
		assert_true(f.flow.meter.writer_ns[WRITER_HASH] > 0);
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
	assert_int_equal(f.flow.writer.writing, 0);
	assert_int_equal(f.flow.meter.writer, WRITER_HASH);
	assert_false(f.drained);
	unblock_compute();
	assert_true(await(has_ended));
	assert_digested(ON_LOOP + 3 * SIZE);
	end();
}

static bool
nothing_is_tapped(void)
{
	return f.flow.writer.tapped == 0;
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
		assert_int_equal(f.flow.writer.writing, depth);
		assert_int_equal(f.flow.meter.writer, WRITER_WRITE);
		assert_true(chunk_pool_held(f.pool) >= depth);
		assert_false(f.drained);
		f.sink.stalled = false;
		assert_true(await(has_ended));
		assert_true(f.sink.most <= depth);
		assert_digested(BODY_MAX);
		end();
	}
}

/* Its chunks are nobody's from then on, and come back when the job lets go. */
static void
abandoned_while_it_waits_it_is_called_off(void **state)
{
	(void)state;
	for (int stalled = 0; stalled < 2; stalled++) {
		block_compute();
		begin(sha256(), BODY_MAX, 4);
		f.sink.stalled = stalled;
		turn(200);
		assert_int_equal(f.flow.writer.tapped, stalled ? 2 : 4);
		end_all();
		/* It does not wait for its turn on the processors. */
		assert_true(await(blockers_run_alone));
		turn(3);
		/* What the sink has still is charged, and nothing else is. */
		assert_int_equal(f.account.held, f.sink.count);
		assert_int_equal(chunk_pool_held(f.pool), f.sink.count);
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
		assert_int_equal(f.account.held, 0);
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
		assert_int_equal(f.failed, -ENOSPC);
		assert_false(f.drained);
		end();
	}
}

/* In the job at once, on the loop when it is asked for the values. */
static void
a_failing_digest_is_told(void **state)
{
	(void)state;
	if (!CAN_BREAK)
		skip();
	begin(sha256(), BODY_MAX, 4);
	f.end_within = true;
	is_broken = true;
	assert_true(await(has_ended));
	assert_int_equal(f.failed, -EIO);
	end();
	is_broken = false;
	begin(sha256(), 100, 4);
	is_broken = true;
	assert_true(await(has_ended));
	assert_true(f.drained);
	assert_int_equal(digester_finish(f.digester), -EIO);
	end();
	is_broken = false;
}

/* Nothing began: the store would not have it. */
static void
one_that_no_writer_has_is_freed(void **state)
{
	(void)state;
	assert_int_equal(digester_new(&(struct digester_setup){.loop = f.loop,
					  .engine = f.engine,
					  .compute = f.compute,
					  .set = sha256(),
					  .depth = 1},
			     &f.digester),
	    0);
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
	    TEST(one_that_no_writer_has_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
