/*
 * What all workers share: one call makes it, one takes back all that a dead worker
 * had in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <sys/stat.h>

#include "shared/disk_health.h"
#include "shared/latest.h"
#include "shared/limits.h"
#include "shared/mount_history.h"
#include "shared/replacing.h"
#include "shared/reservations.h"
#include "shared/shared.h"
#include "shared/shm.h"

static const struct shared_room room = {
    .connections = 64, .directories = 8, .disks = 4};

static struct shared
make(void)
{
	struct shared s;

	assert_int_equal(shared_init(&s, &room), 0);
	return s;
}

static void
all_tables_are_there(void **state)
{
	struct shared s = make();

	(void)state;
	assert_int_equal(s.room.directories, room.directories);
	assert_non_null(s.shm);
	assert_non_null(s.latest);
	assert_non_null(s.mount_history);
	assert_non_null(s.limits);
	assert_non_null(s.reservations);
	assert_non_null(s.disk_health);
	assert_non_null(s.arrivals);
	assert_non_null(s.replacing);
	assert_non_null(s.ticket_keys);
	assert_non_null(s.wanted);
	assert_non_null(s.partials);
	/* The sizes are those of the tables: little more than what it takes to
	 * align each of them is left over. */
	assert_true(s.shm->size - s.shm->used < (size_t)11 * 64);
}

static void
a_dead_worker_leaves_nothing(void **state)
{
	struct shared s = make();
	struct slot *slot = shm_slot_take(s.shm);
	unsigned number = shm_slot_number(s.shm, slot);
	struct limits_scope scope = {.limits = s.limits, .owner = number};
	struct reservations_disk *disk;
	limits_entry entry;

	(void)state;
	atomic_store(&slot->pid, 4711);
	assert_int_equal(
	    limits_enter(&scope, "a", 1, 1, &entry), LIMITS_COUNTED);
	disk = reservations_of(s.reservations, number, 7);
	assert_non_null(disk);
	reservations_reserve(disk, number, 100);
	assert_non_null(mount_history_of(s.mount_history, number, "/a"));
	assert_int_not_equal(replacing_take(s.replacing, number, 5), 0);

	assert_false(shared_forget(&s, slot, 4711));

	assert_int_equal(limits_count(&scope, "a", 1), 0);
	assert_int_equal(reservations_held(disk), 0);
	assert_false(mount_history_is_open(s.mount_history, "/a"));
	assert_int_not_equal(replacing_take(s.replacing, number, 5), 0);
	assert_int_equal(atomic_load(&slot->pid), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_tables_are_there),
	    cmocka_unit_test(a_dead_worker_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
