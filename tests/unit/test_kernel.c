/* What is not done on kernels that do it wrong. */
#include "base/kernel.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/portable.h"
#include "local/publish.h"

static char dir[PATH_MAX];
static const char *release;
static unsigned long type;

static int
set_up(void **state)
{
	(void)state;
	test_directory_make("kernel", dir, sizeof(dir));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return test_directory_remove(dir);
}

/* Instead of the C library's. */
int
uname(struct utsname *u)
{
	if (release == NULL)
		return -1;
	memset(u, 0, sizeof(*u));
	snprintf(u->release, sizeof(u->release), "%s", release);
	return 0;
}

int
fstatfs(int fd, struct statfs *fs)
{
	(void)fd;
	memset(fs, 0, sizeof(*fs));
	fs->f_type = (long)type;
	return 0;
}

static void
is_before(void **state)
{
	(void)state;
	release = "6.9.12-amd64";
	assert_true(kernel_is_before(6, 10));
	assert_true(kernel_is_before(7, 0));
	assert_false(kernel_is_before(6, 9));
	assert_false(kernel_is_before(5, 99));
	release = "6.10.0";
	assert_false(kernel_is_before(6, 10));
	release = "10.0-rc1";
	assert_false(kernel_is_before(6, 16));
}

static void
is_before_if_it_is_not_known(void **state)
{
	(void)state;
	release = "rolling";
	assert_true(kernel_is_before(2, 6));
	release = NULL;
	assert_true(kernel_is_before(2, 6));
}

/* The way that names are given there, by such a kernel. */
static bool
is_nameless(unsigned long on, const char *by)
{
	int root = open(dir, O_RDONLY | O_DIRECTORY);
	struct publish p;
	bool nameless;

	type = on;
	release = by;
	assert_int_equal(
	    publish_init(&p, root, false, (struct publish_waiter){0}), 0);
	nameless = p.nameless;
	publish_fini(&p);
	close(root);
	return nameless;
}

/* A sync of one that has no name is worth nothing there. */
static void
btrfs_has_names_before_they_are_synced(void **state)
{
	(void)state;
	SKIP_PORTABLE("nameless files");
	assert_false(is_nameless(BTRFS_SUPER_MAGIC, "6.15.9"));
	assert_true(is_nameless(BTRFS_SUPER_MAGIC, "6.16.0"));
	assert_true(is_nameless(EXT4_SUPER_MAGIC, "5.10.0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_before),
	    cmocka_unit_test(is_before_if_it_is_not_known),
	    cmocka_unit_test_setup_teardown(
		btrfs_has_names_before_they_are_synced, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
