/*
 * Records that workers share by a key: those of workers that went, or died at
 * any moment, are there for others.
 */
#include "shared/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	RECORDS = 16,
	IDLE_MAX = 4,
	PROCESSES = 4,
	ROUNDS = 4000,
};

#if defined(__SANITIZE_THREAD__)
#define STEPS_ARE_OURS false
#else
#define STEPS_ARE_OURS true
#endif

struct record {
	struct registry_head head;
	_Atomic uint64_t of; /* its key, as its users have written it */
	_Atomic uint64_t users[PROCESSES];
};

static struct shm *shm;
static struct registry *all;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(registry_size(RECORDS, sizeof(struct record)));
	assert_non_null(shm);
	all = registry_new(shm, RECORDS, sizeof(struct record), IDLE_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(
	    shm, sizeof(*shm) + registry_size(RECORDS, sizeof(struct record)));
	return 0;
}

static struct record *
take(unsigned slot, uint64_t key)
{
	return registry_take(all, slot,
	    (struct registry_key){.major = key / 2, .minor = key % 2});
}

static void
a_key_has_one_record(void **state)
{
	struct record *a = take(0, 0), *b = take(0, 1);

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(take(7, 0), a);
	assert_ptr_equal(take(0, 1), b);
	assert_ptr_equal(
	    registry_find(all, (struct registry_key){.minor = 1}), b);
	assert_null(registry_find(all, (struct registry_key){.major = 5}));
}

/* It is kept until its last use, of all workers, has ended. */
static void
what_is_used_stays(void **state)
{
	struct record *a = take(0, 0);

	(void)state;
	a->of = 77;
	assert_ptr_equal(take(0, 0), a);
	assert_ptr_equal(take(9, 0), a);
	registry_give(all, 0, a);
	registry_give(all, 9, a);
	for (uint64_t i = 1; i < RECORDS; i++)
		assert_non_null(take(1, i));
	assert_null(take(1, RECORDS));
	assert_int_equal(a->of, 77);
	registry_give(all, 0, a);
	assert_ptr_equal(take(1, RECORDS), a);
	assert_int_equal(a->of, 0); /* wiped */
	assert_null(take(0, 0));
}

/* Of those that are not in use a few are remembered, the last ones. */
static void
the_one_used_longest_ago_is_given_up(void **state)
{
	struct record *r;

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		r = take(0, i);
		assert_non_null(r);
		assert_int_equal(r->of, 0);
		r->of = i + 1;
		registry_give(all, 0, r);
		r = take(0, i / 2 * 2); /* of two, the first one twice */
		assert_int_equal(r->of, i / 2 * 2 + 1);
		registry_give(all, 0, r);
	}
	assert_int_equal(registry_count(all), IDLE_MAX);
	for (uint64_t i = 100 - IDLE_MAX; i < 100; i++) {
		r = take(0, i);
		assert_int_equal(r->of, i + 1);
	}
}

static void
the_dead_use_nothing(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < RECORDS; i++)
		(void)take((unsigned)i % 2, i);
	registry_forget(all, 0);
	for (uint64_t i = 0; i < RECORDS / 2; i++)
		assert_non_null(take(2, 100 + i));
	assert_null(take(2, 200));
	registry_forget(all, 1);
	assert_non_null(take(2, 200));
}

/* Uses and gives back at random; a record that it uses is its key's alone. */
static void
use_many(unsigned i)
{
	uint64_t seed = i + 1;

	for (unsigned k = 0; k < ROUNDS; k++) {
		uint64_t key;
		struct record *r;

		seed = seed * 6364136223846793005U + 1442695040888963407U;
		key = 1 + (seed >> 33) % (3 * RECORDS);
		r = take(i, key);
		if (r == NULL)
			continue;
		atomic_store(&r->of, key);
		atomic_fetch_add(&r->users[i], 1);
		if (k % 3 == 0)
			(void)usleep(1);
		if (atomic_load(&r->of) != key ||
		    atomic_fetch_sub(&r->users[i], 1) != 1)
			_exit(1);
		registry_give(all, i, r);
	}
	_exit(0);
}

static void
many_at_once_have_each_its_own(void **state)
{
	pid_t pids[PROCESSES];
	int status;

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			use_many(i);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (uint64_t i = 0; i < RECORDS; i++)
		assert_non_null(take(0, 1000 + i));
}

/* A worker looks a key up and is killed after so many instructions; the master
 * takes back what it had.  How many there were; -1: it cannot be traced. */
static long
take_and_die(uint64_t key, long steps)
{
	pid_t pid = fork();
	long done = 0;
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(1);
		raise(SIGSTOP);
		(void)take(1, key);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		return -1;
	while (done < steps && WIFSTOPPED(status)) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		done++;
	}
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	registry_forget(all, 1);
	return done;
}

/* At one instruction after the other, on its way to a record that was never
 * used, or to one that has to be wiped: nothing is lost, nothing is left. */
static void
a_worker_that_dies_on_the_way_leaves_nothing(void **state)
{
	long whole = 0, pass = 0;

	(void)state;
	if (!STEPS_ARE_OURS || (whole = take_and_die(1, 1000000)) == -1) {
		print_message("cannot be traced here: skipped\n");
		skip();
	}
	assert_true(whole > 50 && whole < 1000000);
	for (long step = 0; step < whole; step += 1 + whole / 150) {
		uint64_t base = 1000 * (uint64_t)++pass;
		struct record *r[RECORDS];

		(void)take_and_die(base + 999, step);
		for (uint64_t i = 0; i < RECORDS; i++) {
			r[i] = take(0, base + i);
			assert_non_null(r[i]);
			assert_int_equal(r[i]->of, 0);
			r[i]->of = 1;
		}
		assert_null(take(0, base + RECORDS));
		for (uint64_t i = 0; i < RECORDS; i++)
			registry_give(all, 0, r[i]);
	}
}

/* That all are in use is for long, that a process died with the lock is not. */
static void
what_is_short_for_a_moment_is_told_from_what_is_full(void **state)
{
	_Atomic uint32_t *lock = (_Atomic uint32_t *)all; /* its first member */

	(void)state;
	atomic_store(lock, 7 + 1);
	errno = 0;
	assert_null(take(0, 1));
	assert_int_equal(errno, EBUSY);
	registry_forget(all, 7);
	for (uint64_t i = 0; i < RECORDS; i++)
		assert_non_null(take(0, i));
	assert_null(take(0, RECORDS));
	assert_int_equal(errno, ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_key_has_one_record),
	    TEST(what_is_used_stays),
	    TEST(the_one_used_longest_ago_is_given_up),
	    TEST(the_dead_use_nothing),
	    TEST(what_is_short_for_a_moment_is_told_from_what_is_full),
	    TEST(many_at_once_have_each_its_own),
	    TEST(a_worker_that_dies_on_the_way_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
