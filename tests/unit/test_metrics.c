/*
 * What is counted of all workers: by location, outcome and verdict, in buckets; and that no
 * sum goes down when a worker ends.
 */
#include "shared/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cmocka_with.h"
#include "base/clock.h"

enum {
	ROUNDS = 3000,
};

static struct shm *shm;
static struct metrics *m;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(metrics_size());
	assert_non_null(shm);
	m = metrics_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + metrics_size());
	return 0;
}

static void
end_one(unsigned slot, unsigned location, enum outcome outcome)
{
	metrics_ended(m, metrics_share_of(m, slot),
	    &(struct metrics_upload){.location = location,
		.outcome = outcome,
		.verdict = METRICS_UNMEASURED,
		.received = 10});
}

static uint64_t
count_of(unsigned location, enum outcome outcome)
{
	struct metrics_sum *sum = metrics_read(m);
	uint64_t count = 0;

	assert_non_null(sum);
	for (size_t i = 0; i < sum->series_count; i++)
		if (sum->series[i].location == location &&
		    sum->series[i].outcome == outcome)
			count += sum->series[i].count;
	free(sum);
	return count;
}

static void
a_name_keeps_its_number(void **state)
{
	unsigned a = metrics_enter(m, METRICS_LOCATION, "/a");

	(void)state;
	assert_int_equal(metrics_enter(m, METRICS_LOCATION, "/b"), a + 1);
	assert_int_equal(metrics_enter(m, METRICS_LOCATION, "/a"), a);
	assert_int_equal(metrics_find(m, METRICS_LOCATION, "/a"), a);
	assert_int_equal(
	    metrics_find(m, METRICS_DIRECTORY, "/a"), METRICS_OTHER);
	assert_string_equal(metrics_name(m, METRICS_LOCATION, a), "/a");
	assert_null(metrics_name(m, METRICS_LOCATION, a + 2));
}

static void
names_beyond_the_room_are_other(void **state)
{
	char name[METRICS_NAME_MAX + 1], before[16];

	(void)state;
	for (int i = 0; i < METRICS_NAMES; i++) {
		snprintf(before, sizeof(before), "/%d", i);
		assert_int_equal(metrics_enter(m, METRICS_LOCATION, before), i);
	}
	assert_int_equal(
	    metrics_enter(m, METRICS_LOCATION, "/more"), METRICS_OTHER);
	assert_null(metrics_name(m, METRICS_LOCATION, METRICS_OTHER));
	memset(name, 'x', METRICS_NAME_MAX);
	name[METRICS_NAME_MAX] = '\0';
	assert_int_equal(
	    metrics_enter(m, METRICS_DIRECTORY, name), METRICS_OTHER);
	name[METRICS_NAME_MAX - 1] = '\0';
	assert_int_equal(metrics_enter(m, METRICS_DIRECTORY, name), 0);
}

static void
uploads_are_counted_by_location_and_outcome(void **state)
{
	(void)state;
	end_one(0, 1, OUTCOME_STORED);
	end_one(0, 1, OUTCOME_STORED);
	end_one(7, 1, OUTCOME_STORED);
	end_one(7, 1, OUTCOME_EXISTS);
	end_one(7, 2, OUTCOME_STORED);
	assert_int_equal(count_of(1, OUTCOME_STORED), 3);
	assert_int_equal(count_of(1, OUTCOME_EXISTS), 1);
	assert_int_equal(count_of(2, OUTCOME_STORED), 1);
	assert_int_equal(count_of(2, OUTCOME_EXISTS), 0);
}

/* A bound belongs to its bucket. */
static void
times_fall_into_their_buckets(void **state)
{
	uint64_t ns[] = {0, NS_PER_MS, NS_PER_MS + 1, 4 * NS_PER_MS,
	    4 * NS_PER_MS + 1, 4194304 * NS_PER_MS, 4194304 * NS_PER_MS + 1};
	static const size_t bucket[] = {
	    0, 0, 1, 1, 2, METRICS_BUCKETS - 1, METRICS_BUCKETS};

	(void)state;
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		assert_true(
		    strtod(metrics_bound_text[i], NULL) == metrics_bound_s[i]);
	for (size_t i = 0; i < COUNT_OF(ns); i++) {
		struct metrics_sum *before = metrics_read(m), *after;

		metrics_ended(m, metrics_share_of(m, 3),
		    &(struct metrics_upload){.location = 5,
			.outcome = OUTCOME_STORED,
			.ns = &ns[i],
			.times = 1});
		after = metrics_read(m);
		assert_non_null(before);
		assert_non_null(after);
		for (size_t k = 0; k <= METRICS_BUCKETS; k++)
			assert_int_equal(
			    after->locations[5].times[0].buckets[k] -
				before->locations[5].times[0].buckets[k],
			    k == bucket[i]);
		assert_int_equal(after->locations[5].times[0].sum_ns -
				     before->locations[5].times[0].sum_ns,
		    ns[i]);
		free(before);
		free(after);
	}
}

static void
what_a_dead_worker_has_counted_stays(void **state)
{
	struct metrics_sum *sum;

	(void)state;
	end_one(4, 1, OUTCOME_STORED);
	metrics_add(metrics_share_of(m, 4), METRICS_HANDSHAKES, 3);
	metrics_set(metrics_share_of(m, 4), METRICS_UPLOADS, 9);
	metrics_set_disk(metrics_share_of(m, 4), 0, METRICS_DISK_IN_FLIGHT, 6);
	metrics_forget(m, 4);
	metrics_forget(m, 4);
	end_one(4, 1, OUTCOME_STORED); /* of the worker that has its slot now */
	assert_int_equal(count_of(1, OUTCOME_STORED), 2);
	sum = metrics_read(m);
	assert_non_null(sum);
	assert_int_equal(sum->counters[METRICS_HANDSHAKES], 3);
	assert_int_equal(sum->locations[1].received, 20);
	free(sum);
	assert_int_equal(
	    metrics_gauge_of(metrics_share_of(m, 4), METRICS_UPLOADS), 0);
	assert_int_equal(metrics_disk(m, 0, METRICS_DISK_IN_FLIGHT), 0);
}

static void
gauges_of_disks_are_joined(void **state)
{
	struct metrics_share *a = metrics_share_of(m, 0);
	struct metrics_share *b = metrics_share_of(m, 1);

	(void)state;
	metrics_set_disk(a, 2, METRICS_DISK_IN_FLIGHT, 2);
	metrics_set_disk(b, 2, METRICS_DISK_IN_FLIGHT, 3);
	metrics_set_disk(a, 2, METRICS_DISK_OLDEST_NS, 0);
	metrics_set_disk(b, 2, METRICS_DISK_OLDEST_NS, 70);
	metrics_set_disk(a, 2, METRICS_DISK_LATENCY_NS, 8);
	metrics_set_disk(b, 2, METRICS_DISK_LATENCY_NS, 5);
	assert_int_equal(metrics_disk(m, 2, METRICS_DISK_IN_FLIGHT), 5);
	assert_int_equal(metrics_disk(m, 2, METRICS_DISK_OLDEST_NS), 70);
	assert_int_equal(metrics_disk(m, 2, METRICS_DISK_LATENCY_NS), 8);
	metrics_set_disk(a, 2, METRICS_DISK_STATE, 1);
	metrics_set_disk(b, 2, METRICS_DISK_STATE, 3);
	assert_int_equal(metrics_disk(m, 2, METRICS_DISK_STATE), 3);
	metrics_set_disk(a, 2, METRICS_DISK_OLDEST_NS, 50);
	assert_int_equal(metrics_disk(m, 2, METRICS_DISK_OLDEST_NS), 50);
}

/* However many combinations come: none is lost, though the last ones have lost their
 * names. */
static void
too_many_series_are_still_counted(void **state)
{
	struct metrics_sum *sum;
	uint64_t all = 0, made = 0;

	(void)state;
	for (unsigned l = 0; l < METRICS_NAMES; l++)
		for (unsigned o = 0; o < OUTCOME_COUNT; o++, made++)
			end_one(0, l, (enum outcome)o);
	sum = metrics_read(m);
	assert_non_null(sum);
	assert_true(sum->series_count <= METRICS_SERIES);
	for (size_t i = 0; i < sum->series_count; i++)
		all += sum->series[i].count;
	assert_int_equal(all, made);
	free(sum);
}

static atomic_bool over;

/* A worker that ends again and again. */
static void *
die_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		end_one(1, 1, OUTCOME_STORED);
		metrics_forget(m, 1);
	}
	atomic_store(&over, true);
	return NULL;
}

static void
no_sum_goes_down_while_workers_end(void **state)
{
	uint64_t before = 0;
	pthread_t t;

	(void)state;
	end_one(0, 1, OUTCOME_STORED);
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&t, NULL, die_often, NULL), 0);
	while (!atomic_load(&over)) {
		uint64_t now = count_of(1, OUTCOME_STORED);

		assert_true(now >= before);
		before = now;
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(count_of(1, OUTCOME_STORED), ROUNDS + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_keeps_its_number),
	    TEST(names_beyond_the_room_are_other),
	    TEST(uploads_are_counted_by_location_and_outcome),
	    TEST(times_fall_into_their_buckets),
	    TEST(what_a_dead_worker_has_counted_stays),
	    TEST(gauges_of_disks_are_joined),
	    TEST(too_many_series_are_still_counted),
	    TEST(no_sum_goes_down_while_workers_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
