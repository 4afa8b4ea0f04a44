/*
 * Which partials are wanted: said by one process, seen by all, and forgotten by itself.
 */
#include "shared/wanted.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "shared/shm.h"

enum {
	NOW = 1000000,
	WRITERS = 4,
	ROUNDS = 20000,
};

static const struct wanted_key key = {11, 22}, other = {22, 11};

static struct shm *shm;
static struct wanted *w;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(wanted_size());
	assert_non_null(shm);
	w = wanted_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + wanted_size());
	return 0;
}

static uint64_t
end_of_wish(void)
{
	return NOW + WANTED_MS * NS_PER_MS;
}

static void
nothing_is_wanted_at_first(void **state)
{
	(void)state;
	assert_false(wanted_any(w, NOW));
	assert_false(wanted_is(w, key, 0, NOW));
	assert_false(wanted_is(w, (struct wanted_key){0, 0}, 0, NOW));
}

/* Both keys have the same place in the table. */
static void
what_is_posted_is_wanted_and_nothing_else(void **state)
{
	(void)state;
	wanted_post(w, key, 5, NOW);
	assert_true(wanted_any(w, NOW));
	assert_true(wanted_is(w, key, 4, NOW));
	assert_false(wanted_is(w, other, 4, NOW));
	assert_false(wanted_is(w, (struct wanted_key){11, 23}, 4, NOW));
}

static void
a_wish_ends_by_itself(void **state)
{
	(void)state;
	wanted_post(w, key, 5, NOW);
	assert_true(wanted_is(w, key, 4, end_of_wish() - 1));
	assert_false(wanted_is(w, key, 4, end_of_wish()));
	assert_false(wanted_any(w, end_of_wish()));
	wanted_post(w, key, 5, NOW + 10); /* it still waits */
	assert_true(wanted_is(w, key, 4, end_of_wish()));
}

static void
only_older_holders_let_go(void **state)
{
	(void)state;
	wanted_post(w, key, 5, NOW);
	assert_false(wanted_is(w, key, 5, NOW)); /* it has got it */
	assert_false(wanted_is(w, key, 6, NOW));
}

/* The older one, which waits too, does not make the wish older. */
static void
the_newest_wish_counts(void **state)
{
	(void)state;
	wanted_post(w, key, 5, NOW);
	wanted_post(w, key, 9, NOW);
	wanted_post(w, key, 5, NOW);
	assert_true(wanted_is(w, key, 8, NOW));
}

static void
what_is_cleared_is_not_wanted(void **state)
{
	(void)state;
	wanted_post(w, key, 5, NOW);
	wanted_post(w, other, 5, NOW);
	wanted_clear(w, key, 4); /* a newer one waits */
	assert_true(wanted_is(w, key, 4, NOW));
	wanted_clear(w, key, 5);
	assert_false(wanted_is(w, key, 4, NOW));
	assert_true(wanted_is(w, other, 4, NOW));
	wanted_post(w, key, 6, NOW);
	assert_true(wanted_is(w, key, 5, NOW));
}

static void
who_waits_sees_that_it_was_let_go(void **state)
{
	uint64_t turns;

	(void)state;
	assert_false(wanted_let_go(w, key, NOW)); /* nobody waits */
	wanted_post(w, key, 5, NOW);
	turns = wanted_turns(w, key);
	assert_int_equal(wanted_turns(w, key), turns);
	assert_false(wanted_let_go(w, other, NOW));
	assert_int_equal(wanted_turns(w, key), turns);
	assert_true(wanted_let_go(w, key, NOW));
	assert_int_not_equal(wanted_turns(w, key), turns);
	assert_false(wanted_let_go(w, key, end_of_wish()));
}

static void
an_id_is_a_key(void **state)
{
	struct wanted_key k = wanted_key_of("0123456789abcdeffedcba9876543210");

	(void)state;
	assert_int_equal(k.high, 0x0123456789abcdef);
	assert_int_equal(k.low, 0xfedcba9876543210);
}

/* Far more than there is room for: the last one is there. */
static void
the_last_wish_has_a_place(void **state)
{
	(void)state;
	for (uint64_t i = 1; i < 10000; i++) {
		struct wanted_key k = {i * 77, i * 1234567};

		wanted_post(w, k, 5, NOW + i);
		assert_true(wanted_is(w, k, 4, NOW + i));
	}
}

static void
another_process_sees_it_also_of_one_that_died(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		wanted_post(w, key, 5, NOW);
		_exit(0);
	}
	assert_int_not_equal(wait(&status), -1);
	assert_true(wanted_is(w, key, 4, NOW));
}

/* Each posts keys of its own, into the same few places. */
static void *
post_many(void *number)
{
	uint64_t high = (uint64_t)(uintptr_t)number;

	for (uint64_t i = 0; i < ROUNDS; i++)
		wanted_post(w, (struct wanted_key){high, high}, i, NOW + i);
	return NULL;
}

/* Wishes may be lost, but nothing is wanted that nobody asked for. */
static void
many_at_once_want_nothing_else(void **state)
{
	pthread_t writers[WRITERS];
	struct wanted_key mine = {64, 64};

	(void)state;
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, post_many,
				     (void *)((i + 2) * 64)),
		    0);
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_false(wanted_is(w, mine, 0, NOW));
	for (unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writers[i], NULL), 0);
	wanted_post(w, mine, 5, NOW + ROUNDS);
	assert_true(wanted_is(w, mine, 4, NOW + ROUNDS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_wanted_at_first),
	    TEST(what_is_posted_is_wanted_and_nothing_else),
	    TEST(a_wish_ends_by_itself),
	    TEST(only_older_holders_let_go),
	    TEST(the_newest_wish_counts),
	    TEST(what_is_cleared_is_not_wanted),
	    TEST(who_waits_sees_that_it_was_let_go),
	    TEST(an_id_is_a_key),
	    TEST(the_last_wish_has_a_place),
	    TEST(another_process_sees_it_also_of_one_that_died),
	    TEST(many_at_once_want_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
