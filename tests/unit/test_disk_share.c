/*
 * Whose turn it is on a disk, over all workers: how much bulk may write, when small
 * uploads go, and how the bound adapts.  Time is what a test says it is.
 */
#include "shared/disk_share.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"

#define MIB (UINT64_C(1) << 20)
#define MS NS_PER_MS
#define WANTED (20 * MS)

enum {
	DISKS = 8,
	DISK = 7, /* its st_dev */
	ME = 3,
	OTHER = 200,
};

static struct shm *shm;
static struct disk_share *all;
static struct disk_share_disk *d;
static uint64_t now;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(disk_share_size(DISKS));
	assert_non_null(shm);
	all = disk_share_new(shm, DISKS);
	d = disk_share_of(all, ME, DISK);
	assert_non_null(d);
	assert_ptr_equal(disk_share_of(all, OTHER, DISK), d);
	now = 1000 * NS_PER_S;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + disk_share_size(DISKS));
	return 0;
}

/* Bulk of a worker writes as much as it may now, a MiB at a time; returns how
 * many, which are in flight. */
static unsigned
write_all(unsigned slot)
{
	unsigned n = 0;

	while (n < 1000 && disk_share_admits_bulk(d, slot, MIB, now)) {
		disk_share_begin_bulk(d, slot, MIB);
		n++;
	}
	return n;
}

static void
end_writes(unsigned slot, unsigned n)
{
	disk_share_end_bulk(d, slot, n * MIB, true, now);
}

static void
flush(void)
{
	disk_share_end_flush(d, disk_share_begin_flush(d), now);
}

/* A small upload is stored, alone. */
static void
store_small(unsigned slot, uint64_t took)
{
	disk_share_begin_small(d, slot);
	now += took;
	flush();
	disk_share_end_small(d, slot, now, took, WANTED);
}

/* What is there when small uploads come, and bulk as fast as it may. */
static void
turn(uint64_t bulk, uint64_t small)
{
	unsigned n;

	disk_share_hold_bulk(d, ME, MIB);
	n = write_all(ME);
	now += bulk;
	end_writes(ME, n);
	store_small(ME, small);
	disk_share_unhold_bulk(d, ME, MIB);
}

static uint64_t
bound(void)
{
	return disk_share_bound(d, now);
}

/* ---- turns */

static void
without_small_uploads_bulk_has_no_bound(void **state)
{
	(void)state;
	assert_true(bound() == DISK_SHARE_UNBOUNDED);
	assert_int_equal(write_all(ME), 1000);
}

static void
bulk_writes_until_its_debt_is_at_the_bound(void **state)
{
	unsigned n;

	(void)state;
	store_small(ME, MS);
	n = write_all(ME);
	assert_int_equal(n, bound() / MIB);
	end_writes(ME, n); /* written, and not flushed */
	assert_int_equal(write_all(ME), 0);
	flush();
	assert_int_equal(write_all(ME), n);
}

static void
a_flush_covers_what_was_written_before_it_began(void **state)
{
	uint64_t mark;
	unsigned n;

	(void)state;
	store_small(ME, MS);
	n = write_all(ME);
	end_writes(ME, 1);
	mark = disk_share_begin_flush(d);
	end_writes(ME, n - 1);
	disk_share_end_flush(d, mark, now);
	assert_int_equal(write_all(ME), 1);
}

static void
a_write_that_failed_leaves_no_debt(void **state)
{
	unsigned n;

	(void)state;
	store_small(ME, MS);
	n = write_all(ME);
	disk_share_end_bulk(d, ME, n * MIB, false, now);
	assert_int_equal(write_all(ME), n);
}

/* Else bulk with larger writes than that would never go on. */
static void
one_write_is_admitted_however_large(void **state)
{
	(void)state;
	store_small(ME, MS);
	assert_true(disk_share_admits_bulk(d, ME, 1000 * MIB, now));
	disk_share_begin_bulk(d, ME, 1000 * MIB);
	assert_false(disk_share_admits_bulk(d, ME, 1, now));
}

static void
workers_that_hold_bulk_divide_a_turn(void **state)
{
	unsigned n;

	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, OTHER, MIB);
	n = write_all(ME);
	assert_int_equal(n, bound() / MIB / 2);
	assert_int_equal(write_all(OTHER), n);
	end_writes(ME, n);
	end_writes(OTHER, n);
	flush();
	disk_share_unhold_bulk(d, OTHER, MIB); /* it wants no more */
	assert_int_equal(write_all(ME), 2 * n);
}

/* Else the worker that is told first would have all turns. */
static void
workers_with_large_writes_have_turns_in_turn(void **state)
{
	unsigned mine = 0, others = 0;

	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, ME, 4 * MIB);
	disk_share_hold_bulk(d, OTHER, 4 * MIB);
	for (int i = 0; i < 10; i++) {
		bool first = disk_share_admits_bulk(d, ME, 4 * MIB, now);
		unsigned slot = first ? ME : OTHER;

		assert_true(disk_share_admits_bulk(d, slot, 4 * MIB, now));
		disk_share_begin_bulk(d, slot, 4 * MIB);
		assert_false(disk_share_admits_bulk(d, ME, 4 * MIB, now));
		assert_false(disk_share_admits_bulk(d, OTHER, 4 * MIB, now));
		mine += first;
		others += !first;
		end_writes(slot, 4);
		flush();
	}
	assert_int_equal(mine, others);
	/* one that does not come is not waited for */
	if (!disk_share_admits_bulk(d, ME, 4 * MIB, now)) {
		now += 2 * MS;
		assert_true(disk_share_admits_bulk(d, ME, 4 * MIB, now));
	}
}

static void
bulk_that_waits_for_a_flush_in_vain_goes_on(void **state)
{
	(void)state;
	store_small(ME, MS);
	disk_share_begin_small(d, OTHER); /* and it takes for ever */
	now += 6 * MS;
	end_writes(ME, write_all(ME));
	now += 99 * MS;
	assert_int_equal(write_all(ME), 0);
	now += 2 * MS;
	assert_int_not_equal(write_all(ME), 0);
	now += 6 * MS;
	(void)write_all(ME);
	now += 90 * MS;
	assert_int_equal(write_all(ME), 0);
}

static void
small_uploads_are_flushed_at_once_without_bulk(void **state)
{
	(void)state;
	assert_true(disk_share_admits_small_flush(d, 0, WANTED));
	store_small(ME, MS);
	assert_true(disk_share_admits_small_flush(d, 0, WANTED));
}

static void
small_uploads_are_flushed_when_all_bulk_has_had_its_turn(void **state)
{
	unsigned mine, others;

	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, OTHER, MIB);
	assert_false(disk_share_admits_small_flush(d, 0, WANTED));
	mine = write_all(ME);
	assert_false(disk_share_admits_small_flush(d, 0, WANTED));
	others = write_all(OTHER);
	assert_false(
	    disk_share_admits_small_flush(d, 0, WANTED)); /* in flight */
	end_writes(ME, mine);
	end_writes(OTHER, others);
	assert_true(disk_share_admits_small_flush(d, 0, WANTED));
	flush(); /* the next turn */
	assert_false(disk_share_admits_small_flush(d, 0, WANTED));
}

static void
none_is_held_for_longer_than_half_of_what_it_may_take(void **state)
{
	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, OTHER, MIB);
	assert_false(disk_share_admits_small_flush(d, WANTED / 2 - 1, WANTED));
	assert_true(disk_share_admits_small_flush(d, WANTED / 2, WANTED));
}

/* ---- the bound */

static void
the_bound_ends_gently_when_no_small_ones_come(void **state)
{
	uint64_t first;

	(void)state;
	store_small(ME, MS);
	first = bound();
	now += 100 * MS;
	assert_true(bound() == first);
	now += 50 * MS;
	assert_true(bound() == 2 * first);
	now += 50 * MS;
	assert_true(bound() == 4 * first);
	now += 1000 * MS;
	assert_true(bound() == DISK_SHARE_UNBOUNDED);
	disk_share_begin_small(d, OTHER); /* one has come */
	assert_true(bound() == first);
}

/* What small uploads take on this disk without bulk. */
static void
learn(uint64_t took)
{
	for (int i = 0; i < 100; i++)
		store_small(ME, took);
}

static void
the_bound_shrinks_while_small_uploads_are_slow(void **state)
{
	uint64_t before;

	(void)state;
	learn(2 * MS);
	before = bound();
	for (int i = 0; i < 40; i++)
		turn(17 * MS, 16 * MS);
	assert_true(bound() <= before / 2);
	for (int i = 0; i < 100; i++)
		turn(17 * MS, 16 * MS);
	assert_true(bound() == MIB);
}

static void
the_bound_shrinks_when_some_are_much_too_slow(void **state)
{
	uint64_t before;

	(void)state;
	learn(2 * MS);
	before = bound();
	for (int i = 0; i < 100; i++)
		turn(40 * MS, i % 10 == 0 ? 25 * MS : 2 * MS);
	assert_true(bound() <= before / 2);
}

static void
the_bound_grows_while_small_uploads_are_fast(void **state)
{
	uint64_t before = 0;

	(void)state;
	turn(4 * MS, 4 * MS);
	for (int i = 0; i < 400; i++) {
		turn(4 * MS, 4 * MS);
		assert_true(bound() >= before);
		before = bound();
	}
	assert_true(before > 8 * MIB);
	for (int i = 0; i < 40000; i++)
		turn(4 * MS, 4 * MS);
	assert_true(bound() == 64 * MIB);
}

/* That bulk does not use its turns says nothing of what it might do. */
static void
the_bound_stays_without_bulk(void **state)
{
	uint64_t before;

	(void)state;
	store_small(ME, MS);
	before = bound();
	for (int i = 0; i < 400; i++)
		store_small(ME, i % 2 ? MS : 100 * MS);
	assert_true(bound() == before);
}

/* A turn and the flush after it take twice as long as a flush alone. */
static void
bulk_keeps_half_of_the_time(void **state)
{
	uint64_t before;

	(void)state;
	learn(9 * MS);
	for (int i = 0; i < 20; i++)
		turn(10 * MS, 17 * MS);
	before = bound();
	for (int i = 0; i < 100; i++)
		turn(10 * MS, 17 * MS);
	assert_true(bound() == before);
	for (int i = 0; i < 100; i++)
		turn(10 * MS, 21 * MS);
	assert_true(bound() < before);
}

/* A disk of its own kind, or a crowd: bulk is not to blame. */
static void
small_uploads_need_not_be_faster_than_their_disk(void **state)
{
	uint64_t before;

	(void)state;
	learn(40 * MS);
	for (int i = 0; i < 20; i++)
		turn(41 * MS, 70 * MS);
	before = bound();
	for (int i = 0; i < 40; i++)
		turn(41 * MS, 70 * MS);
	assert_true(bound() == before);
	for (int i = 0; i < 40; i++)
		turn(41 * MS, 50 * MS);
	assert_true(bound() > before);
}

/* Beside bulk the fastest say little of the disk: so that is tried. */
static void
what_the_disk_can_do_is_tried_beside_bulk(void **state)
{
	uint64_t least = 64 * MIB;
	unsigned tried = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint64_t before = bound();

		/* It would be 9 ms with a MiB, and takes 15 with more. */
		turn(10 * MS, (bound() == MIB ? 9 : 15) * MS);
		tried += bound() == MIB && before > MIB;
		if (i >= 100 && bound() < least)
			least = bound();
	}
	assert_in_range(tried, 4, 20);
	assert_int_equal(least, MIB);
	assert_true(bound() > 2 * MIB);
}

/* ---- flushes ahead */

static void
one_worker_at_a_time_flushes_ahead(void **state)
{
	(void)state;
	disk_share_begin_bulk(d, ME, 10 * MIB);
	end_writes(ME, 10);
	assert_false(disk_share_claim_flush(d, ME, now, 11 * MIB));
	assert_true(disk_share_claim_flush(d, ME, now, 10 * MIB));
	assert_false(disk_share_claim_flush(d, OTHER, now, 10 * MIB));
	disk_share_end_claim(d, OTHER); /* which has none */
	assert_false(disk_share_claim_flush(d, OTHER, now, 10 * MIB));
	disk_share_end_claim(d, ME);
	assert_true(disk_share_claim_flush(d, OTHER, now, 10 * MIB));
	disk_share_end_claim(d, OTHER);
	flush();
	assert_false(disk_share_claim_flush(d, ME, now, 10 * MIB));
}

static void
the_disk_is_flushed_earlier_between_small_uploads(void **state)
{
	(void)state;
	store_small(ME, MS);
	disk_share_begin_bulk(d, ME, 2 * MIB);
	end_writes(ME, 2);
	disk_share_begin_small(d, OTHER); /* its flush will do */
	assert_false(disk_share_claim_flush(d, ME, now, 100 * MIB));
	disk_share_end_small(d, OTHER, now, 0, WANTED);
	assert_true(disk_share_claim_flush(d, ME, now, 100 * MIB));
	disk_share_end_claim(d, ME);
	now += NS_PER_S;
	assert_false(disk_share_claim_flush(d, ME, now, 100 * MIB));
	disk_share_begin_bulk(d, ME, 40 * MIB); /* the next one is soon */
	end_writes(ME, 40);
	assert_true(disk_share_claim_flush(d, ME, now, 100 * MIB));
	disk_share_end_claim(d, ME);
	now += 20 * NS_PER_S;
	assert_false(disk_share_claim_flush(d, ME, now, 100 * MIB));
}

/* ---- workers that die */

static void
what_a_dead_worker_had_is_given_back(void **state)
{
	unsigned n;

	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, OTHER, MIB);
	disk_share_begin_small(d, OTHER);
	disk_share_begin_small(d, OTHER);
	disk_share_hold_small_flush(d, OTHER);
	disk_share_begin_bulk(d, OTHER, MIB);
	assert_true(disk_share_claim_flush(d, OTHER, now, 0));
	disk_share_forget(all, OTHER);

	assert_true(disk_share_claim_flush(d, ME, now, 0));
	assert_false(disk_share_is_awaited(d, ME));
	n = write_all(ME);
	assert_int_equal(n, bound() / MIB - 1); /* it may have written */
	end_writes(ME, n);
	assert_true(disk_share_admits_small_flush(d, 0, WANTED));
	now += NS_PER_S;
	assert_true(bound() == DISK_SHARE_UNBOUNDED);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(without_small_uploads_bulk_has_no_bound),
	    TEST(bulk_writes_until_its_debt_is_at_the_bound),
	    TEST(a_flush_covers_what_was_written_before_it_began),
	    TEST(a_write_that_failed_leaves_no_debt),
	    TEST(one_write_is_admitted_however_large),
	    TEST(workers_that_hold_bulk_divide_a_turn),
	    TEST(workers_with_large_writes_have_turns_in_turn),
	    TEST(bulk_that_waits_for_a_flush_in_vain_goes_on),
	    TEST(small_uploads_are_flushed_at_once_without_bulk),
	    TEST(small_uploads_are_flushed_when_all_bulk_has_had_its_turn),
	    TEST(none_is_held_for_longer_than_half_of_what_it_may_take),
	    TEST(the_bound_ends_gently_when_no_small_ones_come),
	    TEST(the_bound_shrinks_while_small_uploads_are_slow),
	    TEST(the_bound_shrinks_when_some_are_much_too_slow),
	    TEST(the_bound_grows_while_small_uploads_are_fast),
	    TEST(the_bound_stays_without_bulk),
	    TEST(bulk_keeps_half_of_the_time),
	    TEST(small_uploads_need_not_be_faster_than_their_disk),
	    TEST(what_the_disk_can_do_is_tried_beside_bulk),
	    TEST(one_worker_at_a_time_flushes_ahead),
	    TEST(the_disk_is_flushed_earlier_between_small_uploads),
	    TEST(what_a_dead_worker_had_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
