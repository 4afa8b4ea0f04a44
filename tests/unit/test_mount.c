/*
 * Lines of /proc/self/mountinfo, as kernels have written them: what says how
 * much a sync is worth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/device.h"
#include "disk/mount.h"

static struct mount m;

static void
test_only_its_own_line(void **state)
{
	(void)state;
	assert_false(
	    mount_parse("36 35 7:3 / /a rw - ext4 /dev/loop3 rw\n", 3, &m));
	assert_false(mount_parse("", 36, &m));
	assert_true(
	    mount_parse("36 35 7:3 / /a rw - ext4 /dev/loop3 rw\n", 36, &m));
	assert_int_equal(m.major, 7);
	assert_int_equal(m.minor, 3);
	assert_string_equal(m.source, "/dev/loop3");
	assert_string_equal(m.upper, "");
	assert_false(m.is_volatile);
	assert_false(m.no_barriers);
}

static void
test_optional_fields(void **state)
{
	(void)state;
	assert_true(mount_parse("36 35 0:40 / /a rw,relatime shared:1 "
				"master:2 - btrfs /dev/vdb rw,nobarrier,"
				"subvol=/\n",
	    36, &m));
	assert_int_equal(m.major, 0);
	assert_int_equal(m.minor, 40);
	assert_string_equal(m.source, "/dev/vdb");
	assert_true(m.no_barriers);
}

/* What a mount is called, or where it lies, is no option of it. */
static void
test_names_are_no_options(void **state)
{
	(void)state;
	assert_true(mount_parse("36 35 0:40 /nobarrier /volatile rw - ext4 "
				"nobarrier rw,upperdirs=/x,nobarriers\n",
	    36, &m));
	assert_string_equal(m.upper, "");
	assert_false(m.is_volatile);
	assert_false(m.no_barriers);
}

static void
test_xfs_on_several_disks(void **state)
{
	static const char *const options[] = {
	    "rtdev=/dev/vdc", "logdev=/dev/vdc"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(line, sizeof(line),
		    "1 2 8:1 / / rw - xfs /dev/sda1 rw,attr2,%s,noquota\n",
		    options[i]);
		assert_true(mount_parse(line, 1, &m));
		assert_true(m.other_disks);
	}
	assert_true(mount_parse("1 2 8:1 / / rw - xfs /dev/rtdev=x "
				"rw,attr2,logbufs=8,noquota\n",
	    1, &m));
	assert_false(m.other_disks);
}

static void
test_ways_to_say_it(void **state)
{
	static const char *const barriers[] = {
	    "nobarrier", "barrier=0", "barrier=none", "fsync_mode=nobarrier"};
	static const char *const never[] = {"volatile", "fsync=volatile"};
	char line[200];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(line, sizeof(line),
		    "1 2 8:1 / / rw - ext3 /dev/sda1 rw,%s,x=y\n", barriers[i]);
		assert_true(mount_parse(line, 1, &m));
		assert_true(m.no_barriers);
		assert_false(m.is_volatile);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(line, sizeof(line),
		    "1 2 0:33 / / rw - overlay none rw,%s\n", never[i]);
		assert_true(mount_parse(line, 1, &m));
		assert_true(m.is_volatile);
		assert_false(m.no_barriers);
	}
}

static void
test_paths_are_unescaped(void **state)
{
	(void)state;
	assert_true(mount_parse("9 8 0:33 / /a\\040b rw - overlay none rw,"
				"lowerdir=/l,upperdir=/a\\054\\040b\\134c\\12,"
				"workdir=/w\n",
	    9, &m));
	assert_string_equal(m.upper, "/a, b\\c\\12");
}

/* One that does not fit is none: a part of it would lead elsewhere. */
static void
test_long_paths_are_left_out(void **state)
{
	enum { MAX = MOUNT_PATH_MAX };
	static char path[MAX + 1], line[MAX + 200];

	(void)state;
	for (size_t len = MAX - 2; len <= MAX; len++) {
		memset(path, 'u', len);
		path[len] = '\0';
		snprintf(line, sizeof(line),
		    "9 8 0:33 / /a rw - overlay none "
		    "rw,upperdir=%s,nobarrier\n",
		    path);
		assert_true(mount_parse(line, 9, &m));
		assert_int_equal(strlen(m.upper), len < MAX ? len : 0);
		assert_true(m.no_barriers);
	}
}

/* Cut anywhere it is read to its end, and no further. */
static void
test_cut_lines(void **state)
{
	static const char whole[] =
	    "36 35 7:3 / /a\\040b rw shared:1 - overlay "
	    "none rw,upperdir=/a\\054b,nobarrier\n";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *cut = strndup(whole, len);

		assert_non_null(cut);
		assert_int_equal(mount_parse(cut, 36, &m), len >= 2);
		free(cut);
	}
}

/* There is a reason in words for each that is not durable. */
static void
test_each_doubt_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < DEVICE_SYNC_COUNT; i++) {
		assert_non_null(device_sync_text[i]);
		assert_int_equal(
		    device_sync_text[i][0] == '\0', i == DEVICE_SYNC_DURABLE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_its_own_line),
	    cmocka_unit_test(test_optional_fields),
	    cmocka_unit_test(test_names_are_no_options),
	    cmocka_unit_test(test_xfs_on_several_disks),
	    cmocka_unit_test(test_ways_to_say_it),
	    cmocka_unit_test(test_paths_are_unescaped),
	    cmocka_unit_test(test_long_paths_are_left_out),
	    cmocka_unit_test(test_cut_lines),
	    cmocka_unit_test(test_each_doubt_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
