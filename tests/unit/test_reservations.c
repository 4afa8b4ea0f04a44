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
static struct ledger *ledger;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(ledger_size(DISKS));
	assert_non_null(shm);
	ledger = ledger_new(shm, DISKS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + ledger_size(DISKS));
	return 0;
}

static void
what_all_owe_is_summed(void **state)
{
	struct ledger_disk *d = ledger_of(ledger, 0, 7);

	(void)state;
	assert_int_equal(ledger_owed(d), 0);
	ledger_owe(d, 0, 100);
	ledger_owe(d, SHM_SLOTS - 1, 23);
	assert_int_equal(ledger_owed(d), 123);
	ledger_settle(d, 0, 60);
	assert_int_equal(ledger_owed(d), 63);
	ledger_settle(d, 0, 40);
	ledger_settle(d, SHM_SLOTS - 1, 23);
	assert_int_equal(ledger_owed(d), 0);
}

static void
disks_are_apart(void **state)
{
	struct ledger_disk *a = ledger_of(ledger, 0, 0);
	struct ledger_disk *b = ledger_of(ledger, 0, 1);

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(ledger_of(ledger, 0, 0), a);
	ledger_owe(a, 3, UINT64_C(1) << 60);
	assert_int_equal(ledger_owed(b), 0);
	ledger_owe(b, 3, 5);
	assert_int_equal(ledger_owed(b), 5);
}

static void
a_dead_worker_owes_nothing(void **state)
{
	struct ledger_disk *a = ledger_of(ledger, 3, 0);
	struct ledger_disk *b = ledger_of(ledger, 3, 1);

	(void)state;
	assert_ptr_equal(ledger_of(ledger, 4, 1), b);
	ledger_owe(a, 3, 10);
	ledger_owe(b, 3, 20);
	ledger_owe(b, 4, 40);
	ledger_forget(ledger, 3);
	assert_int_equal(ledger_owed(a), 0);
	assert_int_equal(ledger_owed(b), 40);
}

static void
other_processes_see_it(void **state)
{
	struct ledger_disk *d = ledger_of(ledger, 0, 9);
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		ledger_owe(ledger_of(ledger, 0, 9), 1, 1000);
		_exit(ledger_of(ledger, 0, 10) == NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(ledger_owed(d), 1000);
}

static void
too_many_disks_are_not_kept_account_of(void **state)
{
	dev_t dev = 1;

	(void)state;
	while (ledger_of(ledger, 0, dev) != NULL && dev < 10000)
		dev++;
	assert_int_equal(dev, DISKS + 1);
	assert_non_null(ledger_of(ledger, 0, 1));
}

/* Each mount has a number of its own: those that are gone leave room for those
 * that come, and what is owed on one that is there stays. */
static void
disks_come_and_go(void **state)
{
	struct ledger_disk *stays = ledger_of(ledger, 1, 9999), *d;

	(void)state;
	ledger_owe(stays, 1, 17);
	for (dev_t dev = 1; dev < 10 * DISKS; dev++) {
		d = ledger_of(ledger, 0, dev);
		assert_non_null(d);
		assert_int_equal(ledger_owed(d), 0);
		ledger_owe(d, 0, 100);
		ledger_settle(d, 0, 100);
		ledger_leave(ledger, 0, &d);
		assert_null(d);
	}
	assert_ptr_equal(ledger_of(ledger, 0, 9999), stays);
	assert_int_equal(ledger_owed(stays), 17);
	/* And those that a dead worker had are free. */
	for (dev_t dev = 1; dev < DISKS; dev++)
		ledger_owe(ledger_of(ledger, 5, dev), 5, 1);
	assert_null(ledger_of(ledger, 0, 20000));
	ledger_forget(ledger, 5);
	for (dev_t dev = 20000; dev < 20000 + DISKS - 1; dev++) {
		d = ledger_of(ledger, 0, dev);
		assert_non_null(d);
		assert_int_equal(ledger_owed(d), 0);
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
