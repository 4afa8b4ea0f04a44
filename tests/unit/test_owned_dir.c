/*
 * A directory that root makes for another user: it is that user's, its parents are root's,
 * and none is made where others have a hand in the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned_dir.h"
#include "lib/portable.h"

enum {
	OTHER = 65534, /* nobody */
};

static const struct owned_dir others = {OTHER, OTHER, 0770};
static char top[64];

static const char *
in_top(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/penstock-owned.XXXXXX");
	return mkdtemp(top) == NULL || chmod(top, 0755) == -1 ? -1 : 0;
}

static int
tear_down(void **state)
{
	static const char *const made[] = {
	    "a/b/c", "a/b", "a", "loose/x", "loose", "link", "there"};

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		(void)remove(in_top(made[i]));
	return rmdir(top);
}

/* All is below /tmp, which is sticky. */
static void
needs_root(void)
{
	SKIP_PORTABLE("sticky directories");
	if (geteuid() != 0)
		skip();
}

static void
assert_is(const char *name, uid_t uid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(in_top(name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void
assert_missing(const char *name)
{
	assert_int_equal(access(in_top(name), F_OK), -1);
}

static void
test_the_last_is_the_users_its_parents_are_roots(void **state)
{
	mode_t before;
	bool made = false;

	(void)state;
	needs_root();
	assert_true(owned_dir_would_be_made(in_top("a/b/c")));
	assert_missing("a");
	before = umask(077);
	assert_int_equal(owned_dir_make(in_top("a/b/c"), &others, &made), 0);
	umask(before);
	assert_true(made);
	assert_is("a", 0, 0755);
	assert_is("a/b", 0, 0755);
	assert_is("a/b/c", OTHER, 0700);
}

static void
test_what_is_there_stays_as_it_is(void **state)
{
	bool made = true;

	(void)state;
	needs_root();
	assert_int_equal(mkdir(in_top("there"), 0700), 0);
	assert_false(owned_dir_would_be_made(in_top("there")));
	assert_int_equal(owned_dir_make(in_top("there"), &others, &made), 0);
	assert_false(made);
	assert_is("there", 0, 0700);
}

static void
test_none_is_made_where_others_may_write(void **state)
{
	bool made;

	(void)state;
	needs_root();
	assert_int_equal(mkdir(in_top("loose"), 0700), 0);
	assert_int_equal(chmod(in_top("loose"), 0777), 0);
	assert_false(owned_dir_would_be_made(in_top("loose/x")));
	assert_int_equal(
	    owned_dir_make(in_top("loose/x"), &others, &made), -EACCES);
	assert_missing("loose/x");

	assert_int_equal(chmod(in_top("loose"), 0755), 0);
	assert_int_equal(chown(in_top("loose"), OTHER, OTHER), 0);
	assert_int_equal(
	    owned_dir_make(in_top("loose/x"), &others, &made), -EACCES);
	assert_missing("loose/x");
}

/* A link of somebody else's would have root make its directory anywhere. */
static void
test_no_link_is_followed_below_a_sticky_directory(void **state)
{
	bool made;

	(void)state;
	needs_root();
	assert_int_equal(symlink("/", in_top("link")), 0);
	assert_int_equal(chmod(top, 01777), 0);
	assert_int_equal(
	    owned_dir_make(in_top("link/penstock-owned"), &others, &made),
	    -ENOTDIR);
	assert_int_equal(access("/penstock-owned", F_OK), -1);
	assert_int_equal(chmod(top, 0755), 0);
	assert_true(owned_dir_would_be_made(in_top("link/penstock-owned")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_the_last_is_the_users_its_parents_are_roots, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_what_is_there_stays_as_it_is, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_none_is_made_where_others_may_write, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_no_link_is_followed_below_a_sticky_directory, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
