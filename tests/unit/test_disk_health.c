/*
 * Workers share which disks are stalled or failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "shared/disk_health.h"

enum {
	THREADS = 4,
	ROUNDS = 20000,
	DISKS = 40,
};

static struct shm *shm;
static struct disk_health *all;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(disk_health_size(DISKS));
	assert_non_null(shm);
	all = disk_health_new(shm, DISKS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + disk_health_size(DISKS));
	return 0;
}

static void
the_first_and_the_last_are_news(void **state)
{
	struct disk_health_disk *d = disk_health_of(all, 0, 0, 0);

	(void)state;
	assert_true(disk_health_is_ok(d));
	assert_true(disk_health_report(d, 0, true, false));
	assert_false(disk_health_report(d, SHM_SLOTS - 1, false, true));
	assert_true(disk_health_is_stalled(d));
	assert_false(disk_health_report(d, 0, true, true));
	assert_false(disk_health_report(d, 0, false, false));
	assert_false(disk_health_is_stalled(d));
	assert_false(disk_health_is_ok(d));
	assert_true(disk_health_report(d, SHM_SLOTS - 1, false, false));
	assert_true(disk_health_is_ok(d));
	assert_false(disk_health_report(d, 7, false, false));
}

static void
disks_are_told_apart(void **state)
{
	struct disk_health_disk *a = disk_health_of(all, 0, 1, 0);
	struct disk_health_disk *b = disk_health_of(all, 0, 2, 0);
	dev_t more = 3;

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(disk_health_of(all, 0, 1, 0), a);
	/* The same number, and another disk. */
	for (unsigned i = 1; i < DISK_HEALTH_VARIANTS; i++) {
		struct disk_health_disk *other = disk_health_of(all, 0, 1, i);

		assert_non_null(other);
		assert_true(other != a && other != b);
	}
	assert_true(disk_health_report(a, 3, true, false));
	assert_true(disk_health_is_ok(b));
	assert_true(disk_health_report(b, 3, false, true));
	assert_false(disk_health_is_stalled(b));
	while (disk_health_of(all, 0, more, 0) != NULL)
		assert_true(++more < 100000);
	assert_int_equal(more, 2 + DISKS - DISK_HEALTH_VARIANTS);
	/* Those there are still are. */
	assert_ptr_equal(disk_health_of(all, 0, 2, 0), b);
}

static void
what_the_dead_said_is_forgotten(void **state)
{
	struct disk_health_disk *a = disk_health_of(all, 65, 1, 0);
	struct disk_health_disk *b = disk_health_of(all, 65, 2, 0);

	(void)state;
	assert_ptr_equal(disk_health_of(all, 66, 1, 0), a);
	assert_false(disk_health_forget(all, 64));
	assert_true(disk_health_report(a, 65, true, true));
	assert_false(disk_health_report(a, 66, true, false));
	assert_true(disk_health_report(b, 65, false, true));
	assert_false(disk_health_forget(all, 64));
	assert_true(disk_health_forget(all, 65)); /* of b */
	assert_false(disk_health_is_ok(a));
	assert_true(disk_health_is_ok(b));
	assert_false(disk_health_forget(all, 65));
	assert_true(disk_health_forget(all, 66));
	assert_true(disk_health_is_ok(a));
	assert_true(
	    disk_health_report(a, 1, true, false)); /* and is news again */
}

static void
one_at_a_time_tries_it(void **state)
{
	struct disk_health_disk *a = disk_health_of(all, 0, 1, 0);

	(void)state;
	assert_true(disk_health_begin_probe(a, 0));
	assert_false(disk_health_begin_probe(a, 0));
	assert_false(disk_health_begin_probe(a, 7));
	assert_ptr_equal(disk_health_of(all, 7, 1, 0), a);
	assert_true(disk_health_begin_probe(disk_health_of(all, 7, 2, 0), 7));
	disk_health_end_probe(a, 7); /* it has none */
	assert_false(disk_health_begin_probe(a, 7));
	disk_health_end_probe(a, 0);
	assert_true(disk_health_begin_probe(a, 7));
	(void)disk_health_forget(all, 8);
	assert_false(disk_health_begin_probe(a, 0));
	(void)disk_health_forget(all, 7);
	assert_true(disk_health_begin_probe(a, 0));
}

/* A remount is another disk: those that were taken away leave room, and nothing
 * of what was said of them. */
static void
disks_come_and_go(void **state)
{
	struct disk_health_disk *stays = disk_health_of(all, 1, 9999, 0), *d;

	(void)state;
	assert_true(disk_health_report(stays, 1, true, false));
	for (dev_t dev = 1; dev < 10 * DISKS; dev++) {
		d = disk_health_of(all, 0, dev, 1);
		assert_non_null(d);
		assert_true(disk_health_is_ok(d));
		assert_true(disk_health_report(d, 0, true, true));
		assert_true(disk_health_begin_probe(d, 0));
		disk_health_leave(all, 0, &d);
		assert_null(d);
	}
	assert_ptr_equal(disk_health_of(all, 0, 9999, 0), stays);
	assert_true(disk_health_is_stalled(stays));
	/* A worker that comes back to one finds that nothing is said of it. */
	d = disk_health_of(all, 0, 10 * DISKS - 1, 1);
	assert_true(disk_health_is_ok(d));
	assert_true(disk_health_begin_probe(d, 0));
}

static atomic_int balance; /* news that it is sick, less those that it is not */

static void *
come_and_go(void *arg)
{
	struct disk_health_disk *d = disk_health_of(all, 0, 9, 0);
	unsigned slot = (unsigned)(uintptr_t)arg * 63;

	for (int i = 0; i < ROUNDS; i++) {
		if (disk_health_report(d, slot, true, false))
			atomic_fetch_add(&balance, 1);
		if (disk_health_report(d, slot, false, false))
			atomic_fetch_sub(&balance, 1);
	}
	return NULL;
}

/* A disk that was reported sick is also reported well. */
static void
many_at_once_say_each_once(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&balance, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_and_go, (void *)i),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&balance), 0);
	assert_true(disk_health_is_ok(disk_health_of(all, 0, 9, 0)));
	assert_true(
	    disk_health_report(disk_health_of(all, 0, 9, 0), 5, true, false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_first_and_the_last_are_news),
	    TEST(disks_are_told_apart),
	    TEST(what_the_dead_said_is_forgotten),
	    TEST(one_at_a_time_tries_it),
	    TEST(disks_come_and_go),
	    TEST(many_at_once_say_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
