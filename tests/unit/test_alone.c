/*
 * Who has the lock of a directory alone: one in so many, whoever draws; and on the loop
 * nobody, but the next one on a thread.
 */
#include "local/alone.h"

#include <pthread.h>

#include "lib/cmocka_with.h"

enum {
	ROUNDS = 3,
	THREADS = 4,
};

static struct alone a;

static int
set_up(void **state)
{
	(void)state;
	a = (struct alone){0};
	return 0;
}

/* Of so many that draw: how many are to have it alone. */
static unsigned
draw(unsigned times, bool now)
{
	unsigned alone = 0;

	while (times-- > 0)
		alone += alone_draw(&a, now);
	return alone;
}

static void
one_in_so_many_has_it_alone(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(draw(ALONE_EVERY - 1, false), 0);
		assert_int_equal(draw(1, false), 1);
	}
}

static void
on_the_loop_all_make_room_until_one_on_a_thread_had_it(void **state)
{
	(void)state;
	assert_int_equal(draw(ALONE_EVERY - 1, true), 0);
	assert_int_equal(draw(10, true), 10);
	assert_int_equal(draw(1, false), 1);
	assert_int_equal(draw(1, false), 0);
	assert_int_equal(draw(10, true), 0);
}

/* Long unasked for, it is still only one. */
static void
what_is_due_twice_is_drawn_once(void **state)
{
	(void)state;
	assert_int_equal(draw(2 * ALONE_EVERY, true), ALONE_EVERY + 1);
	assert_int_equal(draw(2, false), 1);
}

static void *
draw_many(void *ret)
{
	*(unsigned *)ret = draw(ROUNDS * ALONE_EVERY, false);
	return NULL;
}

static void
threads_draw_from_the_same(void **state)
{
	pthread_t t[THREADS];
	unsigned alone[THREADS], all = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, draw_many, &alone[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		all += alone[i];
	}
	assert_int_equal(all, THREADS * ROUNDS);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_in_so_many_has_it_alone),
	    TEST(on_the_loop_all_make_room_until_one_on_a_thread_had_it),
	    TEST(what_is_due_twice_is_drawn_once),
	    TEST(threads_draw_from_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
