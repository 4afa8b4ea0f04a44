/*
 * What is warned of before something is refused, and when: by one worker, once.
 */
#include "shared/warnings.h"

#include <sys/mman.h>

#include "lib/cmocka_with.h"
#include "base/clock.h"
#include "shared/retries.h"
#include "upload/bound.h"
#include "web/free_levels.h"

#define STEP (250 * NS_PER_MS)

static struct shm *shm;
static struct warnings *w;
static struct retries *retries;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(warnings_size() + retries_size());
	assert_non_null(shm);
	w = warnings_new(shm);
	retries = retries_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + warnings_size() + retries_size());
	return 0;
}

static void
a_level_is_told_by_who_has_changed_it(void **state)
{
	unsigned before;

	(void)state;
	assert_true(warnings_set_level(w, WARNINGS_FREE, 3, 1, &before));
	assert_int_equal(before, 0);
	assert_false(warnings_set_level(w, WARNINGS_FREE, 3, 1, &before));
	assert_int_equal(warnings_level(w, WARNINGS_FREE, 3), 1);
	assert_int_equal(warnings_level(w, WARNINGS_FREE, 4), 0);
	assert_true(warnings_set_level(w, WARNINGS_FREE, 3, 0, &before));
	assert_int_equal(before, 1);
}

static void
one_of_all_tells_and_again_when_the_time_has_passed(void **state)
{
	uint64_t now = 5 * NS_PER_S;

	(void)state;
	assert_true(warnings_claim(w, WARNINGS_WRITE_BOUND, 0, now, NS_PER_S));
	assert_false(warnings_claim(w, WARNINGS_WRITE_BOUND, 0, now, NS_PER_S));
	assert_true(warnings_claim(w, WARNINGS_WRITE_BOUND, 1, now, NS_PER_S));
	assert_true(warnings_claim(w, WARNINGS_FREE, 0, now, NS_PER_S));
	now += NS_PER_S - 1;
	assert_false(warnings_claim(w, WARNINGS_WRITE_BOUND, 0, now, NS_PER_S));
	assert_true(
	    warnings_claim(w, WARNINGS_WRITE_BOUND, 0, now + 1, NS_PER_S));
}

/* ---- room ---- */

static void
levels_are_reached_below_and_left_above(void **state)
{
	const struct conf_location l = {.warn_free = 1000, .alarm_free = 100};
	const struct conf_location none = {.warn_free = 0};

	(void)state;
	assert_int_equal(
	    free_levels_judge(&l, 1000, FREE_LEVEL_NONE), FREE_LEVEL_NONE);
	assert_int_equal(
	    free_levels_judge(&l, 999, FREE_LEVEL_NONE), FREE_LEVEL_WARN);
	assert_int_equal(
	    free_levels_judge(&l, 99, FREE_LEVEL_NONE), FREE_LEVEL_ALARM);
	/* A twentieth above it is over. */
	assert_int_equal(
	    free_levels_judge(&l, 1049, FREE_LEVEL_WARN), FREE_LEVEL_WARN);
	assert_int_equal(
	    free_levels_judge(&l, 1050, FREE_LEVEL_WARN), FREE_LEVEL_NONE);
	assert_int_equal(
	    free_levels_judge(&l, 104, FREE_LEVEL_ALARM), FREE_LEVEL_ALARM);
	assert_int_equal(
	    free_levels_judge(&l, 105, FREE_LEVEL_ALARM), FREE_LEVEL_WARN);
	assert_int_equal(
	    free_levels_judge(&none, 0, FREE_LEVEL_NONE), FREE_LEVEL_NONE);
	assert_int_equal(
	    free_levels_judge(&none, 0, FREE_LEVEL_ALARM), FREE_LEVEL_NONE);
}

/* ---- the disk ---- */

static uint64_t now;

/* Looks for so many seconds, of which `of_four` of each four are write-bound.  How often it
 * was time to warn of a minute. */
static unsigned
looks(struct bound *b, unsigned seconds, unsigned of_four)
{
	unsigned warned = 0;

	for (unsigned i = 0; i < 4 * seconds; i++) {
		now += STEP;
		bound_add(b, i % 4 < of_four);
		warned += bound_look(b, now, 60 * NS_PER_S);
	}
	return warned;
}

static void
a_location_that_is_write_bound_for_long_is_warned_of(void **state)
{
	struct bound b = {.seen_ns = 0};

	(void)state;
	now = NS_PER_S;
	assert_int_equal(looks(&b, 55, 4), 0);
	assert_int_equal(looks(&b, 10, 4), 1);
	assert_int_equal(looks(&b, 50, 4), 0);
	assert_int_equal(looks(&b, 10, 4), 1);
}

static void
one_that_is_so_now_and_then_is_not(void **state)
{
	struct bound b = {.seen_ns = 0};

	(void)state;
	now = NS_PER_S;
	assert_int_equal(looks(&b, 3600, 2), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(looks(&b, 50, 4), 0);
		assert_int_equal(looks(&b, 25, 0), 0);
	}
	/* Time in which nothing ran counts as such. */
	assert_int_equal(looks(&b, 55, 4), 0);
	now += 60 * NS_PER_S;
	assert_int_equal(looks(&b, 55, 4), 0);
}

static void
half_of_those_that_run_are_not_most(void **state)
{
	struct bound b = {.seen_ns = 0};
	unsigned warned = 0;

	(void)state;
	for (now = NS_PER_S; now < 600 * NS_PER_S; now += STEP) {
		bound_add(&b, true);
		bound_add(&b, false);
		warned += bound_look(&b, now, 60 * NS_PER_S);
	}
	assert_int_equal(warned, 0);
	for (; now < 700 * NS_PER_S; now += STEP) {
		bound_add(&b, true);
		bound_add(&b, true);
		bound_add(&b, false);
		warned += bound_look(&b, now, 60 * NS_PER_S);
	}
	assert_int_equal(warned, 1);
}

/* ---- clients ---- */

static void
the_tenth_time_is_told_and_the_hundredth(void **state)
{
	uint64_t at = NS_PER_S, since = 0;

	(void)state;
	assert_false(retries_any(retries, at));
	for (unsigned i = 1; i <= 1000; i++, at += NS_PER_S / 10) {
		unsigned told = retries_failed(retries, 7, at, &since);

		assert_int_equal(
		    told, i == 10 || i == 100 || i == 1000 ? i : 0);
	}
	assert_int_equal(since, NS_PER_S);
	assert_true(retries_any(retries, at));
}

static void
who_succeeds_or_waits_is_forgotten(void **state)
{
	uint64_t at = NS_PER_S, since;

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(retries_failed(retries, 7, at, &since), 0);
	retries_succeeded(retries, 8);
	retries_succeeded(retries, 7);
	for (int i = 0; i < 9; i++)
		assert_int_equal(retries_failed(retries, 7, at, &since), 0);
	at += (RETRIES_WITHIN_S + 1) * NS_PER_S;
	assert_false(retries_any(retries, at));
	assert_int_equal(retries_failed(retries, 7, at, &since), 0);
	/* Another one is another one, also in its place. */
	assert_int_equal(retries_failed(retries, 7 + 1024, at, &since), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(retries_failed(retries, 7, at, &since), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    CASE(a_level_is_told_by_who_has_changed_it),
	    CASE(one_of_all_tells_and_again_when_the_time_has_passed),
	    CASE(levels_are_reached_below_and_left_above),
	    CASE(a_location_that_is_write_bound_for_long_is_warned_of),
	    CASE(one_that_is_so_now_and_then_is_not),
	    CASE(half_of_those_that_run_are_not_most),
	    CASE(the_tenth_time_is_told_and_the_hundredth),
	    CASE(who_succeeds_or_waits_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
