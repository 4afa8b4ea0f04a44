/*
 * The keys of session tickets: the same for all workers, replaced by the clock, and
 * gone when no ticket may be opened with them any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "shared/ticket_keys.h"

#define HOUR_NS (TICKET_KEYS_PERIOD_S * NS_PER_S)

static struct ticket_keys *
make(void)
{
	return ticket_keys_new(shm_new(ticket_keys_size()));
}

static struct ticket_key
current(struct ticket_keys *t, unsigned owner, uint64_t now)
{
	struct ticket_key key;

	assert_true(ticket_keys_current(t, owner, now, &key));
	return key;
}

static void
one_hour_has_one_key_in_all_workers(void **state)
{
	struct ticket_keys *t = make();
	struct ticket_key a = current(t, 1, 5 * HOUR_NS), b, found;

	(void)state;
	b = current(t, 2, 5 * HOUR_NS + HOUR_NS - 1);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(ticket_keys_find(t, a.name, 5 * HOUR_NS, &found),
	    TICKET_KEYS_CURRENT);
	assert_memory_equal(&a, &found, sizeof(a));
}

static void
the_last_hours_key_opens_tickets_and_makes_none(void **state)
{
	struct ticket_keys *t = make();
	struct ticket_key a = current(t, 1, 5 * HOUR_NS), b, found;

	(void)state;
	assert_int_equal(ticket_keys_find(t, a.name, 6 * HOUR_NS, &found),
	    TICKET_KEYS_PREVIOUS);
	assert_memory_equal(&a, &found, sizeof(a));
	b = current(t, 1, 6 * HOUR_NS);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_equal(ticket_keys_find(t, a.name, 6 * HOUR_NS, &found),
	    TICKET_KEYS_PREVIOUS);
}

static void
an_older_one_opens_nothing_and_is_overwritten(void **state)
{
	struct ticket_keys *t = make();
	struct ticket_key a = current(t, 1, 5 * HOUR_NS), found;
	const unsigned char *bytes = (const unsigned char *)t;

	(void)state;
	assert_int_equal(
	    ticket_keys_find(t, a.name, 7 * HOUR_NS, &found), TICKET_KEYS_NONE);
	(void)current(t, 1, 7 * HOUR_NS);
	for (size_t i = 0; i + sizeof(a.mac) <= ticket_keys_size() - 64; i++)
		assert_memory_not_equal(bytes + i, a.mac, sizeof(a.mac));
}

static void
a_name_that_is_not_ours_is_not_found(void **state)
{
	struct ticket_keys *t = make();
	struct ticket_key a = current(t, 1, 5 * HOUR_NS), found;

	(void)state;
	a.name[TICKET_KEY_NAME - 1] ^= 1;
	assert_int_equal(
	    ticket_keys_find(t, a.name, 5 * HOUR_NS, &found), TICKET_KEYS_NONE);
	assert_int_equal(ticket_keys_find(make(), a.name, 5 * HOUR_NS, &found),
	    TICKET_KEYS_NONE);
}

/* It is taken for one that is still at it, until the master says that it is dead. */
static void
a_worker_that_dies_making_one_leaves_it_to_others(void **state)
{
	struct ticket_keys *t = make();
	struct ticket_key key;
	/* As in ticket_keys.c: the hour of an entry, and then its owner. */
	uint32_t *owner = (uint32_t *)((unsigned char *)t + sizeof(uint64_t));

	(void)state;
	*owner = 7 + 1;
	assert_false(ticket_keys_current(t, 1, HOUR_NS * 5, &key));
	ticket_keys_forget(t, 6);
	assert_false(ticket_keys_current(t, 1, HOUR_NS * 5, &key));
	ticket_keys_forget(t, 7);
	assert_true(ticket_keys_current(t, 1, HOUR_NS * 5, &key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_hour_has_one_key_in_all_workers),
	    cmocka_unit_test(the_last_hours_key_opens_tickets_and_makes_none),
	    cmocka_unit_test(an_older_one_opens_nothing_and_is_overwritten),
	    cmocka_unit_test(a_name_that_is_not_ours_is_not_found),
	    cmocka_unit_test(a_worker_that_dies_making_one_leaves_it_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
