/*
 * Numbers of users: the same for the same one, few of them, and the later half for those who
 * bring much.
 */
#include "shared/user_names.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cmocka_with.h"

static struct shm *shm;
static struct user_names *names;

static int
set_up(void **state)
{
	(void)state;
	shm = shm_new(user_names_size());
	assert_non_null(shm);
	names = user_names_new(shm);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shm, sizeof(*shm) + user_names_size());
	return 0;
}

static unsigned
take(int i, uint64_t bytes)
{
	char name[16];

	snprintf(name, sizeof(name), "user%d", i);
	return user_names_take(names, name, bytes);
}

static void
a_user_keeps_a_number_of_his_own(void **state)
{
	unsigned a = user_names_take(names, "alice", 1);
	unsigned b = user_names_take(names, "bob", 1);

	(void)state;
	assert_int_not_equal(a, b);
	assert_int_equal(user_names_take(names, "alice", 1), a);
	assert_int_equal(user_names_take(names, "bob", 0), b);
	assert_string_equal(user_names_of(names, a), "alice");
	assert_string_equal(user_names_of(names, b), "bob");
	assert_null(user_names_of(names, b + 1));
	assert_null(user_names_of(names, USER_NAMES_OTHER));
}

static void
who_is_called_other_or_too_long_is_one_of_the_others(void **state)
{
	char name[USER_NAME_MAX + 1];

	(void)state;
	memset(name, 'x', USER_NAME_MAX);
	name[USER_NAME_MAX] = '\0';
	assert_int_equal(user_names_take(names, "other", 1), USER_NAMES_OTHER);
	assert_int_equal(user_names_take(names, name, 1), USER_NAMES_OTHER);
	assert_int_equal(user_names_take(names, "", 1), USER_NAMES_OTHER);
	name[USER_NAME_MAX - 1] = '\0';
	assert_int_equal(user_names_take(names, name, 1), 0);
}

static void
who_comes_late_has_to_bring_much(void **state)
{
	(void)state;
	for (int i = 0; i < USER_NAMES / 2; i++)
		assert_int_equal(take(i, 1), i);
	assert_int_equal(take(1000, 1), USER_NAMES_OTHER);
	assert_int_equal(take(1000, USER_NAMES_MUCH - 2), USER_NAMES_OTHER);
	assert_int_equal(take(1000, 1), USER_NAMES / 2);
	assert_int_equal(take(1000, 1), USER_NAMES / 2);
	/* Those who were there before have theirs still. */
	assert_int_equal(take(3, 1), 3);
}

static void
there_are_no_more_than_there_is_room_for(void **state)
{
	unsigned others = 0;

	(void)state;
	for (int i = 0; i < 4 * USER_NAMES; i++)
		others += take(i, USER_NAMES_MUCH) == USER_NAMES_OTHER;
	assert_int_equal(others, 3 * USER_NAMES);
	for (unsigned i = 0; i < USER_NAMES; i++)
		assert_non_null(user_names_of(names, i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    CASE(a_user_keeps_a_number_of_his_own),
	    CASE(who_is_called_other_or_too_long_is_one_of_the_others),
	    CASE(who_comes_late_has_to_bring_much),
	    CASE(there_are_no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
