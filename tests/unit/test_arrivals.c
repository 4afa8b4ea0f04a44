/*
 * Two uploads to one name: the rule by which one of them stays, and the table of
 * what the rule is about: that a record is only ever of its own file, whatever
 * else is in the table, and that nothing stays of a worker that dies.
 */
#include "shared/arrivals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	MANY = 100000, /* more than there is room for */
	WORKERS = 4,
	ROUNDS = 30000,
};

static struct shm *shm;
static struct arrivals *t;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(arrivals_size());
	assert_non_null(shm);
	t = arrivals_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + arrivals_size());
	return 0;
}

/* A file gets its name. */
static void
name_file(unsigned slot, uint64_t key, uint64_t head_ns, uint64_t named_ns)
{
	const struct arrival_record r = {.head_ns = head_ns};
	arrivals_entry at = arrivals_announce(t, slot, key, &r);

	arrivals_end(t, &at, named_ns);
	assert_int_equal(at, 0);
}

static void
the_later_head_stays(void **state)
{
	const struct arrival_record b = {.head_ns = 200, .named_ns = 300};

	(void)state;
	/* Whole before the other had its name: */
	assert_true(arrival_is_superseded(
	    &(struct arrival){.head_ns = 100, .last_ns = 110}, &b));
	assert_true(arrival_is_superseded(
	    &(struct arrival){.head_ns = 199, .last_ns = 300}, &b));
	assert_false(arrival_is_superseded(
	    &(struct arrival){.head_ns = 201, .last_ns = 210}, &b));
	/* Both at once: the one that gets the name later has it. */
	assert_false(arrival_is_superseded(
	    &(struct arrival){.head_ns = 200, .last_ns = 210}, &b));
	/* It took longer than the other's whole life. */
	assert_false(arrival_is_superseded(
	    &(struct arrival){.head_ns = 100, .last_ns = 301}, &b));
	/* It takes no part in this. */
	assert_false(
	    arrival_is_superseded(&(struct arrival){.last_ns = 110}, &b));
}

static void
while_it_gets_its_name_it_may_have_it(void **state)
{
	uint64_t key = arrivals_key(t, 1, 2, "a");
	const struct arrival_record r = {
	    .head_ns = 200, .replaced = true, .synced = true};
	struct arrival_record got;
	arrivals_entry at;

	(void)state;
	assert_false(arrivals_find(t, key, &got));
	at = arrivals_announce(t, 0, key, &r);
	assert_int_not_equal(at, 0);
	assert_true(arrivals_find(t, key, &got));
	assert_int_equal(got.head_ns, 200);
	assert_true(got.named_ns == UINT64_MAX);
	assert_true(got.replaced && got.synced);
	arrivals_end(t, &at, 300);
	arrivals_end(t, &at, 400); /* nothing the second time */
	assert_true(arrivals_find(t, key, &got));
	assert_int_equal(got.named_ns, 300);
}

static void
what_did_not_get_its_name_is_not_known(void **state)
{
	uint64_t key = arrivals_key(t, 1, 2, "a");
	struct arrival_record got;

	(void)state;
	name_file(0, key, 200, 0);
	assert_false(arrivals_find(t, key, &got));
}

static void
a_file_is_known_by_disk_inode_and_name(void **state)
{
	struct arrival_record got;

	(void)state;
	name_file(0, arrivals_key(t, 1, 2, "a"), 200, 300);
	assert_false(arrivals_find(t, arrivals_key(t, 1, 2, "b"), &got));
	assert_false(arrivals_find(t, arrivals_key(t, 1, 3, "a"), &got));
	assert_false(arrivals_find(t, arrivals_key(t, 2, 2, "a"), &got));
	assert_true(arrivals_find(t, arrivals_key(t, 1, 2, "a"), &got));
	/* An inode that another file has now. */
	name_file(1, arrivals_key(t, 1, 2, "a"), 500, 600);
	assert_true(arrivals_find(t, arrivals_key(t, 1, 2, "a"), &got));
	assert_int_equal(got.head_ns, 500);
	assert_int_equal(got.named_ns, 600);
}

/* The newest are known; of the others what is found is their own. */
static void
a_full_table_forgets_the_oldest(void **state)
{
	struct arrival_record got;
	unsigned known = 0, recent = 0;

	(void)state;
	for (unsigned i = 1; i <= MANY; i++)
		name_file(0, arrivals_key(t, 1, i, "a"), i, MANY + i);
	for (unsigned i = 1; i <= MANY; i++) {
		if (!arrivals_find(t, arrivals_key(t, 1, i, "a"), &got))
			continue;
		assert_int_equal(got.head_ns, i);
		assert_int_equal(got.named_ns, MANY + i);
		known++;
		recent += i > MANY - 1000;
	}
	assert_true(known > 20000);
	assert_int_equal(recent, 1000);
}

/* A worker that writes a file keeps its place; there may be none for others. */
static void
what_is_getting_its_name_is_not_forgotten(void **state)
{
	static arrivals_entry at[MANY];
	const struct arrival_record r = {.head_ns = 7};
	struct arrival_record got;
	unsigned none = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		at[i] = arrivals_announce(t, 0, arrivals_key(t, 1, i, "a"), &r);
		none += at[i] == 0;
	}
	assert_true(none > 0 && none < MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(
		    arrivals_find(t, arrivals_key(t, 1, i, "a"), &got),
		    at[i] != 0);
	for (unsigned i = 0; i < MANY; i++)
		arrivals_end(t, &at[i], 10);
	for (unsigned i = 0; i < MANY; i++)
		name_file(0, arrivals_key(t, 2, i, "a"), 8, 20);
	assert_true(arrivals_find(t, arrivals_key(t, 2, MANY - 1, "a"), &got));
}

/* A worker that announces files and settles them, until it is killed. */
static void
work(unsigned slot)
{
	for (unsigned i = 0;; i++) {
		const struct arrival_record r = {.head_ns = i + 1};
		arrivals_entry at = arrivals_announce(
		    t, slot, arrivals_key(t, slot, i % 1000, "a"), &r);

		arrivals_end(t, &at, i % 3 == 0 ? 0 : i + 1);
	}
}

static void
nothing_stays_of_a_worker_that_dies(void **state)
{
	const struct arrival_record r = {.head_ns = 5};
	static arrivals_entry at[MANY];
	struct arrival_record got;
	unsigned held = 0, again = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		pid_t pid = fork();
		int status;

		assert_int_not_equal(pid, -1);
		if (pid == 0)
			work(3);
		usleep(2000 + round * 100);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		arrivals_forget(t, 3, 1000000);
	}
	/* All of the table is to be had again. */
	for (unsigned i = 0; i < MANY; i++) {
		at[i] = arrivals_announce(t, 3, arrivals_key(t, 9, i, "b"), &r);
		held += at[i] != 0;
	}
	assert_true(
	    arrivals_find(t, arrivals_key(t, 9, 0, "b"), &got) && at[0] != 0);
	/* What was getting its name then has it by now, or never will. */
	arrivals_forget(t, 3, 77);
	assert_true(arrivals_find(t, arrivals_key(t, 9, 0, "b"), &got));
	assert_int_equal(got.named_ns, 77);
	arrivals_forget(t, 3, 99); /* nothing the second time */
	assert_true(arrivals_find(t, arrivals_key(t, 9, 0, "b"), &got));
	assert_int_equal(got.named_ns, 77);
	for (unsigned i = 0; i < MANY; i++)
		again += arrivals_announce(
			     t, 4, arrivals_key(t, 9, i, "b"), &r) != 0;
	assert_int_equal(again, held);
}

/* Each of several at once finds what it has announced, and never a mixture. */
static void
check_own(unsigned slot)
{
	for (unsigned i = 1; i <= ROUNDS; i++) {
		uint64_t key = arrivals_key(t, slot, i, "a");
		const struct arrival_record r = {.head_ns = key};
		arrivals_entry at = arrivals_announce(t, slot, key, &r);
		struct arrival_record got;

		if (at == 0 || !arrivals_find(t, key, &got) ||
		    got.head_ns != key)
			_exit(1);
		arrivals_end(t, &at, i);
		key = arrivals_key(t, (slot + 1) % WORKERS, i, "a");
		if (arrivals_find(t, key, &got) && got.head_ns != key)
			_exit(1);
	}
	_exit(0);
}

static void
several_at_once_see_no_mixture(void **state)
{
	int status;

	(void)state;
	for (unsigned i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0)
			check_own(i);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_later_head_stays),
	    TEST(while_it_gets_its_name_it_may_have_it),
	    TEST(what_did_not_get_its_name_is_not_known),
	    TEST(a_file_is_known_by_disk_inode_and_name),
	    TEST(a_full_table_forgets_the_oldest),
	    TEST(what_is_getting_its_name_is_not_forgotten),
	    TEST(nothing_stays_of_a_worker_that_dies),
	    TEST(several_at_once_see_no_mixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
