/*
 * What may be made, told without making it: the same that trying it says, and
 * nothing is there afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/permit.h"

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
	int fd;

	(void)state;
	snprintf(top, sizeof(top), "/tmp/penstock-permit.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	fd = open(in_top("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || close(fd) == -1)
		return -1;
	return symlink("nowhere", in_top("link"));
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(in_top("file"));
	unlink(in_top("link"));
	return rmdir(top); /* nothing was made in it */
}

static void
test_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(permit_file(in_top("file")), 0);
	assert_int_equal(permit_file(top), -EISDIR);
	assert_int_equal(permit_dir(top), 0);
	assert_int_equal(permit_dir("/"), geteuid() == 0 ? 0 : -EACCES);
	assert_int_equal(permit_dir(in_top("file")), -ENOTDIR);
	assert_int_equal(permit_name(in_top("file")), 0);
	assert_int_equal(permit_file(in_top("link")), 0);
}

static void
test_what_could_be_made(void **state)
{
	(void)state;
	assert_int_equal(permit_file(in_top("new")), 0);
	assert_int_equal(permit_name(in_top("new")), 0);
	assert_int_equal(permit_dir(in_top("new")), 0);
	assert_int_equal(permit_dir(in_top("new/and/below")), 0);
	assert_int_equal(permit_file(in_top("none/new")), -ENOENT);
	assert_int_equal(permit_name(in_top("none/new")), -ENOENT);
	assert_int_equal(permit_file(in_top("file/new")), -ENOTDIR);
	assert_int_equal(permit_dir(in_top("file/new/below")), -ENOTDIR);
	/* It leads nowhere, and mkdir() makes nothing there. */
	assert_int_equal(permit_dir(in_top("link")), -ENOENT);
	assert_int_equal(permit_dir(in_top("link/new/below")), -ENOENT);
}

/* As another user, where we can become one. */
static void
test_what_may_not_be_written(void **state)
{
	uid_t us = geteuid();

	(void)state;
	assert_int_equal(chmod(top, 0500), 0);
	assert_int_equal(chmod(in_top("file"), 0400), 0);
	if (us == 0) {
		assert_int_equal(chmod(top, 0555), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_int_equal(permit_file(in_top("file")), -EACCES);
	assert_int_equal(permit_file(in_top("new")), -EACCES);
	assert_int_equal(permit_name(in_top("file")), -EACCES);
	assert_int_equal(permit_dir(top), -EACCES);
	assert_int_equal(permit_dir(in_top("new/below")), -EACCES);
	assert_int_equal(seteuid(us), 0);
	assert_int_equal(chmod(top, 0700), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_there),
	    cmocka_unit_test(test_what_could_be_made),
	    cmocka_unit_test(test_what_may_not_be_written),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
