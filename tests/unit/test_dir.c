/*
 * The members of an open directory: each is told of its disk once, whatever the
 * others do meanwhile.
 */
#include "local/dir.h"
#include "local/local_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	MEMBERS = 4,
};

struct file {
	struct dir_member member;
	unsigned unhealthy, healthy; /* times that it was told */
	bool stalled;		     /* as it was told */
	bool leaves, postpones;	     /* from within the callback */
};

static struct fixture {
	struct device device;
	struct local_dir *dir;
	struct file files[MEMBERS];
	unsigned vanished, postponed; /* events */
} f;

static struct file *
file_of(struct dir_member *m)
{
	return container_of(m, struct file, member);
}

/* What is freed must not be looked at again. */
static void
leave(struct file *file)
{
	dir_part(f.dir, &file->member);
	memset(&file->member, 0xa5, sizeof(file->member));
}

static void
on_unhealthy(struct dir_member *m, bool stalled)
{
	struct file *file = file_of(m);

	file->unhealthy++;
	file->stalled = stalled;
	if (file->leaves)
		leave(file);
	else if (file->postpones)
		dir_postpone(f.dir, m);
}

static void
on_healthy(struct dir_member *m)
{
	struct file *file = file_of(m);

	file->healthy++;
	if (file->leaves)
		leave(file);
	else if (file->postpones)
		dir_postpone(f.dir, m);
}

static const struct dir_member_ops member_ops = {
    .on_unhealthy = on_unhealthy,
    .on_healthy = on_healthy,
};

static void
on_vanished(void *owner, struct local_dir *dir)
{
	assert_ptr_equal(owner, &f);
	assert_ptr_equal(dir, f.dir);
	f.vanished++;
}

static void
on_postponed(void *owner)
{
	assert_ptr_equal(owner, &f);
	f.postponed++;
}

static const struct dir_events events = {
    .on_vanished = on_vanished,
    .on_postponed = on_postponed,
};

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.dir = dir_new(NULL, &events, &f);
	assert_non_null(f.dir);
	f.dir->device = &f.device;
	dir_hold(f.dir); /* so that it is never closed */
	for (int i = 0; i < MEMBERS; i++) {
		f.files[i].member.ops = &member_ops;
		dir_join(f.dir, &f.files[i].member);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	f.dir->users = 0;
	dir_discard(f.dir);
	return 0;
}

static void
all_members_are_told_once(void **state)
{
	(void)state;
	for (int stalled = 0; stalled < 2; stalled++) {
		f.device.stalled = stalled;
		dir_fail_members(f.dir);
		for (int i = 0; i < MEMBERS; i++) {
			assert_int_equal(f.files[i].unhealthy, 1 + stalled);
			assert_int_equal(f.files[i].stalled, stalled);
			assert_int_equal(f.files[i].healthy, 0);
		}
	}
	assert_int_equal(f.dir->users, 1 + MEMBERS);
}

static void
a_member_may_leave_when_it_is_told(void **state)
{
	(void)state;
	f.files[0].leaves = f.files[2].leaves = true;
	dir_fail_members(f.dir);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(f.files[i].unhealthy, 1);
	assert_int_equal(f.dir->users, 1 + MEMBERS - 2);
	assert_int_equal(list_length(&f.dir->members), MEMBERS - 2);
	dir_fail_members(f.dir);
	assert_int_equal(f.files[0].unhealthy, 1);
	assert_int_equal(f.files[1].unhealthy, 2);
	assert_int_equal(f.files[2].unhealthy, 1);
}

static void
only_the_postponed_are_told_that_the_disk_answers(void **state)
{
	(void)state;
	f.files[1].postpones = f.files[3].postpones = true;
	dir_fail_members(f.dir);
	assert_int_equal(f.postponed, 2);
	f.files[1].postpones = f.files[3].postpones = false;
	dir_end_postponed(f.dir);
	dir_end_postponed(f.dir);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(f.files[i].healthy, i % 2);
}

static void
a_member_may_postpone_itself_again(void **state)
{
	(void)state;
	f.files[1].postpones = true;
	dir_fail_members(f.dir);
	dir_end_postponed(f.dir); /* and is not told for ever */
	assert_int_equal(f.files[1].healthy, 1);
	assert_int_equal(f.postponed, 2);
	f.files[1].postpones = false;
	f.files[1].leaves = true;
	dir_end_postponed(f.dir);
	assert_int_equal(f.files[1].healthy, 2);
	assert_true(list_is_empty(&f.dir->postponed));
	assert_int_equal(list_length(&f.dir->members), MEMBERS - 1);
}

static void
one_that_leaves_is_postponed_no_more(void **state)
{
	(void)state;
	f.files[0].postpones = f.files[1].postpones = true;
	dir_fail_members(f.dir);
	leave(&f.files[0]);
	dir_end_postponed(f.dir);
	assert_int_equal(f.files[0].healthy, 0);
	assert_int_equal(f.files[1].healthy, 1);
}

static void
a_path_that_leads_elsewhere_is_told(void **state)
{
	(void)state;
	dir_learn(f.dir, 0, 0);
	dir_learn(f.dir, -ENOENT, 0);
	dir_learn(f.dir, LOCAL_UNHEALTHY, 0);
	assert_int_equal(f.vanished, 0);
	dir_learn(f.dir, LOCAL_VANISHED, 0);
	assert_int_equal(f.vanished, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_members_are_told_once),
	    TEST(a_member_may_leave_when_it_is_told),
	    TEST(only_the_postponed_are_told_that_the_disk_answers),
	    TEST(a_member_may_postpone_itself_again),
	    TEST(one_that_leaves_is_postponed_no_more),
	    TEST(a_path_that_leads_elsewhere_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
