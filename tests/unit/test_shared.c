/*
 * What all workers share: one call makes it, one takes back all that a dead worker
 * had in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/disk_health.h"
#include "shared/latest.h"
#include "shared/limits.h"
#include "shared/metrics.h"
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
	assert_non_null(s.live);
	assert_non_null(s.user_names);
	assert_non_null(s.warnings);
	assert_non_null(s.retries);
	/* The sizes are those of the tables: little more than what it takes to
	 * align each of them is left over. */
	assert_true(s.shm->size - s.shm->used < (size_t)15 * 64);
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

/* ---- a second master ---- */

static uint64_t
reloads(const struct shared *s)
{
	struct metrics_sum *sum = metrics_read(s->metrics);
	uint64_t n;

	assert_non_null(sum);
	n = sum->counters[METRICS_RELOADS];
	free(sum);
	return n;
}

/* Whatever one of them counts the other sees, though the memory is at another address. */
static void
a_successor_goes_on_in_the_same_tables(void **state)
{
	struct shared a = make(), b = {0};
	struct slot *slot = shm_slot_take(a.shm);
	unsigned number = shm_slot_number(a.shm, slot);
	struct limits_scope in_a = {.limits = a.limits, .owner = number}, in_b;
	struct reservations_disk *disk;
	limits_entry entry;

	(void)state;
	if (a.fd == -1)
		skip(); /* PORTABLE */
	assert_int_equal(
	    limits_enter(&in_a, "a", 1, 1, &entry), LIMITS_COUNTED);
	disk = reservations_of(a.reservations, number, 7);
	assert_non_null(disk);
	reservations_reserve(disk, number, 100);
	assert_non_null(mount_history_of(a.mount_history, number, "/a"));
	metrics_add(metrics_share_of_master(a.metrics), METRICS_RELOADS, 2);
	metrics_enter(a.metrics, METRICS_LOCATION, "/x");

	assert_int_equal(shared_adopt(&b, a.fd, a.bell.fd), 0);
	assert_ptr_not_equal(a.shm, b.shm);
	assert_int_equal(b.room.connections, room.connections);
	assert_int_equal(b.room.directories, room.directories);
	assert_int_equal(b.room.disks, room.disks);
	in_b = (struct limits_scope){
	    .limits = b.limits, .owner = number, .key = in_a.key};
	assert_int_equal(limits_count(&in_b, "a", 1), 1);
	disk = reservations_of(b.reservations, number, 7);
	assert_int_equal(reservations_held(disk), 100);
	assert_true(mount_history_is_open(b.mount_history, "/a"));
	assert_int_equal(metrics_find(b.metrics, METRICS_LOCATION, "/x"),
	    metrics_find(a.metrics, METRICS_LOCATION, "/x"));
	/* Each master has numbers of its own, and the sum is that of both. */
	metrics_add(metrics_share_of_master(b.metrics), METRICS_RELOADS, 1);
	assert_int_equal(reloads(&a), 3);
	assert_int_equal(reloads(&b), 3);
	metrics_be_master(a.metrics, 0);
}

static void
another_layout_is_not_touched(void **state)
{
	struct shared a = make(), b = {0};

	(void)state;
	if (a.fd == -1)
		skip();
	a.shm->stamp.layout++;
	assert_int_equal(shared_adopt(&b, a.fd, -1), -ESTALE);
	a.shm->stamp.layout--;
	a.shm->stamp.sum ^= 1;
	assert_int_equal(shared_adopt(&b, a.fd, -1), -ESTALE);
	a.shm->stamp.sum ^= 1;
	a.shm->size *= 2; /* it would end beyond the memory */
	assert_int_equal(shared_adopt(&b, a.fd, -1), -ESTALE);
	a.shm->size /= 2;
	assert_int_equal(shared_adopt(&b, STDERR_FILENO, -1), -EINVAL);
	assert_int_equal(shared_adopt(&b, -1, -1), -EINVAL);
	assert_int_equal(shared_adopt(&b, a.fd, -1), 0);
	metrics_be_master(a.metrics, 0);
}

/* A process that has ended, and was waited for. */
static pid_t
somebody_dead(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void
the_dead_workers_of_a_dead_master_leave_nothing(void **state)
{
	struct shared s = make();
	struct slot *dead = shm_slot_take(s.shm), *alive, *ours;
	struct limits_scope scope = {
	    .limits = s.limits, .owner = shm_slot_number(s.shm, dead)};
	pid_t master = somebody_dead();
	limits_entry entry;

	(void)state;
	atomic_store(&s.shm->masters[1], (uint32_t)master);
	alive = shm_slot_take(s.shm);
	ours = shm_slot_take(s.shm);
	atomic_store(&dead->master, (uint32_t)master);
	atomic_store(&alive->master, (uint32_t)master);
	atomic_store(&dead->pid, (uint32_t)somebody_dead());
	atomic_store(&ours->pid, (uint32_t)somebody_dead());
	assert_int_equal(
	    limits_enter(&scope, "a", 1, 1, &entry), LIMITS_COUNTED);

	/* While its master may still reap it, it is that one's. */
	shared_forget_orphans(&s);
	assert_false(shm_has_orphans(s.shm));
	assert_int_equal(limits_count(&scope, "a", 1), 1);

	shared_master_gone(&s, master);
	assert_true(shm_has_orphans(s.shm));
	shared_forget_orphans(&s);
	assert_int_equal(limits_count(&scope, "a", 1), 0);
	assert_int_equal(atomic_load(&dead->pid), 0);
	assert_int_not_equal(atomic_load(&alive->pid), 0);
	assert_int_not_equal(atomic_load(&ours->pid), 0);
	assert_true(shm_has_orphans(s.shm)); /* it runs still */
	assert_int_equal(shm_slots_free(s.shm), SHM_SLOTS - 2);
}

/* Workers may write into it, so what looks at it believes no place in it. */
static void
one_that_only_looks_is_not_led_out_of_it(void **state)
{
	struct shared a = make(), b;
	unsigned number = METRICS_OTHER;

	(void)state;
	if (a.fd == -1)
		skip();
	number = metrics_enter(a.metrics, METRICS_DIRECTORY, "/srv");
	assert_int_equal(shared_look(&b, a.fd), 0);
	assert_string_equal(
	    metrics_name(b.metrics, METRICS_DIRECTORY, number), "/srv");
	for (size_t i = 0; i < SHM_TABLES; i++)
		a.shm->tables[i] += 1 << 30;
	assert_int_equal(shared_look(&b, a.fd), -EINVAL);
	for (size_t i = 0; i < SHM_TABLES; i++)
		a.shm->tables[i] -= (1 << 30) + 8;
	assert_int_equal(shared_look(&b, a.fd), -EINVAL);
	for (size_t i = 0; i < SHM_TABLES; i++)
		a.shm->tables[i] = a.shm->size;
	assert_int_equal(shared_look(&b, a.fd), -EINVAL);
	a.shm->stamp.layout++;
	assert_int_equal(shared_look(&b, a.fd), -ESTALE);
}

static void
there_are_two_masters_at_most(void **state)
{
	struct shared s = make();

	(void)state;
	assert_int_equal(shm_master_begin(s.shm), 1);
	assert_int_equal(shm_master_begin(s.shm), -1);
	shm_master_end(s.shm, getpid());
	assert_int_equal(shm_master_begin(s.shm), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_tables_are_there),
	    cmocka_unit_test(a_dead_worker_leaves_nothing),
	    cmocka_unit_test(a_successor_goes_on_in_the_same_tables),
	    cmocka_unit_test(another_layout_is_not_touched),
	    cmocka_unit_test(the_dead_workers_of_a_dead_master_leave_nothing),
	    cmocka_unit_test(one_that_only_looks_is_not_led_out_of_it),
	    cmocka_unit_test(there_are_two_masters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
