/*
 * Limits over all workers: what is counted, that the limit is exact whichever come
 * at once, and that nothing stays of a worker that dies.
 */
#include "shared/limits.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	THINGS = 1000,
	WORKERS = 4,
	ROUNDS = 20000,
	MAX = 3,
};

static struct shm *shm;
static struct limits *t;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(limits_size(THINGS));
	assert_non_null(shm);
	t = limits_new(shm, THINGS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + limits_size(THINGS));
	return 0;
}

static struct limits_scope
scope_of(unsigned owner, const char *name)
{
	struct limits_scope whole = {.limits = t, .owner = owner};

	return limits_scope(&whole, name, strlen(name));
}

static enum limits_answer
enter(unsigned owner, const char *scope, uint32_t thing, unsigned max,
    limits_entry *ret)
{
	struct limits_scope s = scope_of(owner, scope);

	return limits_enter(&s, &thing, sizeof(thing), max, ret);
}

static void
leave(limits_entry *place)
{
	limits_leave(t, place);
}

static unsigned
count(const char *scope, uint32_t thing)
{
	struct limits_scope s = scope_of(200, scope);

	return (unsigned)limits_count(&s, &thing, sizeof(thing));
}

static void
a_limit_is_exact(void **state)
{
	limits_entry places[MAX + 1], other;

	(void)state;
	for (unsigned i = 0; i < MAX; i++) {
		assert_int_equal(
		    enter(i % 2, "a", 1, MAX, &places[i]), LIMITS_COUNTED);
		assert_int_equal(count("a", 1), i + 1);
	}
	for (unsigned owner = 0; owner < 3; owner++) {
		assert_int_equal(
		    enter(owner, "a", 1, MAX, &places[MAX]), LIMITS_FULL);
		assert_int_equal(places[MAX], 0);
	}
	/* Another thing, and the same one in another scope. */
	assert_int_equal(enter(0, "a", 2, 1, &other), LIMITS_COUNTED);
	assert_int_equal(enter(0, "b", 1, 1, &other), LIMITS_COUNTED);
	leave(&places[1]);
	leave(&places[1]); /* it is cleared: once is enough */
	assert_int_equal(count("a", 1), MAX - 1);
	assert_int_equal(enter(5, "a", 1, MAX, &places[1]), LIMITS_COUNTED);
	leave(&places[0]);
	leave(&places[1]);
	leave(&places[2]);
	assert_int_equal(count("a", 1), 0);
	assert_int_equal(count("b", 1), 1);
}

static void
the_dead_count_nothing(void **state)
{
	limits_entry place;

	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		assert_int_equal(
		    enter(7, "k", 1, MAX + 1, &place), LIMITS_COUNTED);
	assert_int_equal(enter(8, "k", 1, MAX + 1, &place), LIMITS_COUNTED);
	limits_forget(t, 7);
	assert_int_equal(count("k", 1), 1);
	leave(&place);
	assert_int_equal(count("k", 1), 0);
}

/* All the workers that there can be, and one limit. */
static void
a_limit_holds_for_all_workers(void **state)
{
	static limits_entry places[SHM_SLOTS];
	limits_entry none;

	(void)state;
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		assert_int_equal(
		    enter(i, "a", 1, SHM_SLOTS, &places[i]), LIMITS_COUNTED);
	assert_int_equal(enter(7, "a", 1, SHM_SLOTS, &none), LIMITS_FULL);
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		leave(&places[i]);
	assert_int_equal(count("a", 1), 0);
}

/* Killed wherever it is, again and again, a worker leaves nothing behind that
 * limits_forget() does not find. */
static void
the_killed_leave_nothing(void **state)
{
	limits_entry places[MAX];

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				if (enter(9, "k", round, MAX, &places[0]) ==
				    LIMITS_COUNTED)
					leave(&places[0]);
		usleep(round * 7 % 500);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		limits_forget(t, 9);
		assert_int_equal(count("k", round), 0);
		for (unsigned i = 0; i < MAX; i++)
			assert_int_equal(enter(i, "k", round, MAX, &places[i]),
			    LIMITS_COUNTED);
		for (unsigned i = 0; i < MAX; i++)
			leave(&places[i]);
	}
}

/* More things at once than the table is for: those that find no room pass,
 * and all counts stay true. */
static void
a_full_table_lets_pass(void **state)
{
	static limits_entry places[20 * THINGS];
	size_t crowded = 0;

	(void)state;
	for (uint32_t i = 0; i < 20 * THINGS; i++) {
		if (enter(1, "", i, 1, &places[i]) == LIMITS_CROWDED)
			crowded++;
		else
			assert_int_equal(count("", i), 1);
	}
	assert_in_range(crowded, 1, 20 * THINGS - THINGS);
	for (uint32_t i = 0; i < 20 * THINGS; i++)
		leave(&places[i]);
	for (uint32_t i = 0; i < 20 * THINGS; i++)
		assert_int_equal(count("", i), 0);
}

/* Come and go as fast as can be; never are there more than allowed. */
static void
come_and_go(unsigned owner, _Atomic uint32_t *inside)
{
	unsigned entered = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		limits_entry place;

		if (enter(owner, "x", 1, MAX, &place) != LIMITS_COUNTED)
			continue;
		entered++;
		if (atomic_fetch_add(inside, 1) >= MAX)
			_exit(1);
		atomic_fetch_sub(inside, 1);
		leave(&place);
	}
	_exit(entered > 0 ? 0 : 2);
}

static void
none_slips_in(void **state)
{
	_Atomic uint32_t *inside = &shm->slots[0].connections;
	pid_t pids[WORKERS];

	(void)state;
	for (unsigned i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			come_and_go(i, inside);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count("x", 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_limit_is_exact, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_dead_count_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_limit_holds_for_all_workers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_killed_leave_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_full_table_lets_pass, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(none_slips_in, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
