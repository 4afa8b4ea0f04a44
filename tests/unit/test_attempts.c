#include "shared/attempts.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/cmocka_with.h"

#define S UINT64_C(1000000000)

static struct shm *shm;
static struct attempts *t;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(attempts_size());
	if (shm == NULL)
		return -1;
	t = attempts_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return munmap(shm, sizeof(*shm) + shm->size);
}

static void
an_address_may_fail_some_times_and_then_slowly(void **state)
{
	uint64_t now = 1000 * S;

	(void)state;
	for (int i = 0; i < ATTEMPTS_BURST; i++) {
		assert_int_equal(attempts_wait_s(t, "abcd", 4, now), 0);
		attempts_failed(t, "abcd", 4, now);
	}
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now), 3);
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now + 2 * S), 1);
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now + 3 * S), 0);
	attempts_failed(t, "abcd", 4, now + 3 * S);
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now + 3 * S), 3);
	/* After a pause all is as it was at first. */
	now += ATTEMPTS_BURST * ATTEMPTS_EVERY_MS / 1000 * S + 4 * S;
	for (int i = 0; i < ATTEMPTS_BURST; i++) {
		assert_int_equal(attempts_wait_s(t, "abcd", 4, now), 0);
		attempts_failed(t, "abcd", 4, now);
	}
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now), 3);
}

static void
it_is_told_once_until_all_is_made_up_for(void **state)
{
	uint64_t now = 5000 * S;

	(void)state;
	assert_false(attempts_are_told(t, "abcd", 4));
	attempts_tell(t, "abcd", 4); /* nothing is known of him */
	assert_false(attempts_are_told(t, "abcd", 4));
	for (int i = 0; i < ATTEMPTS_BURST; i++)
		attempts_failed(t, "abcd", 4, now);
	assert_false(attempts_are_told(t, "abcd", 4));
	attempts_tell(t, "abcd", 4);
	assert_true(attempts_are_told(t, "abcd", 4));
	assert_int_equal(attempts_wait_s(t, "abcd", 4, now), 3);
	attempts_failed(t, "abcd", 4, now + 3 * S);
	attempts_forgive(t, "abcd", 4);
	assert_true(attempts_are_told(t, "abcd", 4));
	assert_false(attempts_are_told(t, "abce", 4));
	attempts_failed(t, "abcd", 4, now + 100 * S);
	assert_false(attempts_are_told(t, "abcd", 4));
}

static void
others_are_not_held_up(void **state)
{
	(void)state;
	for (int i = 0; i < 10 * ATTEMPTS_BURST; i++)
		attempts_failed(t, "abcd", 4, S);
	assert_int_equal(attempts_wait_s(t, "abcd", 4, S), 3);
	assert_int_equal(attempts_wait_s(t, "abce", 4, S), 0);
	assert_int_equal(attempts_wait_s(t, "abcdefgh", 8, S), 0);
}

static void
who_was_right_has_not_tried(void **state)
{
	(void)state;
	attempts_forgive(t, "abcd", 4);
	for (int i = 0; i < 5 * ATTEMPTS_BURST; i++) {
		assert_int_equal(attempts_wait_s(t, "abcd", 4, S), 0);
		attempts_failed(t, "abcd", 4, S);
		attempts_forgive(t, "abcd", 4);
	}
}

/* An attacker with many addresses: the table stays as large as it is. */
static void
a_crowd_makes_it_forget_and_not_grow(void **state)
{
	unsigned waiting = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		for (int n = 0; n < ATTEMPTS_BURST; n++)
			attempts_failed(t, &i, sizeof(i), S + i);
	for (uint32_t i = 0; i < 100000; i++)
		waiting += attempts_wait_s(t, &i, sizeof(i), S + 100000) > 0;
	assert_in_range(waiting, 8000, 4 * 4096);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(an_address_may_fail_some_times_and_then_slowly),
	    TEST(it_is_told_once_until_all_is_made_up_for),
	    TEST(others_are_not_held_up),
	    TEST(who_was_right_has_not_tried),
	    TEST(a_crowd_makes_it_forget_and_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
