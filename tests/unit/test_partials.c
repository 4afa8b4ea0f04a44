/*
 * How many partials wait, of whom, and for how many bytes: the same for all workers, and
 * set right by a count of what there is.
 */
#include "shared/partials.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cmocka_with.h"
#include "shared/shm.h"

enum {
	DIRS = 4,
	ROUNDS = 20000,
};

static struct shm *shm;
static struct partials *p;
static struct partials_dir *a, *b, *elsewhere;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(partials_size(DIRS));
	assert_non_null(shm);
	p = partials_new(shm, DIRS);
	a = partials_of(p, 0, 1, 10);
	b = partials_of(p, 0, 1, 11);
	elsewhere = partials_of(p, 0, 2, 10);
	return a != NULL && b != NULL && elsewhere != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + partials_size(DIRS));
	return 0;
}

static void
each_directory_and_client_is_counted(void **state)
{
	(void)state;
	assert_true(partials_enter(p, a, 7, 0, 0));
	assert_true(partials_enter(p, a, 7, 0, 0));
	assert_true(partials_enter(p, a, 8, 0, 0));
	assert_true(partials_enter(p, b, 7, 0, 0));
	assert_int_equal(partials_count(a), 3);
	assert_int_equal(partials_count(b), 1);
	assert_int_equal(partials_count_of(p, a, 7), 2);
	assert_int_equal(partials_count_of(p, b, 7), 1);
	assert_int_equal(partials_count_of(p, b, 8), 0);
	partials_leave(p, a, 7);
	assert_int_equal(partials_count(a), 2);
	assert_int_equal(partials_count_of(p, a, 7), 1);
	assert_int_equal(partials_count_of(p, a, 8), 1);
}

static void
no_more_than_may_be_there_enter(void **state)
{
	(void)state;
	assert_true(partials_enter(p, a, 7, 2, 0));
	assert_true(partials_enter(p, a, 8, 2, 0));
	assert_false(partials_enter(p, a, 9, 2, 0));
	assert_int_equal(partials_count_of(p, a, 9), 0);
	assert_true(partials_enter(p, b, 9, 2, 0));
	partials_leave(p, a, 8);
	assert_true(partials_enter(p, a, 9, 2, 0));
	assert_int_equal(partials_count(a), 2);
}

static void
no_more_than_a_client_may_have_enter(void **state)
{
	(void)state;
	assert_true(partials_enter(p, a, 7, 0, 1));
	assert_false(partials_enter(p, a, 7, 0, 1));
	assert_int_equal(partials_count(a), 1);
	assert_true(partials_enter(p, a, 8, 0, 1));
	assert_true(partials_enter(p, b, 7, 0, 1));
	partials_leave(p, a, 7);
	assert_true(partials_enter(p, a, 7, 0, 1));
}

static void
what_they_wait_for_is_that_of_their_disk(void **state)
{
	(void)state;
	partials_wait(a, 100);
	partials_wait(b, 20);
	partials_wait(elsewhere, 3);
	assert_int_equal(partials_awaited(p, 1), 120);
	assert_int_equal(partials_awaited(p, 2), 3);
	partials_go_on(a, 60);
	assert_int_equal(partials_awaited(p, 1), 60);
	partials_go_on(b, 60); /* a worker died, and nobody has counted since */
	assert_int_equal(partials_awaited(p, 1), 40);
}

static void
nothing_is_below_nothing(void **state)
{
	(void)state;
	partials_leave(p, a, 7);
	assert_int_equal(partials_count(a), 0);
	assert_true(partials_enter(p, a, 7, 1, 1));
	partials_leave(p, a, 7);
	partials_leave(p, a, 7);
	assert_int_equal(partials_count_of(p, a, 7), 0);
}

static void
a_count_sets_them_right(void **state)
{
	static const struct partials_tally tally[] = {{8, 5}, {9, 1}};
	uint64_t before;

	(void)state;
	assert_true(partials_enter(p, a, 7, 0, 0));
	assert_true(partials_enter(p, a, 8, 0, 0));
	assert_true(partials_enter(p, b, 7, 0, 0));
	partials_wait(a, 100);
	before = partials_changes(a);
	assert_true(partials_set(p, a, before, tally, 2, 33));
	assert_int_equal(partials_count(a), 6);
	assert_int_equal(partials_count_of(p, a, 7), 0);
	assert_int_equal(partials_count_of(p, a, 8), 5);
	assert_int_equal(partials_count_of(p, a, 9), 1);
	assert_int_equal(partials_count_of(p, b, 7), 1);
	assert_int_equal(partials_awaited(p, 1), 33);
}

/* What was counted was another state of things. */
static void
a_count_that_is_old_counts_only_if_it_must(void **state)
{
	static const struct partials_tally tally[] = {{7, 5}};
	uint64_t before = partials_changes(a);

	(void)state;
	assert_true(partials_enter(p, a, 7, 0, 0));
	assert_false(partials_set(p, a, before, tally, 1, 33));
	assert_int_equal(partials_count(a), 1);
	assert_int_equal(partials_awaited(p, 1), 0);
	assert_true(partials_set(p, a, UINT64_MAX, tally, 1, 33));
	assert_int_equal(partials_count(a), 5);
	before = partials_changes(b);
	partials_wait(b, 1);
	assert_false(partials_set(p, b, before, NULL, 0, 0));
	before = partials_changes(b);
	partials_go_on(b, 1);
	assert_false(partials_set(p, b, before, NULL, 0, 0));
	before = partials_changes(a);
	partials_leave(p, a, 7);
	assert_false(partials_set(p, a, before, NULL, 0, 0));
}

/* They wait on, whoever has made them. */
static void
they_outlive_their_worker(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		bool entered = partials_enter(p, a, 7, 0, 0);

		partials_wait(a, 100);
		_exit(!entered);
	}
	assert_int_not_equal(wait(&status), -1);
	partials_forget(p, 0);
	a = partials_of(p, 1, 1, 10);
	assert_int_equal(partials_count(a), 1);
	assert_int_equal(partials_awaited(p, 1), 100);
}

/* As many as may wait if nothing else is said, each of another client. */
static void
ten_thousand_clients_are_counted(void **state)
{
	(void)state;
	for (uint64_t c = 0; c < 10000; c++)
		assert_true(partials_enter(p, a, c, 10000, 1));
	for (uint64_t c = 0; c < 10000; c++)
		assert_int_equal(partials_count_of(p, a, c), 1);
}

/* There is no client that may have any number because there are too many others. */
static void
more_clients_than_can_be_counted_are_refused(void **state)
{
	enum { MANY = 3 * PARTIALS_CLIENTS };
	uint64_t entered = 0, wrong = 0;

	(void)state;
	for (uint64_t c = 0; c < MANY; c++) {
		bool enters = partials_enter(p, a, c, 0, 1);

		entered += enters;
		wrong += partials_count_of(p, a, c) != enters;
	}
	assert_int_equal(wrong, 0);
	assert_in_range(entered, PARTIALS_CLIENTS / 20 * 19, PARTIALS_CLIENTS);
	assert_int_equal(partials_count(a), entered);
	for (uint64_t c = 0; c < MANY; c++)
		wrong += partials_enter(p, a, c, 0, 1);
	assert_int_equal(wrong, 0);
	/* Where no client has a limit none is refused for that. */
	assert_true(partials_enter(p, a, MANY, 0, 0));
	partials_leave(p, a, MANY);
	assert_int_equal(partials_count(a), entered);
	for (uint64_t c = 0; c < MANY; c++)
		if (partials_count_of(p, a, c) > 0)
			partials_leave(p, a, c);
	assert_int_equal(partials_count(a), 0);
	assert_true(partials_enter(p, a, MANY, 0, 1));
	assert_false(partials_enter(p, a, MANY, 0, 1));
}

static void *
come_and_go(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (!partials_enter(p, a, 7, 3, 2))
			continue;
		partials_wait(a, 10);
		partials_go_on(a, 10);
		partials_leave(p, a, 7);
	}
	return NULL;
}

static void
all_at_once_lose_nothing(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(partials_count(a), 0);
	assert_int_equal(partials_count_of(p, a, 7), 0);
	assert_int_equal(partials_awaited(p, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_directory_and_client_is_counted),
	    TEST(no_more_than_may_be_there_enter),
	    TEST(no_more_than_a_client_may_have_enter),
	    TEST(what_they_wait_for_is_that_of_their_disk),
	    TEST(nothing_is_below_nothing),
	    TEST(a_count_sets_them_right),
	    TEST(a_count_that_is_old_counts_only_if_it_must),
	    TEST(they_outlive_their_worker),
	    TEST(ten_thousand_clients_are_counted),
	    TEST(more_clients_than_can_be_counted_are_refused),
	    TEST(all_at_once_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
