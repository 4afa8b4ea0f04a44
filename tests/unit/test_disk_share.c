/*
 * Whose turn it is on a disk, over all workers: how much bulk may write, when small
 * uploads go, and how the bound adapts.  Time is what a test says it is.
 */
#include "shared/disk_share.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "base/num.h"
#include "lib/cmocka_with.h"

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
	assert_true(disk_share_admits_small_flush(d, now, 0, WANTED));
	store_small(ME, MS);
	assert_true(disk_share_admits_small_flush(d, now, 0, WANTED));
}

static void
small_uploads_are_flushed_when_all_bulk_has_had_its_turn(void **state)
{
	unsigned mine, others;

	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, OTHER, MIB);
	assert_false(disk_share_admits_small_flush(d, now, 0, WANTED));
	mine = write_all(ME);
	assert_false(disk_share_admits_small_flush(d, now, 0, WANTED));
	others = write_all(OTHER);
	assert_false(
	    disk_share_admits_small_flush(d, now, 0, WANTED)); /* in flight */
	end_writes(ME, mine);
	end_writes(OTHER, others);
	assert_true(disk_share_admits_small_flush(d, now, 0, WANTED));
	flush(); /* the next turn */
	assert_false(disk_share_admits_small_flush(d, now, 0, WANTED));
}

static void
none_is_held_for_longer_than_half_of_what_it_may_take(void **state)
{
	(void)state;
	store_small(ME, MS);
	disk_share_hold_bulk(d, OTHER, MIB);
	assert_false(
	    disk_share_admits_small_flush(d, now, WANTED / 2 - 1, WANTED));
	assert_true(disk_share_admits_small_flush(d, now, WANTED / 2, WANTED));
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

/* Bulk waits, though it has no debt. */
static bool
bulk_rests(void)
{
	bool rests;

	disk_share_hold_bulk(d, OTHER, MIB);
	rests = !disk_share_admits_bulk(d, OTHER, MIB, now);
	disk_share_unhold_bulk(d, OTHER, MIB);
	return rests;
}

/* Bulk takes `per_mib`, and so do small uploads more than what they take without it.
 * Returns what they take in the end, in turns with bulk. */
static uint64_t
settle(uint64_t alone, uint64_t per_mib)
{
	uint64_t sum = 0, n = 0;

	for (int i = 0; i < 2000; i++) {
		uint64_t waits = bulk_rests() ? 0 : bound() * per_mib / MIB;

		turn(waits, alone + waits);
		sum += i >= 1500 && waits > 0 ? alone + waits : 0;
		n += i >= 1500 && waits > 0;
	}
	return sum / n;
}

static void
small_uploads_have_a_fifth_of_the_time(void **state)
{
	(void)state;
	learn(MS);
	assert_in_range(settle(MS, MS), 4500000, 5500000);
	assert_in_range(settle(MS, MS / 2), 4500000, 5500000);
}

/* It was 15 ms with a fifth. */
static void
small_uploads_have_more_to_be_within_what_is_wanted(void **state)
{
	(void)state;
	learn(3 * MS);
	assert_in_range(settle(3 * MS, MS), 9 * MS, 11 * MS);
}

static void
bulk_keeps_half_of_the_time(void **state)
{
	(void)state;
	learn(9 * MS);
	assert_in_range(settle(9 * MS, MS), 17 * MS, 19 * MS);
}

/* A disk of its own kind, or a crowd: bulk is not to blame. */
static void
small_uploads_need_not_be_faster_than_their_disk(void **state)
{
	(void)state;
	learn(40 * MS);
	assert_in_range(settle(40 * MS, 5 * MS), 72 * MS, 88 * MS);
}

/* Else the turns were too short on a fast disk. */
static void
turns_are_not_as_short_as_a_fast_disk_allows(void **state)
{
	(void)state;
	learn(MS / 10);
	assert_in_range(
	    settle(MS / 10, MS / 4), WANTED / 8 * 9 / 10, WANTED / 8 * 11 / 10);
}

static void
the_bound_has_limits(void **state)
{
	(void)state;
	learn(2 * MS);
	for (int i = 0; i < 1000; i++)
		turn(17 * MS, 16 * MS);
	assert_true(bound() == MIB);
	for (int i = 0; i < 10000; i++)
		turn(4 * MS, 4 * MS);
	assert_true(bound() == 64 * MIB);
}

static void
the_bound_shrinks_when_some_are_much_too_slow(void **state)
{
	uint64_t before;

	(void)state;
	learn(2 * MS);
	before = bound();
	for (int i = 0; i < 100; i++)
		turn(40 * MS, i % 10 == 0 ? 25 * MS : 8 * MS);
	assert_true(bound() <= before / 2);
}

static void
the_bound_does_not_shrink_when_others_are_fast(void **state)
{
	uint64_t before;

	(void)state;
	learn(2 * MS);
	before = bound();
	for (int i = 0; i < 100; i++)
		turn(40 * MS, i % 10 == 0 ? 25 * MS : 4 * MS);
	assert_true(bound() >= before);
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

/* Where nothing is known of what small uploads take without bulk. */
static void
bulk_rests_to_see_what_small_uploads_take_without_it(void **state)
{
	unsigned rests = 0;

	(void)state;
	turn(4 * MS, 4 * MS);
	while (now < 1060 * NS_PER_S) {
		uint64_t waits = bound() / MIB * MS;

		disk_share_hold_bulk(d, ME, MIB);
		if (bulk_rests()) { /* nobody waits for it then */
			assert_true(
			    disk_share_admits_small_flush(d, now, 0, WANTED));
			assert_false(disk_share_is_contended(d, now));
			waits = 0;
			rests++;
		}
		disk_share_unhold_bulk(d, ME, MIB);
		turn(waits, 2 * MS + waits);
	}
	assert_in_range(rests, 4 * 8, 8 * 10); /* small uploads */
	assert_in_range(bound(), 7 * MIB, 9 * MIB);
}

/* Bulk rests no longer than that. */
static void
bulk_does_not_rest_for_small_uploads_that_do_not_come(void **state)
{
	(void)state;
	turn(4 * MS, 4 * MS);
	now += NS_PER_S;
	disk_share_begin_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, ME, MIB);
	for (int i = 0; i < 1000 && disk_share_is_contended(d, now); i++)
		store_small(ME, 4 * MS);
	end_writes(ME, 1);
	flush();
	disk_share_begin_small(d, OTHER); /* it takes for ever */
	assert_false(disk_share_admits_bulk(d, ME, MIB, now));
	now += 199 * MS;
	assert_false(disk_share_admits_bulk(d, ME, MIB, now));
	now += MS;
	assert_true(disk_share_admits_bulk(d, ME, MIB, now));
}

/* Too few would come in that time to say what they take. */
static void
bulk_does_not_rest_for_a_few_small_uploads(void **state)
{
	(void)state;
	disk_share_begin_bulk(d, ME, MIB);
	disk_share_hold_bulk(d, ME, MIB);
	for (int i = 0; i < 100; i++) {
		store_small(ME, 4 * MS);
		assert_true(disk_share_is_contended(d, now));
		now += NS_PER_S;
	}
}

/* What began beside bulk says nothing of what it takes without; nor is one that met
 * with something else believed. */
static void
what_small_uploads_take_alone_is_learnt_from_those_that_were(void **state)
{
	(void)state;
	learn(2 * MS);
	for (int i = 0; i < 100; i++) {
		disk_share_begin_bulk(d, ME, MIB);
		disk_share_begin_small(d, ME);
		now += 30 * MS;
		end_writes(ME, 1);
		flush();
		disk_share_end_small(d, ME, now, 30 * MS, WANTED);
		store_small(ME, i % 10 == 0 ? 200 * MS : 2 * MS);
	}
	assert_in_range(settle(2 * MS, MS), 9 * MS, 11 * MS);
}

/* ---- the end of turns */

static void
bulk_has_all_of_its_speed_within_a_second(void **state)
{
	uint64_t stopped, mib = 0;

	(void)state;
	learn(2 * MS);
	for (int i = 0; i < 1000; i++)
		turn(17 * MS, 16 * MS);
	assert_true(bound() == MIB);
	/* From here on no small one comes; 1 MiB takes a ms. */
	disk_share_hold_bulk(d, ME, MIB);
	for (stopped = now; now < stopped + NS_PER_S; now += MS) {
		if (disk_share_admits_bulk(d, ME, MIB, now)) {
			disk_share_begin_bulk(d, ME, MIB);
			end_writes(ME, 1);
			mib += now >= stopped + NS_PER_S / 2;
		}
		if (disk_share_claim_flush(d, ME, now, 256 * MIB)) {
			flush();
			disk_share_end_claim(d, ME);
		}
	}
	assert_int_equal(mib, 500);
	assert_true(bound() == DISK_SHARE_UNBOUNDED);
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
	assert_true(disk_share_admits_small_flush(d, now, 0, WANTED));
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
	    TEST(small_uploads_have_a_fifth_of_the_time),
	    TEST(small_uploads_have_more_to_be_within_what_is_wanted),
	    TEST(bulk_keeps_half_of_the_time),
	    TEST(small_uploads_need_not_be_faster_than_their_disk),
	    TEST(turns_are_not_as_short_as_a_fast_disk_allows),
	    TEST(the_bound_has_limits),
	    TEST(the_bound_shrinks_when_some_are_much_too_slow),
	    TEST(the_bound_does_not_shrink_when_others_are_fast),
	    TEST(the_bound_stays_without_bulk),
	    TEST(bulk_rests_to_see_what_small_uploads_take_without_it),
	    TEST(bulk_does_not_rest_for_a_few_small_uploads),
	    TEST(bulk_does_not_rest_for_small_uploads_that_do_not_come),
	    TEST(what_small_uploads_take_alone_is_learnt_from_those_that_were),
	    TEST(bulk_has_all_of_its_speed_within_a_second),
	    TEST(one_worker_at_a_time_flushes_ahead),
	    TEST(the_disk_is_flushed_earlier_between_small_uploads),
	    TEST(what_a_dead_worker_had_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
