/*
 * Turns on a disk, in the engine: what is not to begin yet is held, and goes when
 * something of this worker has ended or another worker has; it can be cancelled, and
 * no disk is stalled by it.
 */
#include "disk/fair.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/num.h"
#include "lib/cmocka_with.h"
#include "lib/engine.h"
#include "set_clock.h"
#include "shared/bell.h"
#include "shared/disk_share.h"

enum {
	DISK = 7,
	ME = 1,
	OTHER = 5,
	JOBS = 16,
	TURNS = 20000, /* of the loop, at most; each naps for a ms */
};

struct job {
	struct op op;
	int res;
	unsigned ended; /* ordinal; 0: it has not */
};

static struct fixture {
	struct test_engine e;
	struct shm *shm;
	struct disk_share *all;
	struct bell bell;
	struct disk_share_disk *d; /* as the other worker sees it */
	struct device *dev;
	struct fair *fair;
	struct job job[JOBS];
	unsigned ended;
} f;

static _Atomic bool is_free; /* calls that wait_for_it() return */

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(test_engine_begin(&f.e, ENGINE_THREADS), 0);
	f.shm = shm_new(disk_share_size(2));
	assert_non_null(f.shm);
	f.all = disk_share_new(f.shm, 2);
	bell_init(&f.bell);
	engine_hear(f.e.engine, &f.bell);
	device_set_take_turns(f.e.devices, f.all, &f.bell, ME);
	f.dev = test_engine_device(&f.e, DISK, DEVICE_LOCAL);
	f.fair = &f.dev->fair;
	fair_want(f.fair, 0.02);
	f.d = disk_share_of(f.all, OTHER, DISK);
	assert_non_null(f.d);
	f.ended = 0;
	for (unsigned i = 0; i < JOBS; i++)
		f.job[i] = (struct job){.res = 1};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	is_free = true;
	/* Others may be on threads that have not had a processor yet. */
	for (unsigned i = 0; i < TURNS && engine_in_flight(f.e.engine) > 0; i++)
		ev_run(f.e.loop, EVRUN_ONCE);
	device_put(f.e.devices, &f.dev);
	test_engine_end(&f.e);
	if (f.bell.fd != -1)
		close(f.bell.fd);
	munmap(f.shm, sizeof(*f.shm) + disk_share_size(2));
	return 0;
}

static void
on_done(struct op *op, int res)
{
	struct job *j = container_of(op, struct job, op);

	j->res = res;
	j->ended = ++f.ended;
}

static int
nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void
submit(struct job *j, enum op_turn turn, uint64_t weight, bool flushes)
{
	j->op = (struct op){.kind = OP_CALL,
	    .call = nothing,
	    .turn = turn,
	    .weight = weight,
	    .flushes = flushes,
	    .on_done = on_done};
	engine_submit(f.e.engine, f.dev, &j->op);
}

static void
run_loop(void)
{
	for (unsigned i = 0; i < 20; i++)
		ev_run(f.e.loop, EVRUN_NOWAIT);
}

static void
await(const struct job *j)
{
	for (unsigned i = 0; i < TURNS && j->ended == 0; i++)
		ev_run(f.e.loop, EVRUN_ONCE);
	assert_int_not_equal(j->ended, 0);
}

/* Small uploads come, as another worker has found. */
static void
begin_turns(void)
{
	disk_share_begin_small(f.d, OTHER);
	disk_share_end_small(
	    f.d, OTHER, clock_mono_ns(), NS_PER_MS, 20 * NS_PER_MS);
}

/* Bulk has used up its turn, all of it written. */
static void
use_up(struct job *j)
{
	uint64_t bound = disk_share_bound(f.d, clock_mono_ns());

	assert_true(bound != DISK_SHARE_UNBOUNDED);
	submit(j, OP_TURN_BULK, bound, false);
	await(j);
}

static bool
is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
flush_elsewhere(void)
{
	disk_share_end_flush(f.d, disk_share_begin_flush(f.d), clock_mono_ns());
}

/* ---- the tests */

static void
bulk_alone_is_never_held(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		submit(&f.job[i], OP_TURN_BULK, 100 * MIB, false);
		assert_false(fair_holds(f.fair));
	}
	await(&f.job[3]);
}

static void
held_bulk_goes_when_a_flush_of_this_worker_ends(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	submit(&f.job[2], OP_TURN_BULK, MIB, false);
	assert_int_equal(f.fair->held, 2);
	run_loop();
	assert_int_equal(f.job[1].ended, 0);
	submit(&f.job[3], OP_TURN_ANY, 0, true);
	await(&f.job[1]);
	await(&f.job[2]);
	assert_true(f.job[3].ended < f.job[1].ended);
	assert_false(fair_holds(f.fair));
}

static void
held_bulk_goes_when_a_flush_elsewhere_ends(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	run_loop();
	assert_int_equal(f.job[1].ended, 0);
	flush_elsewhere();
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[1]);
}

/* Others are woken for what has ended here, and wake this one, in no time. */
static void
workers_ring_for_each_other(void **state)
{
	int heard = bell_listen(&f.bell);

	(void)state;
	if (heard == -1)
		skip(); /* there is no bell */
	bell_heard(heard);
	begin_turns();
	use_up(&f.job[0]);
	assert_false(is_readable(heard)); /* nobody waits */
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	run_loop();
	flush_elsewhere();
	bell_ring(&f.bell);
	await(&f.job[1]);
	bell_heard(heard);
	assert_false(is_readable(heard));

	disk_share_hold_bulk(f.d, OTHER, MIB);
	submit(&f.job[2], OP_TURN_ANY, 0, true);
	await(&f.job[2]);
	assert_true(is_readable(heard)); /* a turn begins */
	close(heard);
}

/* A flush that failed has flushed nothing, as far as anybody knows. */
static int
fails(void *arg)
{
	(void)arg;
	return -EIO;
}

static void
a_flush_that_failed_begins_no_turn(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	engine_call(f.e.engine, f.dev, &f.job[2].op, fails, NULL, CALL_FLUSHES,
	    on_done);
	await(&f.job[2]);
	run_loop();
	assert_int_equal(f.job[1].ended, 0);
	flush_elsewhere();
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[1]);
}

/* The sync of a large upload that is in the page cache. */
static void
a_sync_that_writes_much_is_bulk_and_flushes_what_it_writes(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	f.job[1].op.weight = 2 * MIB;
	engine_call(f.e.engine, f.dev, &f.job[1].op, nothing, NULL,
	    CALL_BULK | CALL_FLUSHES, on_done);
	assert_int_equal(f.fair->held, 1);
	flush_elsewhere();
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[1]);
	/* nothing is left to flush */
	assert_false(disk_share_claim_flush(f.d, OTHER, clock_mono_ns(), 1));
	use_up(&f.job[2]);
}

static void
held_bulk_goes_in_the_order_in_which_it_came(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	for (unsigned i = 1; i < 5; i++)
		submit(&f.job[i], OP_TURN_BULK, 3 * MIB, false);
	for (unsigned i = 1; i < 5; i++) {
		submit(&f.job[8 + i], OP_TURN_ANY, 0, true);
		await(&f.job[i]);
		for (unsigned k = i + 1; k < 5; k++)
			assert_int_equal(f.job[k].ended, 0);
	}
}

static void
a_small_upload_waits_for_bulk_and_goes_before_more_of_it(void **state)
{
	uint64_t began;

	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	disk_share_hold_bulk(f.d, OTHER, MIB); /* it has not had its turn */
	began = fair_begin_small(f.fair);
	assert_true(began != 0);
	engine_call(f.e.engine, f.dev, &f.job[2].op, nothing, NULL,
	    CALL_SMALL | CALL_FLUSHES, on_done);
	assert_int_equal(f.fair->held, 2);
	run_loop();
	assert_int_equal(f.job[2].ended, 0);
	assert_false(disk_share_admits_bulk(f.d, OTHER, MIB, clock_mono_ns()));
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[2]);
	fair_end_small(f.fair, &began, true);
	assert_true(began == 0);
	disk_share_unhold_bulk(f.d, OTHER, MIB);
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[1]);
	assert_true(f.job[2].ended < f.job[1].ended);
}

/* Takes until the test lets it go. */
static int
wait_for_it(void *arg)
{
	(void)arg;
	while (!is_free)
		sched_yield();
	return 0;
}

static void
begin_joining(struct job *j)
{
	is_free = false;
	engine_call(
	    f.e.engine, f.dev, &j->op, wait_for_it, NULL, CALL_JOINS, on_done);
}

/* Bulk of another worker has had its turn, and waits for the next one. */
static void
use_up_elsewhere(void)
{
	uint64_t much = 100 * MIB, now = clock_mono_ns();

	disk_share_hold_bulk(f.d, OTHER, MIB);
	disk_share_begin_bulk(f.d, OTHER, much);
	assert_false(disk_share_admits_bulk(f.d, OTHER, MIB, now));
	(void)disk_share_end_bulk(f.d, OTHER, much, true, now);
}

static void
a_flush_waits_for_those_that_are_to_join_it_while_bulk_waits(void **state)
{
	(void)state;
	begin_turns();
	begin_joining(&f.job[0]);
	submit(&f.job[1], OP_TURN_SMALL, 0, true);
	await(&f.job[1]); /* no bulk waits */

	use_up_elsewhere();
	submit(&f.job[2], OP_TURN_SMALL, 0, true);
	run_loop();
	assert_true(engine_is_waiting(&f.job[2].op));
	is_free = true;
	await(&f.job[2]);
	assert_true(f.job[0].ended < f.job[2].ended);

	disk_share_unhold_bulk(f.d, OTHER, MIB);
	use_up_elsewhere();
	begin_joining(&f.job[3]);
	submit(&f.job[4], OP_TURN_SMALL, 0, true);
	run_loop();
	assert_true(engine_is_waiting(&f.job[4].op));
	set_clock_pass(2 * NS_PER_MS); /* not for long, though */
	await(&f.job[4]);
	assert_int_equal(f.job[3].ended, 0);
	is_free = true;
	await(&f.job[3]);
	disk_share_unhold_bulk(f.d, OTHER, MIB);
}

static void
what_is_held_can_be_cancelled(void **state)
{
	(void)state;
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	submit(&f.job[2], OP_TURN_BULK, MIB, false);
	assert_true(engine_cancel(f.e.engine, &f.job[1].op));
	await(&f.job[1]);
	assert_int_equal(f.job[1].res, -ECANCELED);
	assert_int_equal(f.fair->held, 1);
	assert_int_equal(f.job[2].ended, 0);
	flush_elsewhere();
	set_clock_pass(2 * NS_PER_MS);
	await(&f.job[2]);
	/* nothing is left in flight of what was cancelled */
	flush_elsewhere();
	assert_true(disk_share_admits_bulk(f.d, OTHER,
	    disk_share_bound(f.d, clock_mono_ns()), clock_mono_ns()));
}

static void
no_disk_is_stalled_by_what_is_held(void **state)
{
	(void)state;
	engine_watch(f.e.engine, 0.05);
	begin_turns();
	use_up(&f.job[0]);
	submit(&f.job[1], OP_TURN_BULK, MIB, false);
	for (unsigned i = 0; i < 9; i++) {
		set_clock_pass(10 * NS_PER_MS);
		run_loop();
		assert_true(device_is_ok(f.dev));
	}
	assert_int_equal(f.job[1].ended, 0);
	set_clock_pass(NS_PER_S); /* none of it waits for ever */
	await(&f.job[1]);
}

static void
where_no_latency_is_wanted_nothing_is_held(void **state)
{
	struct device *dev = test_engine_device(&f.e, DISK + 1, DEVICE_LOCAL);
	struct disk_share_disk *d = disk_share_of(f.all, OTHER, DISK + 1);

	(void)state;
	assert_true(fair_begin_small(&dev->fair) == 0);
	disk_share_begin_small(d, OTHER);
	disk_share_begin_bulk(d, OTHER, 1000 * MIB);
	f.job[0].op = (struct op){.kind = OP_CALL,
	    .call = nothing,
	    .turn = OP_TURN_BULK,
	    .weight = MIB,
	    .on_done = on_done};
	engine_submit(f.e.engine, dev, &f.job[0].op);
	assert_false(fair_holds(&dev->fair));
	await(&f.job[0]);
	device_put(f.e.devices, &dev);
}

static void
the_smallest_latency_of_a_disk_counts(void **state)
{
	(void)state;
	assert_true(f.fair->wanted_ns == 20 * NS_PER_MS);
	fair_want(f.fair, 0.05);
	fair_want(f.fair, 0);
	assert_true(f.fair->wanted_ns == 20 * NS_PER_MS);
	fair_want(f.fair, 0.005);
	assert_true(f.fair->wanted_ns == 5 * NS_PER_MS);
}

static void
less_stays_in_the_page_cache_while_small_uploads_come(void **state)
{
	uint64_t most = 8 * MIB;

	(void)state;
	assert_true(fair_behind(f.fair, most) == most);
	begin_turns();
	assert_true(fair_behind(f.fair, most) < most);
	assert_true(fair_behind(f.fair, most) >= MIB);
	assert_true(fair_behind(f.fair, MIB / 2) == MIB / 2);
	assert_true(fair_behind(f.fair, 0) == 0);
}

static void
writes_are_smaller_while_small_uploads_come(void **state)
{
	(void)state;
	assert_true(fair_join(f.fair, MIB) == MIB);
	begin_turns();
	assert_true(
	    fair_join(f.fair, 100 * MIB) == fair_turn_bytes(f.fair) / 4);
	assert_true(fair_join(f.fair, MIB / 8) == MIB / 8);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(bulk_alone_is_never_held),
	    TEST(held_bulk_goes_when_a_flush_of_this_worker_ends),
	    TEST(held_bulk_goes_when_a_flush_elsewhere_ends),
	    TEST(workers_ring_for_each_other),
	    TEST(a_flush_that_failed_begins_no_turn),
	    TEST(a_sync_that_writes_much_is_bulk_and_flushes_what_it_writes),
	    TEST(held_bulk_goes_in_the_order_in_which_it_came),
	    TEST(a_small_upload_waits_for_bulk_and_goes_before_more_of_it),
	    TEST(a_flush_waits_for_those_that_are_to_join_it_while_bulk_waits),
	    TEST(what_is_held_can_be_cancelled),
	    TEST(no_disk_is_stalled_by_what_is_held),
	    TEST(where_no_latency_is_wanted_nothing_is_held),
	    TEST(the_smallest_latency_of_a_disk_counts),
	    TEST(less_stays_in_the_page_cache_while_small_uploads_come),
	    TEST(writes_are_smaller_while_small_uploads_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
