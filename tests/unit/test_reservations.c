/*
 * Room that is owed, over all workers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/reservations.h"

enum {
	DISKS = 64,
};

static struct shm *shm;
static struct reservations *reservations;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(reservations_size(DISKS));
	assert_non_null(shm);
	reservations = reservations_new(shm, DISKS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + reservations_size(DISKS));
	return 0;
}

static void
what_all_owe_is_summed(void **state)
{
	struct reservations_disk *d = reservations_of(reservations, 0, 7);

	(void)state;
	assert_int_equal(reservations_held(d), 0);
	reservations_reserve(d, 0, 100);
	reservations_reserve(d, SHM_SLOTS - 1, 23);
	assert_int_equal(reservations_held(d), 123);
	reservations_release(d, 0, 60);
	assert_int_equal(reservations_held(d), 63);
	reservations_release(d, 0, 40);
	reservations_release(d, SHM_SLOTS - 1, 23);
	assert_int_equal(reservations_held(d), 0);
}

static void
disks_are_apart(void **state)
{
	struct reservations_disk *a = reservations_of(reservations, 0, 0);
	struct reservations_disk *b = reservations_of(reservations, 0, 1);

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(reservations_of(reservations, 0, 0), a);
	reservations_reserve(a, 3, UINT64_C(1) << 60);
	assert_int_equal(reservations_held(b), 0);
	reservations_reserve(b, 3, 5);
	assert_int_equal(reservations_held(b), 5);
}

static void
a_dead_worker_owes_nothing(void **state)
{
	struct reservations_disk *a = reservations_of(reservations, 3, 0);
	struct reservations_disk *b = reservations_of(reservations, 3, 1);

	(void)state;
	assert_ptr_equal(reservations_of(reservations, 4, 1), b);
	reservations_reserve(a, 3, 10);
	reservations_reserve(b, 3, 20);
	reservations_reserve(b, 4, 40);
	reservations_forget(reservations, 3);
	assert_int_equal(reservations_held(a), 0);
	assert_int_equal(reservations_held(b), 40);
}

static void
other_processes_see_it(void **state)
{
	struct reservations_disk *d = reservations_of(reservations, 0, 9);
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		reservations_reserve(
		    reservations_of(reservations, 0, 9), 1, 1000);
		_exit(reservations_of(reservations, 0, 10) == NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(reservations_held(d), 1000);
}

static void
too_many_disks_are_not_kept_account_of(void **state)
{
	dev_t dev = 1;

	(void)state;
	while (reservations_of(reservations, 0, dev) != NULL && dev < 10000)
		dev++;
	assert_int_equal(dev, DISKS + 1);
	assert_non_null(reservations_of(reservations, 0, 1));
}

/* Each mount has a number of its own: those that are gone leave room for those
 * that come, and what is owed on one that is there stays. */
static void
disks_come_and_go(void **state)
{
	struct reservations_disk *stays =
				     reservations_of(reservations, 1, 9999),
				 *d;

	(void)state;
	reservations_reserve(stays, 1, 17);
	for (dev_t dev = 1; dev < 10 * DISKS; dev++) {
		d = reservations_of(reservations, 0, dev);
		assert_non_null(d);
		assert_int_equal(reservations_held(d), 0);
		reservations_reserve(d, 0, 100);
		reservations_release(d, 0, 100);
		reservations_leave(reservations, 0, &d);
		assert_null(d);
	}
	assert_ptr_equal(reservations_of(reservations, 0, 9999), stays);
	assert_int_equal(reservations_held(stays), 17);
	/* And those that a dead worker had are free. */
	for (dev_t dev = 1; dev < DISKS; dev++)
		reservations_reserve(
		    reservations_of(reservations, 5, dev), 5, 1);
	assert_null(reservations_of(reservations, 0, 20000));
	reservations_forget(reservations, 5);
	for (dev_t dev = 20000; dev < 20000 + DISKS - 1; dev++) {
		d = reservations_of(reservations, 0, dev);
		assert_non_null(d);
		assert_int_equal(reservations_held(d), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_all_owe_is_summed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(disks_are_apart, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_dead_worker_owes_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		other_processes_see_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		too_many_disks_are_not_kept_account_of, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		disks_come_and_go, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
