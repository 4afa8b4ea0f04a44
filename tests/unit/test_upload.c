/*
 * An upload, with sources that are made up and a store in memory: it is what an
 * owner makes of it that has no request at all.  What came by several transfers is
 * one file, and whatever ends it, and when, nothing is lost.
 */
#include "upload/upload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "config/config.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "lib/memory_store.h"
#include "shared/shm.h"
#include "upload/env.h"
#include "upload/upload_internal.h"

enum {
	SIZE = 4096, /* of a chunk */
	BUDGET = 64,
	BODY = 100 * 1024 + 7,
	SMALL = SIZE - 100, /* may be collected */
	QUEUE_DEPTH = 4,
	PATIENCE_S = 20,
};

/* What an owner does when it is told something. */
enum habit {
	WAITS,	/* nothing: the test goes on */
	ACTS,	/* a transfer when it is ready, a commit when that has ended */
	LEAVES, /* it ends the upload */
};

static struct fixture {
	struct test_loop l;
	struct device_set *devices;
	struct engine *engine;
	struct shm *shm;
	struct limits_scope places;
	struct upload_env env;
	struct conf_location location;
	struct digest_claims claims;
	struct store *store;
	bool is_settled;

	struct upload upload;
	bool is_owned; /* upload_end() was not called */
	enum habit when_ready, when_transferred;
	struct fake_source source;
	bool keep;

	/* what the owner was told */
	unsigned ready, transferred, stored, failed;
	bool committing_at_once; /* upload_commit() had begun it */
	struct failure cut, why;
	struct stored got;
	unsigned char sha256[DIGEST_LEN_MAX];
} f;

/* ---- the owner ---- */

static void
end_upload(void)
{
	if (!f.is_owned)
		return;
	f.is_owned = false;
	upload_end(&f.upload, "over");
	memset(&f.upload, 0xa5, sizeof(f.upload)); /* it is freed, say */
}

static void
transfer(void)
{
	upload_transfer(&f.upload, &(struct transfer){
				       .source = &f.source.source,
				       .queue_depth = QUEUE_DEPTH,
				       .keep = f.keep,
				   });
}

static void
commit(void)
{
	upload_commit(&f.upload, 0);
}

static void
on_ready(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	assert_int_equal(f.ready++, 0);
	if (f.when_ready == ACTS)
		transfer();
	else if (f.when_ready == LEAVES)
		end_upload();
}

static void
on_transferred(struct upload *u, struct failure why)
{
	assert_ptr_equal(u, &f.upload);
	f.transferred++;
	f.cut = why;
	if (f.when_transferred == LEAVES) {
		end_upload();
	} else if (f.when_transferred == ACTS) {
		commit();
		f.committing_at_once =
		    f.is_owned && upload_is_committing(&f.upload);
	}
}

static void
on_stored(struct upload *u, const struct stored *s)
{
	const struct digest *d = upload_digest(u);

	assert_ptr_equal(u, &f.upload);
	assert_int_equal(f.stored++ + f.failed, 0);
	f.got = *s;
	assert_true(upload_meter(u)->end != 0);
	if (d != NULL)
		memcpy(f.sha256, digest_value(d, DIGEST_SHA256),
		    digest_kinds[DIGEST_SHA256].len);
	end_upload();
}

static void
on_failed(struct upload *u, struct failure why, const char *reason)
{
	(void)reason;
	assert_ptr_equal(u, &f.upload);
	assert_int_equal(f.failed++ + f.stored, 0);
	assert_true(failure_is(why));
	f.why = why;
	assert_true(upload_meter(u)->end != 0);
	end_upload();
}

static const struct upload_events events = {
    .on_ready = on_ready,
    .on_transferred = on_transferred,
    .on_stored = on_stored,
    .on_failed = on_failed,
};

/* ---- around it ---- */

static void
on_turn(void)
{
	fake_source_turn(&f.source);
}

static void
on_settled(void *owner)
{
	(void)owner;
	f.is_settled = true;
}

static bool
is_settled(void)
{
	return f.is_settled;
}

static bool
await(bool (*what)(void))
{
	return test_loop_await(&f.l, what, PATIENCE_S);
}

static void
turn(unsigned n)
{
	test_loop_turn(&f.l, n);
}

static void
open_store(void)
{
	static char dir[] = "/in/memory";

	f.location.policy.output_dir = dir;
	f.location.policy.overwrite = true;
	f.store = memory_kind.open(&(struct store_setup){
	    .policy = &f.location.policy,
	    .loop = f.l.loop,
	    .chunk_size = SIZE,
	    .on_settled = on_settled,
	});
	assert_non_null(f.store);
	assert_true(await(is_settled));
	chunk_account_add(f.l.pool, memory_store_account(f.store));
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	(void)digest_start();
	test_loop_begin(&f.l, SIZE, BUDGET);
	f.l.on_turn = on_turn;
	fake_source_open(&f.source);
	f.devices = device_set_new(f.l.pool);
	assert_int_equal(engine_new(f.l.loop, ENGINE_THREADS, &f.engine), 0);
	f.shm = shm_new(limits_size(4));
	assert_non_null(f.shm);
	f.places.limits = limits_new(f.shm, 4);
	f.env = (struct upload_env){
	    .loop = f.l.loop,
	    .pool = f.l.pool,
	    .engine = f.engine,
	    .compute = device_new_compute(f.devices),
	    .limits = f.places.limits,
	};
	f.location.write_depth = 2;
	f.location.checksum = digest_bit(DIGEST_SHA256);
	open_store();
	return 0;
}

static bool
is_idle(void)
{
	return store_is_idle(f.store) && engine_in_flight(f.engine) == 0;
}

static void
come_to_rest(void)
{
	for (int step = 0; step < MEMORY_STEPS; step++)
		memory_store_release(f.store, step);
	f.source.pause_at = SIZE_MAX;
	turn(3);
	assert_true(await(is_idle));
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
}

/* Whatever became of it, nothing of it is left. */
static void
check_rest(void)
{
	assert_false(f.is_owned);
	come_to_rest();
	assert_int_equal(limits_count(&f.places, "p", 1), 0);
}

static int
tear_down(void **state)
{
	(void)state;
	end_upload(); /* after a failed test */
	come_to_rest();
	chunk_account_remove(f.l.pool, memory_store_account(f.store));
	store_free(&f.store);
	fake_source_close(&f.source);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	test_loop_end(&f.l);
	munmap(f.shm, sizeof(*f.shm) + limits_size(4));
	return 0;
}

/* Bytes `at` and on of such a body. */
static void
give_source(size_t at, size_t len, bool takes)
{
	fake_source_begin(&f.source, len, takes);
	f.source.at = at;
	f.source.source.ended = len == 0;
}

static void
begin_with(uint64_t length, bool collect)
{
	struct upload_request r = {
	    .env = &f.env,
	    .events = &events,
	    .location = &f.location,
	    .store = f.store,
	    .put =
		&(struct put_request){
		    .name = "a", .length = length, .collect = collect},
	    .claims = &f.claims,
	    .id = 7,
	};

	assert_int_equal(
	    limits_enter(&f.places, "p", 1, 1, &r.place), LIMITS_COUNTED);
	f.ready = f.transferred = f.stored = f.failed = 0;
	f.is_owned = true;
	f.committing_at_once = false;
	upload_begin(&f.upload, &r);
}

static void
begin(void)
{
	begin_with(STORE_LENGTH_UNKNOWN, false);
}

static bool
is_ready(void)
{
	return f.ready > 0;
}

static bool
has_transferred(void)
{
	return f.transferred > 0;
}

static bool
has_ended(void)
{
	return f.stored + f.failed > 0;
}

/* One is there, and it is the first `len` bytes of such a body. */
static void
assert_stored(size_t len)
{
	struct digest *want;
	const void *bytes;
	size_t is;

	assert_int_equal(f.stored, 1);
	assert_int_equal(f.failed, 0);
	assert_int_equal(f.got.info.size, len);
	bytes = memory_store_find(f.store, "a", &is);
	assert_int_equal(memory_store_count(f.store), 1);
	assert_int_equal(is, len);
	assert_fake_bytes(bytes, len);
	if (f.location.checksum == 0)
		return;
	assert_int_equal(digest_new(digest_bit(DIGEST_SHA256), &want), 0);
	assert_int_equal(digest_update(want, bytes, len), 0);
	assert_int_equal(digest_finish(want), 0);
	assert_memory_equal(f.sha256, digest_value(want, DIGEST_SHA256),
	    digest_kinds[DIGEST_SHA256].len);
	digest_free(&want);
}

static void
assert_failed(enum outcome outcome)
{
	assert_int_equal(f.failed, 1);
	assert_int_equal(f.why.outcome, outcome);
	assert_int_equal(memory_store_count(f.store), 0);
}

/* ---- one transfer, and the commit: as PUT does */

static void
one_transfer_is_committed_at_once(void **state)
{
	static const size_t lengths[] = {0, 1, SIZE, SIZE + 1, BODY};

	(void)state;
	f.when_ready = f.when_transferred = ACTS;
	for (unsigned k = 0; k < 4 * COUNT_OF(lengths); k++) {
		size_t len = lengths[k / 4];

		f.location.checksum = k % 2 ? digest_bit(DIGEST_SHA256) : 0;
		give_source(0, len, k % 4 >= 2);
		begin();
		assert_true(await(has_ended));
		assert_int_equal(f.transferred, 1);
		assert_false(failure_is(f.cut));
		assert_true(f.committing_at_once);
		assert_stored(len);
		check_rest();
	}
}

static void
a_small_one_is_collected(void **state)
{
	(void)state;
	f.when_ready = f.when_transferred = ACTS;
	give_source(0, SMALL, false);
	begin_with(SMALL, true);
	assert_int_equal(f.ready, 1); /* from within */
	assert_true(await(has_ended));
	assert_stored(SMALL);
	check_rest();
}

static void
a_source_that_fails_ends_it(void **state)
{
	(void)state;
	f.when_ready = f.when_transferred = ACTS;
	for (int takes = 0; takes < 2; takes++) {
		give_source(0, BODY, takes);
		f.source.fail_at = BODY / 2;
		begin();
		assert_true(await(has_ended));
		assert_int_equal(f.transferred, 0);
		assert_int_equal(f.failed, 1);
		assert_true(f.why.err == -ENETDOWN || f.why.err == -EIO);
		assert_int_equal(memory_store_count(f.store), 0);
		check_rest();
	}
}

/* ---- several transfers ---- */

/* The next one, from where it stands; `fail_at`: of the body. */
static void
go_on(bool takes, size_t fail_at)
{
	give_source((size_t)upload_offset(&f.upload), BODY, takes);
	f.source.fail_at = fail_at;
	f.transferred = 0;
	transfer();
	assert_true(await(has_transferred));
	assert_int_equal(upload_offset(&f.upload), f.source.at);
}

static void
what_two_sources_brought_is_one_file(void **state)
{
	static const size_t fails[] = {
	    0, 1, SIZE - 1, SIZE, BODY / 2, BODY - SIZE};

	(void)state;
	f.keep = true;
	for (unsigned k = 0; k < 8 * COUNT_OF(fails); k++) {
		size_t at = fails[k / 8];

		f.location.checksum = k & 4 ? digest_bit(DIGEST_SHA256) : 0;
		begin();
		assert_true(await(is_ready));
		assert_int_equal(upload_offset(&f.upload), 0);
		go_on(k & 1, at);
		assert_true(failure_is(f.cut));
		assert_true(f.cut.err == -ENETDOWN || f.cut.err == -EIO);
		assert_int_equal(f.failed, 0);
		assert_true(f.source.at >= at);
		/* Its first source may go, and time pass. */
		fake_source_begin(&f.source, 0, false);
		turn(20);
		assert_int_equal(chunk_pool_held(f.l.pool), 0);
		go_on(k & 2, SIZE_MAX);
		assert_false(failure_is(f.cut));
		commit();
		assert_true(await(has_ended));
		assert_stored(BODY);
		check_rest();
	}
}

/* As long as that is what was to come. */
static void
one_that_may_be_collected_may_come_in_parts(void **state)
{
	static const size_t fails[] = {0, 1, 1000};

	(void)state;
	f.keep = true;
	for (size_t i = 0; i < COUNT_OF(fails); i++) {
		begin_with(SMALL, true);
		give_source(0, SMALL, false);
		f.source.fail_at = fails[i];
		transfer();
		assert_true(await(has_transferred));
		assert_true(failure_is(f.cut));
		give_source((size_t)upload_offset(&f.upload), SMALL, true);
		f.transferred = 0;
		transfer();
		assert_true(await(has_transferred));
		commit();
		assert_true(await(has_ended));
		assert_stored(SMALL);
		check_rest();
	}
}

static void
there_may_be_many(void **state)
{
	(void)state;
	f.keep = true;
	begin();
	assert_true(await(is_ready));
	for (size_t at = 0; at < BODY; at += BODY / 10)
		go_on(at % 2 != 0, at);
	go_on(false, SIZE_MAX);
	commit();
	assert_true(await(has_ended));
	assert_stored(BODY);
}

/* The time between two of them is the clients', not the disk's. */
static void
between_two_it_waits_for_the_source(void **state)
{
	const struct meter *m = &f.upload.flow.meter;

	(void)state;
	f.keep = true;
	begin();
	assert_true(await(is_ready));
	go_on(false, BODY / 2);
	assert_int_equal(m->end, 0);
	assert_int_equal(m->reader, READER_NETWORK);
	assert_int_equal(m->writer, WRITER_DATA);
	end_upload();
}

/* ---- what is claimed */

static void
claim(size_t len)
{
	unsigned char bytes[BODY];
	struct digest *d;

	for (size_t i = 0; i < len; i++)
		bytes[i] = fake_byte(i);
	assert_int_equal(digest_new(digest_bit(DIGEST_SHA256), &d), 0);
	assert_int_equal(digest_update(d, bytes, len), 0);
	assert_int_equal(digest_finish(d), 0);
	f.claims.set = digest_bit(DIGEST_SHA256);
	memcpy(f.claims.value[DIGEST_SHA256], digest_value(d, DIGEST_SHA256),
	    digest_kinds[DIGEST_SHA256].len);
	digest_free(&d);
}

static void
what_is_claimed_is_that_of_all_transfers(void **state)
{
	(void)state;
	f.keep = true;
	for (int right = 0; right < 2; right++) {
		claim(right ? BODY : BODY - 1);
		begin();
		assert_true(await(is_ready));
		go_on(false, BODY / 2);
		go_on(false, SIZE_MAX);
		commit();
		assert_true(await(has_ended));
		if (right)
			assert_stored(BODY);
		else
			assert_failed(OUTCOME_DIGEST_DIFFERS);
		check_rest();
	}
}

/* ---- its owner gives up ---- */

/* Bring it to a state, where it stays. */
static void
bring_to(enum upload_state s)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	give_source(0, BODY, false);
	f.keep = true;
	f.when_ready = f.when_transferred = WAITS;
	plan->held[MEMORY_CREATE] = s == UPLOAD_OPENING;
	begin();
	if (s == UPLOAD_OPENING)
		return;
	assert_true(await(is_ready));
	if (s == UPLOAD_READY)
		return;
	plan->held[MEMORY_WRITE] = s == UPLOAD_DRAINING;
	if (s == UPLOAD_FLOWING)
		f.source.pause_at = BODY / 2;
	else if (s == UPLOAD_DRAINING)
		f.source.fail_at = SIZE / 2;
	transfer();
	if (s == UPLOAD_FLOWING || s == UPLOAD_DRAINING) {
		turn(50);
	} else {
		plan->held[MEMORY_COMMIT] = true;
		assert_true(await(has_transferred));
		commit();
		turn(3);
	}
}

static void
it_may_be_given_up_in_any_state(void **state)
{
	(void)state;
	for (unsigned s = 0; s < UPLOAD_OVER; s++) {
		bring_to(s);
		assert_int_equal(f.upload.state, s);
		assert_int_equal(
		    upload_is_committing(&f.upload), s == UPLOAD_COMMITTING);
		end_upload();
		check_rest();
		assert_int_equal(f.stored + f.failed, 0);
		/* What is being committed goes on alone. */
		assert_int_equal(
		    memory_store_count(f.store), s == UPLOAD_COMMITTING);
	}
}

static void
it_may_be_given_up_from_within(void **state)
{
	(void)state;
	f.keep = true;
	f.when_ready = LEAVES;
	begin();
	assert_true(await(is_ready));
	check_rest();
	f.when_ready = ACTS;
	f.when_transferred = LEAVES;
	for (int fails = 0; fails < 2; fails++) {
		give_source(0, BODY, false);
		f.source.fail_at = fails ? BODY / 2 : SIZE_MAX;
		begin();
		assert_true(await(has_transferred));
		check_rest();
	}
	assert_int_equal(memory_store_count(f.store), 0);
}

/* ---- its store fails ---- */

static const struct failure none = {OUTCOME_NONE, 0};

static void
a_store_may_fail_in_any_state(void **state)
{
	(void)state;
	for (unsigned s = 0; s < UPLOAD_OVER; s++) {
		bring_to(s);
		assert_int_equal(f.upload.state, s);
		memory_store_fail_all(
		    f.store, failure_of(OUTCOME_DISK_UNHEALTHY, 0));
		assert_failed(OUTCOME_DISK_UNHEALTHY);
		check_rest();
		assert_int_equal(memory_store_count(f.store), 0);
	}
}

static void
a_step_of_the_store_may_fail(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_BEGIN_PUT, MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	f.when_ready = f.when_transferred = ACTS;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		for (int keep = 0; keep < 2; keep++) {
			f.keep = keep;
			plan->why[steps[i]] = failure_of_errno(-ENOSPC);
			give_source(0, BODY, false);
			begin();
			assert_true(await(has_ended));
			assert_failed(OUTCOME_DISK_FULL);
			assert_int_equal(f.why.err, -ENOSPC);
			plan->why[steps[i]] = none;
			check_rest();
		}
	}
}

/* What was read of a source that failed could not be written. */
static void
a_store_may_fail_while_it_drains(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	bring_to(UPLOAD_DRAINING);
	plan->why[MEMORY_WRITE] = failure_of_errno(-EIO);
	memory_store_release(f.store, MEMORY_WRITE);
	assert_true(await(has_ended));
	assert_failed(OUTCOME_DISK_ERROR);
	assert_int_equal(f.transferred, 0);
	plan->why[MEMORY_WRITE] = none;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_transfer_is_committed_at_once),
	    TEST(a_small_one_is_collected),
	    TEST(a_source_that_fails_ends_it),
	    TEST(what_two_sources_brought_is_one_file),
	    TEST(one_that_may_be_collected_may_come_in_parts),
	    TEST(there_may_be_many),
	    TEST(between_two_it_waits_for_the_source),
	    TEST(what_is_claimed_is_that_of_all_transfers),
	    TEST(it_may_be_given_up_in_any_state),
	    TEST(it_may_be_given_up_from_within),
	    TEST(a_store_may_fail_in_any_state),
	    TEST(a_step_of_the_store_may_fail),
	    TEST(a_store_may_fail_while_it_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
