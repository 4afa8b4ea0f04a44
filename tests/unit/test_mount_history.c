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
static struct places *places;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(places_size(PATHS));
	assert_non_null(shm);
	places = places_new(shm, PATHS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + places_size(PATHS));
	return 0;
}

static void
none_was_ever_open(void **state)
{
	struct place own = {0};

	(void)state;
	assert_false(place_is_known(places_of(places, 0, "/a")));
	assert_false(place_lacks_mounts(places_of(places, 0, "/a"), "/a", 0));
	assert_false(place_is_known(&own));
	place_remember(&own, "/a", 0);
	assert_true(place_is_known(&own));
}

static void
a_path_has_one_place(void **state)
{
	struct place *a = places_of(places, 0, "/a");
	struct place *b = places_of(places, 0, "/a/b");

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(places_of(places, 0, "/a"), a);
	assert_ptr_equal(places_of(places, 0, "/a/b"), b);
}

static void
what_workers_have_open_is_counted(void **state)
{
	struct place *a = places_of(places, 0, "/a");
	struct place *b = places_of(places, 1, "/b");

	(void)state;
	assert_non_null(places_of(places, 1, "/a"));
	assert_int_equal(places_count_open(places), 2);
	assert_true(places_is_open(places, "/b"));
	assert_false(places_is_open(places, "/c"));
	place_remember(b, "/b", 0);
	places_leave(places, 1, b);
	assert_false(places_is_open(places, "/b"));
	places_leave(places, 0, a);
	assert_int_equal(places_count_open(places), 1);
	places_forget(places, 1);
	assert_int_equal(places_count_open(places), 0);
}

static void
what_a_worker_remembers_outlives_it(void **state)
{
	struct place *a = places_of(places, 0, "/a");
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		place_remember(places_of(places, 0, "/a"), "/a", 0);
		place_remember(places_of(places, 0, "/b"), "/real/b", 2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(place_is_known(a));
	assert_false(place_lacks_mounts(a, "/a", 0));
	assert_true(
	    place_lacks_mounts(places_of(places, 0, "/b"), "/real/b", 1));
}

/* Fewer on the same way: a disk is not mounted.  Another way is meant so. */
static void
fewer_mounts_count_on_the_same_way_only(void **state)
{
	struct place p = {0};

	(void)state;
	place_remember(&p, "/mnt/up", 2);
	assert_true(place_lacks_mounts(&p, "/mnt/up", 1));
	assert_true(place_lacks_mounts(&p, "/mnt/up", 0));
	assert_false(place_lacks_mounts(&p, "/mnt/up", 2));
	assert_false(place_lacks_mounts(&p, "/mnt/up", 3));
	assert_false(place_lacks_mounts(&p, "/other", 0));
	place_remember(&p, "/mnt/up", 3);
	assert_true(place_lacks_mounts(&p, "/mnt/up", 2));
	place_remember(&p, "/mnt/up", 1000);
	assert_false(place_lacks_mounts(&p, "/mnt/up", 1000));
	assert_true(place_lacks_mounts(&p, "/mnt/up", 3));
}

static void
too_many_are_told_so(void **state)
{
	struct place *first = places_of(places, 0, "/d0"), *p = first;
	char dir[32];
	unsigned n = 0;

	(void)state;
	while (p != NULL && n < 100000) {
		snprintf(dir, sizeof(dir), "/d%u", ++n);
		p = places_of(places, 0, dir);
	}
	assert_null(p);
	assert_int_equal(n, PATHS);
	assert_ptr_equal(places_of(places, 0, "/d0"), first);
}

/* A reload with a directory for each day: who needs a place gets that of the
 * path that was used longest ago, and never one that is in use. */
static void
paths_come_and_go(void **state)
{
	struct place *stays = places_of(places, 3, "/stays"), *p, known;
	char dir[32];

	(void)state;
	place_remember(stays, "/real", 4);
	for (unsigned i = 0; i < 10 * PATHS; i++) {
		snprintf(dir, sizeof(dir), "/day/%u", i);
		p = places_of(places, 0, dir);
		assert_non_null(p);
		assert_false(place_is_known(p));
		place_remember(p, dir, 2);
		places_leave(places, 0, p);
		/* It is known to who comes next. */
		places_look(places, dir, &known);
		assert_true(place_lacks_mounts(&known, dir, 1));
	}
	places_look(places, "/day/0", &known);
	assert_false(place_is_known(&known));
	places_look(places, "/day/950", &known);
	assert_true(place_is_known(&known));
	places_forget(places, 3);
	places_look(places, "/stays", &known);
	assert_true(place_lacks_mounts(&known, "/real", 3));
	assert_ptr_equal(places_of(places, 0, "/stays"), stays);
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
