/*
 * An upload, with sources that are made up and a store in memory: it is what an
 * owner makes of it that has no request at all.  What came by several transfers is
 * one file, and whatever ends it, and when, nothing is lost.
 */
#include "upload/upload.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "lib/memory_store.h"
#include "shared/bell.h"
#include "shared/shm.h"
#include "shared/wanted.h"
#include "upload/env.h"
#include "upload/upload_internal.h"

enum {
	SIZE = 4096, /* of a chunk */
	BUDGET = 64,
	BODY = 100 * 1024 + 7,
	SMALL = SIZE - 100, /* may be collected */
	QUEUE_DEPTH = 4,
	PART = BODY / 2, /* where a partial is suspended */
	PATIENCE_S = 20,
};

/* What an owner does when it is told something. */
enum habit {
	WAITS,	/* nothing: the test goes on */
	ACTS,	/* a transfer when it is ready, a commit when that has ended */
	LEAVES, /* it ends the upload */
	YIELDS, /* it suspends what has come, and ends the upload */
};

static const char id[] = "0123456789abcdef0123456789abcdef";

static struct fixture {
	struct test_loop l;
	struct device_set *devices;
	struct engine *engine;
	struct shm *shm;
	struct bell bell;
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
	bool is_partial;
	const struct digest_claims *part; /* of the next transfer */
	const char *answer;		  /* its owner's last word */

	/* what the owner was told */
	unsigned ready, transferred, stored, failed;
	bool committing_at_once; /* upload_commit() had begun it */
	struct failure cut, why;
	unsigned held, found, suspended, removed, wanted;
	bool has_part_digest;
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
				       .claims = f.part,
				   });
}

static void
commit(void)
{
	upload_commit(&f.upload, 0);
}

/* Keep so much of it. */
static void
suspend_at(uint64_t offset)
{
	upload_suspend(&f.upload, &(struct partial){
				      .offset = offset,
				      .length = BODY,
				      .state = {"s", 1},
				  });
}

static void
on_ready(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.ready++;
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
	f.has_part_digest = upload_part_digest(u) != NULL;
	if (f.when_transferred == LEAVES) {
		end_upload();
	} else if (f.when_transferred == YIELDS) {
		suspend_at(upload_offset(u));
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
	if (f.answer != NULL)
		upload_conclude(u, PARTIAL_STORED,
		    (struct span){f.answer, strlen(f.answer)});
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
	if (f.answer != NULL)
		upload_conclude(u, PARTIAL_REFUSED,
		    (struct span){f.answer, strlen(f.answer)});
	end_upload();
}

static void
on_held(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.held++;
}

static void
on_found(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.found++;
	if (f.when_ready == LEAVES)
		end_upload();
}

static void
on_suspended(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.suspended++;
	if (f.when_transferred == YIELDS || f.when_transferred == LEAVES)
		end_upload();
}

static void
on_removed(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.removed++;
	end_upload();
}

static void
on_wanted(struct upload *u)
{
	assert_ptr_equal(u, &f.upload);
	f.wanted++;
	if (f.when_transferred == YIELDS)
		upload_cut(u, failure_of(OUTCOME_TAKEN_OVER, 0));
}

static const struct upload_events events = {
    .on_ready = on_ready,
    .on_transferred = on_transferred,
    .on_stored = on_stored,
    .on_failed = on_failed,
    .on_held = on_held,
    .on_found = on_found,
    .on_suspended = on_suspended,
    .on_removed = on_removed,
    .on_wanted = on_wanted,
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
	f.shm = shm_new(limits_size(4) + wanted_size());
	assert_non_null(f.shm);
	bell_init(&f.bell);
	f.places.limits = limits_new(f.shm, 4);
	f.env = (struct upload_env){
	    .loop = f.l.loop,
	    .pool = f.l.pool,
	    .engine = f.engine,
	    .compute = device_new_compute(f.devices),
	    .limits = f.places.limits,
	    .takeover = takeover_new(f.l.loop, wanted_new(f.shm), &f.bell),
	};
	assert_non_null(f.env.takeover);
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
	takeover_free(&f.env.takeover);
	if (f.bell.fd != -1)
		close(f.bell.fd);
	engine_free(&f.engine);
	device_set_free(&f.devices);
	test_loop_end(&f.l);
	munmap(f.shm, sizeof(*f.shm) + limits_size(4) + wanted_size());
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
forget(void)
{
	f.ready = f.transferred = f.stored = f.failed = 0;
	f.held = f.found = f.suspended = f.removed = f.wanted = 0;
	f.is_owned = true;
	f.committing_at_once = false;
}

static void
begin_with(uint64_t length, bool collect)
{
	struct partial partial = {.length = length};
	struct upload_request r = {
	    .env = &f.env,
	    .events = &events,
	    .location = &f.location,
	    .store = f.store,
	    .put = &(struct put_request){.name = "a",
		.length = length,
		.collect = collect,
		.partial = f.is_partial ? &partial : NULL},
	    .claims = &f.claims,
	    .id = 7,
	};

	memcpy(partial.id, id, sizeof(id));
	assert_int_equal(
	    limits_enter(&f.places, "p", 1, 1, &r.place), LIMITS_COUNTED);
	forget();
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

/* ---- partials ---- */

static bool
is_found(void)
{
	return f.found + f.failed > 0;
}

static bool
is_suspended(void)
{
	return f.suspended + f.failed > 0;
}

static bool
is_held(void)
{
	return f.held + f.failed > 0;
}

static bool
is_removed(void)
{
	return f.removed + f.failed > 0;
}

static void
begin_to_resume(void)
{
	struct upload_request r = {
	    .env = &f.env,
	    .events = &events,
	    .location = &f.location,
	    .store = f.store,
	    .id = 8,
	    .partial = id,
	};

	assert_int_equal(
	    limits_enter(&f.places, "p", 1, 1, &r.place), LIMITS_COUNTED);
	forget();
	upload_resume(&f.upload, &r);
}

static void
resume(void)
{
	begin_to_resume();
	assert_true(await(is_found));
	assert_int_equal(f.failed, 0);
}

static void
append(void)
{
	f.ready = 0;
	upload_append(&f.upload,
	    &(struct put_request){.name = "a", .length = BODY}, &f.claims);
	assert_true(await(is_ready));
}

/* Bring what the body has up to `end`. */
static void
bring(size_t end)
{
	give_source((size_t)upload_offset(&f.upload), end, false);
	f.transferred = 0;
	transfer();
	assert_true(await(has_transferred));
}

static void
suspend(void)
{
	f.suspended = 0;
	suspend_at(upload_offset(&f.upload));
	assert_true(await(is_suspended));
	assert_int_equal(f.failed, 0);
}

/* The first part of one is there, and it waits. */
static void
leave_a_part(void)
{
	f.is_partial = f.keep = true;
	f.when_ready = f.when_transferred = WAITS;
	begin();
	assert_true(await(is_ready));
	bring(PART);
	suspend();
	end_upload();
}

static uint64_t
kept(void)
{
	const struct partial *p = memory_store_partial(f.store, id);

	assert_non_null(p);
	assert_int_equal(p->phase, PARTIAL_OPEN);
	return p->offset;
}

/* ---- its owner gives up ---- */

static const struct {
	enum memory_step step;
	bool is_held; /* in that state, or else the test has not gone on */
} holds[UPLOAD_STATES] = {
    [UPLOAD_OPENING] = {MEMORY_CREATE, true},
    [UPLOAD_RESUMING] = {MEMORY_RESUME, true},
    [UPLOAD_DRAINING] = {MEMORY_WRITE, true},
    [UPLOAD_SUSPENDING] = {MEMORY_SUSPEND, true},
    [UPLOAD_HASHING] = {MEMORY_HASH, true},
    [UPLOAD_REMOVING] = {MEMORY_REMOVE, true},
    [UPLOAD_COMMITTING] = {MEMORY_COMMIT, true},
};

static bool
is_of_partials(enum upload_state s)
{
	return s == UPLOAD_RESUMING || s == UPLOAD_ELSEWHERE ||
	       s == UPLOAD_FOUND || s == UPLOAD_SUSPENDING ||
	       s == UPLOAD_SUSPENDED || s == UPLOAD_HASHING ||
	       s == UPLOAD_REMOVING;
}

/* On with one that has a part. */
static void
bring_partial_to(enum upload_state s)
{
	if (s == UPLOAD_ELSEWHERE)
		memory_store_hold(f.store, id, true);
	begin_to_resume();
	if (s == UPLOAD_RESUMING)
		return;
	if (s == UPLOAD_ELSEWHERE) {
		assert_true(await(is_held));
		return;
	}
	assert_true(await(is_found));
	if (s == UPLOAD_FOUND)
		return;
	if (s == UPLOAD_REMOVING) {
		upload_remove(&f.upload);
		return;
	}
	append();
	if (s == UPLOAD_HASHING) {
		bring(BODY);
		commit();
		return;
	}
	suspend_at(PART);
	if (s == UPLOAD_SUSPENDED)
		assert_true(await(is_suspended));
}

/* Bring it to a state, where it stays. */
static void
bring_to(enum upload_state s)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	f.keep = true;
	f.when_ready = f.when_transferred = WAITS;
	if (is_of_partials(s))
		leave_a_part();
	if (holds[s].is_held)
		plan->held[holds[s].step] = true;
	if (is_of_partials(s)) {
		bring_partial_to(s);
		return;
	}
	give_source(0, BODY, false);
	begin();
	if (s == UPLOAD_OPENING)
		return;
	assert_true(await(is_ready));
	if (s == UPLOAD_READY)
		return;
	if (s == UPLOAD_FLOWING)
		f.source.pause_at = BODY / 2;
	else if (s == UPLOAD_DRAINING)
		f.source.fail_at = SIZE / 2;
	transfer();
	if (s == UPLOAD_FLOWING || s == UPLOAD_DRAINING) {
		turn(50);
	} else {
		assert_true(await(has_transferred));
		commit();
		turn(3);
	}
}

/* What there may be of it is gone, for another one. */
static void
remove_partial(void)
{
	if (memory_store_partial(f.store, id) == NULL)
		return;
	f.when_ready = f.when_transferred = WAITS;
	memory_store_hold(f.store, id, false);
	resume();
	upload_remove(&f.upload);
	assert_true(await(is_removed));
	assert_int_equal(f.removed, 1);
	check_rest();
}

static void
it_may_be_given_up_in_any_state(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2 * UPLOAD_OVER; k++) {
		unsigned s = k / 2;
		size_t there = memory_store_count(f.store);

		f.is_partial = k % 2;
		if (!f.is_partial && is_of_partials(s))
			continue;
		bring_to(s);
		assert_int_equal(f.upload.state, s);
		assert_int_equal(
		    upload_is_committing(&f.upload), s == UPLOAD_COMMITTING);
		end_upload();
		check_rest();
		assert_int_equal(f.stored + f.failed, 0);
		/* What is being committed goes on alone; so does a removal. */
		if (s == UPLOAD_COMMITTING && there == 0)
			there = 1;
		assert_int_equal(memory_store_count(f.store), there);
		assert_int_equal(memory_store_partials(f.store),
		    f.is_partial && s != UPLOAD_OPENING &&
			s != UPLOAD_REMOVING);
		if (is_of_partials(s) && s != UPLOAD_REMOVING)
			assert_int_equal(kept(), PART);
		remove_partial();
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
	for (unsigned k = 0; k < 2 * UPLOAD_OVER; k++) {
		unsigned s = k / 2;

		f.is_partial = k % 2;
		if (!f.is_partial && is_of_partials(s))
			continue;
		if (s == UPLOAD_ELSEWHERE) /* it has failed already */
			continue;
		bring_to(s);
		assert_int_equal(f.upload.state, s);
		memory_store_fail_all(
		    f.store, failure_of(OUTCOME_DISK_UNHEALTHY, 0));
		assert_failed(OUTCOME_DISK_UNHEALTHY);
		check_rest();
		assert_int_equal(memory_store_count(f.store), 0);
		remove_partial();
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

/* ---- it outlives its owner ---- */

static void
finish(void)
{
	bring(BODY);
	assert_false(failure_is(f.cut));
	commit();
	assert_true(await(has_ended));
}

static void
a_partial_goes_on_after_its_owner(void **state)
{
	(void)state;
	leave_a_part();
	check_rest();
	assert_int_equal(kept(), PART);
	resume();
	assert_int_equal(upload_partial(&f.upload)->offset, PART);
	assert_int_equal(upload_offset(&f.upload), PART);
	append();
	finish();
	assert_stored(BODY);
	check_rest();
	resume();
	assert_int_equal(upload_partial(&f.upload)->phase, PARTIAL_STORED);
	end_upload();
}

/* ---- its digests ---- */

static void
what_passed_as_one_is_not_read_back(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	plan->why[MEMORY_HASH] = failure_of_errno(-EIO);
	f.is_partial = f.keep = true;
	for (int suspends = 0; suspends < 2; suspends++) {
		begin();
		assert_true(await(is_ready));
		bring(BODY);
		if (suspends)
			suspend();
		commit();
		assert_true(await(has_ended));
		assert_stored(BODY);
		remove_partial();
	}
}

static void
what_came_in_parts_is_read_back(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	leave_a_part();
	plan->held[MEMORY_HASH] = true;
	resume();
	append();
	bring(BODY);
	commit();
	turn(10);
	assert_int_equal(f.upload.state, UPLOAD_HASHING);
	assert_false(upload_is_committing(&f.upload));
	memory_store_release(f.store, MEMORY_HASH);
	assert_true(await(has_ended));
	assert_stored(BODY);
}

static void
bytes_that_cannot_be_read_back_fail_it(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	leave_a_part();
	plan->why[MEMORY_HASH] = failure_of_errno(-EIO);
	resume();
	append();
	finish();
	assert_failed(OUTCOME_DISK_ERROR);
	assert_int_equal(kept(), PART);
}

static void
what_is_claimed_of_the_whole_is_held_against_all_parts(void **state)
{
	(void)state;
	f.location.checksum = 0;
	for (int right = 0; right < 2; right++) {
		f.claims.set = 0;
		leave_a_part();
		claim(right ? BODY : BODY - 1);
		resume();
		append();
		finish();
		if (right)
			assert_stored(BODY);
		else
			assert_failed(OUTCOME_DIGEST_DIFFERS);
		remove_partial();
	}
}

/* Of what is between `from` and `to`. */
static void
claim_part(struct digest_claims *c, size_t from, size_t to)
{
	static unsigned char bytes[BODY];
	struct digest *d;

	for (size_t i = from; i < to; i++)
		bytes[i - from] = fake_byte(i);
	assert_int_equal(digest_new(digest_bit(DIGEST_SHA1), &d), 0);
	assert_int_equal(digest_update(d, bytes, to - from), 0);
	assert_int_equal(digest_finish(d), 0);
	*c = (struct digest_claims){.set = digest_bit(DIGEST_SHA1)};
	memcpy(c->value[DIGEST_SHA1], digest_value(d, DIGEST_SHA1),
	    digest_kinds[DIGEST_SHA1].len);
	digest_free(&d);
}

static void
a_part_that_is_as_claimed_counts(void **state)
{
	struct digest_claims c;

	(void)state;
	f.is_partial = f.keep = true;
	f.part = &c;
	claim_part(&c, 0, PART);
	c.wanted = digest_bit(DIGEST_SHA256); /* as the whole has */
	begin();
	assert_true(await(is_ready));
	bring(PART);
	assert_false(failure_is(f.cut));
	assert_true(f.has_part_digest);
	suspend();
	append();
	claim_part(&c, PART, BODY);
	c.wanted = digest_bit(DIGEST_SHA256);
	bring(BODY);
	assert_false(failure_is(f.cut));
	assert_true(f.has_part_digest);
	commit();
	assert_true(await(has_ended));
	assert_stored(BODY); /* with the digest that its location wants */
}

/* Its owner leaves the offset where it was; it comes again, and is right. */
static void
a_part_that_is_not_as_claimed_does_not_count(void **state)
{
	struct digest_claims c;

	(void)state;
	leave_a_part();
	resume();
	append();
	f.part = &c;
	claim_part(&c, PART, BODY - 1);
	bring(BODY);
	assert_int_equal(f.cut.outcome, OUTCOME_DIGEST_DIFFERS);
	assert_false(f.has_part_digest);
	suspend_at(upload_partial(&f.upload)->offset);
	assert_true(await(is_suspended));
	assert_int_equal(kept(), PART);
	assert_int_equal(upload_offset(&f.upload), PART);
	append();
	claim_part(&c, PART, BODY);
	finish();
	assert_stored(BODY);
}

static void
a_part_that_is_cut_has_no_digest(void **state)
{
	struct digest_claims c;

	(void)state;
	f.part = &c;
	claim_part(&c, 0, BODY);
	f.is_partial = true;
	bring_to(UPLOAD_FLOWING);
	upload_cut(&f.upload, failure_of(OUTCOME_TAKEN_OVER, 0));
	assert_true(await(has_transferred));
	assert_int_equal(f.cut.outcome, OUTCOME_TAKEN_OVER);
	assert_false(f.has_part_digest);
	end_upload();
}

/* ---- a transfer is cut ---- */

/* What was read is there, and what comes behind it is right. */
static void
assert_cut(void)
{
	assert_true(await(has_transferred));
	assert_int_equal(f.transferred, 1);
	assert_int_equal(f.cut.outcome, OUTCOME_TAKEN_OVER);
	assert_int_equal(upload_offset(&f.upload), f.source.at);
	suspend();
	assert_int_equal(kept(), f.source.at);
	append();
	finish();
	assert_stored(BODY);
	remove_partial();
}

static void
a_transfer_can_be_cut_while_it_reads(void **state)
{
	(void)state;
	f.is_partial = true;
	for (int k = 0; k < 2; k++) {
		f.location.checksum = k ? digest_bit(DIGEST_SHA256) : 0;
		bring_to(UPLOAD_FLOWING);
		assert_int_equal(f.upload.state, UPLOAD_FLOWING);
		upload_cut(&f.upload, failure_of(OUTCOME_TAKEN_OVER, 0));
		assert_cut();
	}
}

static void
a_transfer_can_be_cut_while_the_queue_is_full(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	f.is_partial = f.keep = true;
	plan->held[MEMORY_WRITE] = true;
	begin();
	assert_true(await(is_ready));
	give_source(0, BODY, false);
	transfer();
	turn(50);
	assert_int_equal(f.upload.state, UPLOAD_FLOWING);
	upload_cut(&f.upload, failure_of(OUTCOME_TAKEN_OVER, 0));
	assert_int_equal(f.upload.state, UPLOAD_DRAINING);
	memory_store_release(f.store, MEMORY_WRITE);
	assert_cut();
}

static bool
has_no_memory(void)
{
	return list_is_linked(&f.upload.flow.reader.claim.node);
}

/* What it waited for must not come to it any more. */
static void
a_transfer_can_be_cut_while_there_is_no_memory(void **state)
{
	struct chunk_account *other = memory_store_account(f.store);
	struct chunk_claim claims[BUDGET] = {0};
	struct chunk *chunks[BUDGET];
	unsigned n = 0;

	(void)state;
	f.is_partial = f.keep = true;
	begin();
	assert_true(await(is_ready));
	give_source(0, BODY, false);
	f.source.pause_at = SIZE;
	transfer();
	turn(50);
	for (; n < BUDGET; n++) {
		claims[n].account = other;
		chunks[n] = chunk_take(f.l.pool, &claims[n]);
		if (chunks[n] == NULL)
			break;
	}
	f.source.pause_at = SIZE_MAX;
	if (!await(has_no_memory))
		fail();
	upload_cut(&f.upload, failure_of(OUTCOME_TAKEN_OVER, 0));
	chunk_stop_waiting(f.l.pool, &claims[n < BUDGET ? n : 0]);
	while (n > 0)
		chunk_give(chunks[--n]);
	turn(50);
	assert_cut();
}

static void
what_is_read_to_its_end_is_not_cut(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	f.is_partial = f.keep = true;
	plan->held[MEMORY_WRITE] = true;
	begin();
	assert_true(await(is_ready));
	give_source(0, SIZE, false);
	transfer();
	turn(50);
	assert_int_equal(f.upload.state, UPLOAD_DRAINING);
	upload_cut(&f.upload, failure_of(OUTCOME_TAKEN_OVER, 0));
	memory_store_release(f.store, MEMORY_WRITE);
	assert_true(await(has_transferred));
	assert_false(failure_is(f.cut));
	assert_int_equal(upload_offset(&f.upload), SIZE);
	end_upload();
}

/* ---- it goes to a newer request ---- */

static struct newcomer {
	struct upload upload;
	bool is_owned, only_looks;
	unsigned held, found, failed;
	uint64_t offset;
	struct failure why;
} newcomer;

static void
newcomer_leaves(void)
{
	if (newcomer.is_owned)
		upload_end(&newcomer.upload, "over");
	newcomer.is_owned = false;
}

static void
on_newcomer_held(struct upload *u)
{
	assert_string_equal(upload_partial(u)->id, id);
	newcomer.held++;
	if (!newcomer.only_looks)
		upload_await(u);
}

static void
on_newcomer_found(struct upload *u)
{
	newcomer.found++;
	newcomer.offset = upload_partial(u)->offset;
	newcomer_leaves();
}

static void
on_newcomer_failed(struct upload *u, struct failure why, const char *reason)
{
	(void)u;
	(void)reason;
	newcomer.failed++;
	newcomer.why = why;
	newcomer_leaves();
}

static const struct upload_events newcomer_events = {
    .on_held = on_newcomer_held,
    .on_found = on_newcomer_found,
    .on_failed = on_newcomer_failed,
};

static void
newcomer_comes_as(bool only_looks)
{
	newcomer =
	    (struct newcomer){.is_owned = true, .only_looks = only_looks};
	upload_resume(&newcomer.upload, &(struct upload_request){
					    .env = &f.env,
					    .events = &newcomer_events,
					    .location = &f.location,
					    .store = f.store,
					    .id = 9,
					    .partial = id,
					});
}

static void
newcomer_comes(void)
{
	newcomer_comes_as(false);
}

static bool
newcomer_is_held(void)
{
	return newcomer.held > 0;
}

static bool
newcomer_is_told(void)
{
	return newcomer.found + newcomer.failed > 0;
}

static bool
is_wanted(void)
{
	return f.wanted > 0;
}

static void
a_newer_request_takes_it_over(void **state)
{
	(void)state;
	f.is_partial = true;
	bring_to(UPLOAD_FLOWING);
	f.when_transferred = YIELDS;
	newcomer_comes();
	assert_true(await(newcomer_is_told));
	assert_int_equal(f.wanted, 1);
	assert_int_equal(f.cut.outcome, OUTCOME_TAKEN_OVER);
	assert_int_equal(newcomer.found, 1);
	assert_int_equal(newcomer.offset, f.source.at);
	assert_false(f.is_owned);
}

/* Whose it is has to be judged first; and it may not be the newcomer's. */
static void
who_only_looks_at_it_disturbs_nobody(void **state)
{
	(void)state;
	f.is_partial = true;
	for (int leaves = 2; leaves-- > 0;) {
		if (leaves)
			bring_to(UPLOAD_FLOWING);
		f.when_transferred = YIELDS;
		newcomer_comes_as(true);
		assert_true(await(newcomer_is_held));
		turn(500);
		assert_int_equal(newcomer.held, 1);
		assert_int_equal(newcomer.found + newcomer.failed, 0);
		if (leaves)
			newcomer_leaves();
		turn(500);
		assert_int_equal(f.wanted, 0);
		assert_int_equal(f.upload.state, UPLOAD_FLOWING);
	}
	upload_await(&newcomer.upload);
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.held, 1);
	assert_int_equal(newcomer.found, 1);
	assert_int_equal(f.wanted, 1);
}

/* It is just being made, say. */
static void
one_that_cannot_be_read_is_tried_again_and_not_asked_for(void **state)
{
	(void)state;
	f.is_partial = true;
	bring_to(UPLOAD_FLOWING);
	f.when_transferred = YIELDS;
	memory_store_hide(f.store, id, true);
	newcomer_comes();
	turn(500);
	assert_int_equal(f.wanted + newcomer.held, 0);
	assert_int_equal(newcomer.found + newcomer.failed, 0);
	memory_store_hide(f.store, id, false);
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.held, 1);
	assert_int_equal(newcomer.found, 1);
	assert_int_equal(f.wanted, 1);
}

/* Wherever it stands, and however often others ask. */
static void
its_owner_is_told_once_that_it_is_wanted(void **state)
{
	static const enum upload_state states[] = {UPLOAD_FOUND, UPLOAD_READY,
	    UPLOAD_FLOWING, UPLOAD_DRAINING, UPLOAD_SUSPENDED};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		f.is_partial = true;
		bring_to(states[i]);
		assert_int_equal(f.upload.state, states[i]);
		newcomer_comes();
		assert_true(await(is_wanted));
		turn(500);
		assert_int_equal(f.wanted, 1);
		assert_int_equal(newcomer.found + newcomer.failed, 0);
		end_upload();
		memory_store_release(f.store, MEMORY_WRITE);
		assert_true(await(newcomer_is_told));
		assert_int_equal(newcomer.found, 1);
		remove_partial();
	}
}

/* The newcomer finds it stored. */
static void
one_that_is_being_committed_is_not_wanted(void **state)
{
	(void)state;
	f.is_partial = true;
	bring_to(UPLOAD_COMMITTING);
	newcomer_comes();
	turn(500);
	assert_int_equal(f.wanted, 0);
	memory_store_release(f.store, MEMORY_COMMIT);
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.found, 1);
	assert_int_equal(newcomer.offset, BODY);
	assert_stored(BODY);
}

static bool
newcomer_waits(void)
{
	return newcomer.upload.incoming == NULL &&
	       list_is_linked(&newcomer.upload.wait.node);
}

static void
who_waits_in_vain_fails(void **state)
{
	(void)state;
	leave_a_part();
	memory_store_hold(f.store, id, true);
	newcomer_comes();
	assert_true(await(newcomer_waits));
	newcomer.upload.wait.until_ns = 1; /* the five seconds are over */
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.failed, 1);
	assert_int_equal(newcomer.why.outcome, OUTCOME_HELD);
}

static void
who_waits_may_give_up(void **state)
{
	(void)state;
	leave_a_part();
	memory_store_hold(f.store, id, true);
	newcomer_comes();
	assert_true(await(newcomer_waits));
	newcomer_leaves();
	memory_store_hold(f.store, id, false);
	turn(500);
	assert_int_equal(newcomer.found + newcomer.failed, 0);
}

/* It may have died without a word. */
static void
what_another_process_lets_go_is_found(void **state)
{
	(void)state;
	leave_a_part();
	memory_store_hold(f.store, id, true);
	newcomer_comes();
	assert_true(await(newcomer_waits));
	turn(500);
	memory_store_hold(f.store, id, false);
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.found, 1);
	assert_int_equal(newcomer.offset, PART);
}

static void
one_that_is_not_there_fails(void **state)
{
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	newcomer_comes();
	assert_true(await(newcomer_is_told));
	assert_int_equal(newcomer.why.outcome, OUTCOME_NO_UPLOAD);
	plan->why[MEMORY_BEGIN_PUT] = failure_of(OUTCOME_NOT_READY, 0);
	newcomer_comes();
	assert_int_equal(newcomer.failed, 1); /* from within */
	assert_int_equal(newcomer.why.outcome, OUTCOME_NOT_READY);
	plan->why[MEMORY_BEGIN_PUT] = none;
}

/* ---- its end ---- */

static void
assert_answered(enum partial_phase phase, const char *answer)
{
	const struct partial *p;

	end_upload();
	check_rest();
	p = memory_store_partial(f.store, id);
	assert_non_null(p);
	assert_int_equal(p->phase, phase);
	assert_int_equal(p->answer.len, strlen(answer));
	assert_memory_equal(p->answer.s, answer, p->answer.len);
	remove_partial();
}

static void
its_owner_has_the_last_word(void **state)
{
	static const enum upload_state states[] = {
	    UPLOAD_FOUND, UPLOAD_READY, UPLOAD_SUSPENDED};
	struct memory_plan *plan = memory_store_plan(f.store);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		f.is_partial = true;
		bring_to(states[i]);
		upload_conclude(
		    &f.upload, PARTIAL_REFUSED, (struct span){"no", 2});
		assert_answered(PARTIAL_REFUSED, "no");
	}
	f.is_partial = f.keep = true;
	for (int fails = 0; fails < 2; fails++) {
		if (fails)
			plan->why[MEMORY_COMMIT] = failure_of_errno(-EACCES);
		begin();
		assert_true(await(is_ready));
		f.answer = fails ? "never" : "stored";
		finish();
		assert_answered(
		    fails ? PARTIAL_REFUSED : PARTIAL_STORED, f.answer);
		f.answer = NULL;
		plan->why[MEMORY_COMMIT] = none;
	}
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
	    TEST(a_partial_goes_on_after_its_owner),
	    TEST(what_passed_as_one_is_not_read_back),
	    TEST(what_came_in_parts_is_read_back),
	    TEST(bytes_that_cannot_be_read_back_fail_it),
	    TEST(what_is_claimed_of_the_whole_is_held_against_all_parts),
	    TEST(a_part_that_is_as_claimed_counts),
	    TEST(a_part_that_is_not_as_claimed_does_not_count),
	    TEST(a_part_that_is_cut_has_no_digest),
	    TEST(a_transfer_can_be_cut_while_it_reads),
	    TEST(a_transfer_can_be_cut_while_the_queue_is_full),
	    TEST(a_transfer_can_be_cut_while_there_is_no_memory),
	    TEST(what_is_read_to_its_end_is_not_cut),
	    TEST(a_newer_request_takes_it_over),
	    TEST(who_only_looks_at_it_disturbs_nobody),
	    TEST(one_that_cannot_be_read_is_tried_again_and_not_asked_for),
	    TEST(its_owner_is_told_once_that_it_is_wanted),
	    TEST(one_that_is_being_committed_is_not_wanted),
	    TEST(who_waits_in_vain_fails),
	    TEST(who_waits_may_give_up),
	    TEST(what_another_process_lets_go_is_found),
	    TEST(one_that_is_not_there_fails),
	    TEST(its_owner_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
