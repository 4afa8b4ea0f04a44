/*
 * The numbers of requests: no two are the same, over workers and restarts.
 */
#include "shared/request_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "shared/shm.h"

enum {
	MANY = 10000, /* several blocks */
};

static void
workers_take_different_ones_which_grow(void **state)
{
	struct shm *shm = shm_new(request_ids_size());
	struct request_ids *ids;
	struct request_ids_block a = {0}, b = {0};
	uint64_t last_a = 0, last_b = 0;

	(void)state;
	assert_non_null(shm);
	ids = request_ids_new(shm);
	a.from = b.from = ids;
	for (int i = 0; i < MANY; i++) {
		uint64_t x = request_ids_take(&a), y = request_ids_take(&b);

		assert_true(x > last_a && y > last_b && x != y);
		/* Blocks of 4,096 are the one's or the other's. */
		assert_true((x - y) % 4096 == 0);
		last_a = x;
		last_b = y;
	}
}

/* A server that is started later begins behind all that the one before has taken, as long as
 * that was less than one in each microsecond; and they are exact as doubles. */
static void
a_restart_goes_on_behind_them(void **state)
{
	struct shm *first = shm_new(request_ids_size());
	struct shm *second = shm_new(request_ids_size());
	struct request_ids_block a = {0}, b = {0};
	uint64_t x;

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	a.from = request_ids_new(first);
	x = request_ids_take(&a);
	for (uint64_t since = clock_mono_ns();
	     clock_mono_ns() - since < 5 * NS_PER_MS;)
		continue;
	b.from = request_ids_new(second);
	assert_true(request_ids_take(&b) >= x + 4096);
	assert_true(x < UINT64_C(1) << 53);
	assert_true(x > clock_wall_ns() / 1000 - UINT64_C(60000000));
}

static void
without_a_table_it_counts_from_1(void **state)
{
	struct request_ids_block b = {0};

	(void)state;
	assert_int_equal(request_ids_take(&b), 1);
	assert_int_equal(request_ids_take(&b), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(workers_take_different_ones_which_grow),
	    cmocka_unit_test(a_restart_goes_on_behind_them),
	    cmocka_unit_test(without_a_table_it_counts_from_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
