/*
 * Where output directories were, for workers that come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/mount_history.h"

enum {
	PATHS = 100,
};

static struct shm *shm;
static struct mount_history *mount_history;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(mount_history_size(PATHS));
	assert_non_null(shm);
	mount_history = mount_history_new(shm, PATHS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + mount_history_size(PATHS));
	return 0;
}

static void
none_was_ever_open(void **state)
{
	struct mount_record own = {0};

	(void)state;
	assert_false(
	    mount_history_is_known(mount_history_of(mount_history, 0, "/a")));
	assert_false(mount_history_lacks_mounts(
	    mount_history_of(mount_history, 0, "/a"), "/a", 0));
	assert_false(mount_history_is_known(&own));
	mount_history_remember(&own, "/a", 0);
	assert_true(mount_history_is_known(&own));
}

static void
a_path_has_one_place(void **state)
{
	struct mount_record *a = mount_history_of(mount_history, 0, "/a");
	struct mount_record *b = mount_history_of(mount_history, 0, "/a/b");

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(mount_history_of(mount_history, 0, "/a"), a);
	assert_ptr_equal(mount_history_of(mount_history, 0, "/a/b"), b);
}

static void
what_workers_have_open_is_counted(void **state)
{
	struct mount_record *a = mount_history_of(mount_history, 0, "/a");
	struct mount_record *b = mount_history_of(mount_history, 1, "/b");

	(void)state;
	assert_non_null(mount_history_of(mount_history, 1, "/a"));
	assert_int_equal(mount_history_count_open(mount_history), 2);
	assert_true(mount_history_is_open(mount_history, "/b"));
	assert_false(mount_history_is_open(mount_history, "/c"));
	mount_history_remember(b, "/b", 0);
	mount_history_leave(mount_history, 1, b);
	assert_false(mount_history_is_open(mount_history, "/b"));
	mount_history_leave(mount_history, 0, a);
	assert_int_equal(mount_history_count_open(mount_history), 1);
	mount_history_forget(mount_history, 1);
	assert_int_equal(mount_history_count_open(mount_history), 0);
}

static void
what_a_worker_remembers_outlives_it(void **state)
{
	struct mount_record *a = mount_history_of(mount_history, 0, "/a");
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		mount_history_remember(
		    mount_history_of(mount_history, 0, "/a"), "/a", 0);
		mount_history_remember(
		    mount_history_of(mount_history, 0, "/b"), "/real/b", 2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(mount_history_is_known(a));
	assert_false(mount_history_lacks_mounts(a, "/a", 0));
	assert_true(mount_history_lacks_mounts(
	    mount_history_of(mount_history, 0, "/b"), "/real/b", 1));
}

/* Fewer on the same way: a disk is not mounted.  Another way is meant so. */
static void
fewer_mounts_count_on_the_same_way_only(void **state)
{
	struct mount_record p = {0};

	(void)state;
	mount_history_remember(&p, "/mnt/up", 2);
	assert_true(mount_history_lacks_mounts(&p, "/mnt/up", 1));
	assert_true(mount_history_lacks_mounts(&p, "/mnt/up", 0));
	assert_false(mount_history_lacks_mounts(&p, "/mnt/up", 2));
	assert_false(mount_history_lacks_mounts(&p, "/mnt/up", 3));
	assert_false(mount_history_lacks_mounts(&p, "/other", 0));
	mount_history_remember(&p, "/mnt/up", 3);
	assert_true(mount_history_lacks_mounts(&p, "/mnt/up", 2));
	mount_history_remember(&p, "/mnt/up", 1000);
	assert_false(mount_history_lacks_mounts(&p, "/mnt/up", 1000));
	assert_true(mount_history_lacks_mounts(&p, "/mnt/up", 3));
}

static void
too_many_are_told_so(void **state)
{
	struct mount_record *first = mount_history_of(mount_history, 0, "/d0"),
			    *p = first;
	char dir[32];
	unsigned n = 0;

	(void)state;
	while (p != NULL && n < 100000) {
		snprintf(dir, sizeof(dir), "/d%u", ++n);
		p = mount_history_of(mount_history, 0, dir);
	}
	assert_null(p);
	assert_int_equal(n, PATHS);
	assert_ptr_equal(mount_history_of(mount_history, 0, "/d0"), first);
}

/* A reload with a directory for each day: a new one gets the place of the
 * path that was used longest ago, and never one that is in use. */
static void
paths_come_and_go(void **state)
{
	struct mount_record *stays =
				mount_history_of(mount_history, 3, "/stays"),
			    *p, known;
	char dir[32];

	(void)state;
	mount_history_remember(stays, "/real", 4);
	for (unsigned i = 0; i < 10 * PATHS; i++) {
		snprintf(dir, sizeof(dir), "/day/%u", i);
		p = mount_history_of(mount_history, 0, dir);
		assert_non_null(p);
		assert_false(mount_history_is_known(p));
		mount_history_remember(p, dir, 2);
		mount_history_leave(mount_history, 0, p);
		/* It is known to the next one that looks. */
		mount_history_look(mount_history, dir, &known);
		assert_true(mount_history_lacks_mounts(&known, dir, 1));
	}
	mount_history_look(mount_history, "/day/0", &known);
	assert_false(mount_history_is_known(&known));
	mount_history_look(mount_history, "/day/950", &known);
	assert_true(mount_history_is_known(&known));
	mount_history_forget(mount_history, 3);
	mount_history_look(mount_history, "/stays", &known);
	assert_true(mount_history_lacks_mounts(&known, "/real", 3));
	assert_ptr_equal(mount_history_of(mount_history, 0, "/stays"), stays);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		none_was_ever_open, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_path_has_one_place, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_workers_have_open_is_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_a_worker_remembers_outlives_it, set_up, tear_down),
	    cmocka_unit_test(fewer_mounts_count_on_the_same_way_only),
	    cmocka_unit_test_setup_teardown(
		too_many_are_told_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		paths_come_and_go, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
