/*
 * What is told of a version of a file: its entity-tag tells it from others, and is
 * weak where that is not sure.
 */
#include "local/file_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct file_version file = {
    .inode = 4711,
    .size = 1000,
    .mtime_s = 784111777,
    .mtime_ns = 784111777000000005,
    .ctime_ns = 784111777000000007,
    .birth_ns = 784111777000000003,
    .mark = 784111777000000003,
    .kind = FILE_BORN,
};

static void
a_tag_tells_versions_apart(void **state)
{
	struct object_info told[5];
	struct file_version other[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		other[i] = file;
	other[1].inode++;
	other[2].size++;
	other[3].mtime_ns++;
	other[4].mark++;
	for (int i = 0; i < 5; i++) {
		size_t len;

		file_version_describe(&other[i], &told[i]);
		len = strlen(told[i].etag);
		assert_int_equal(len, 34);
		assert_true(
		    told[i].etag[0] == '"' && told[i].etag[len - 1] == '"');
		assert_int_equal(
		    strspn(told[i].etag + 1, "0123456789abcdef"), len - 2);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(told[i].etag, told[k].etag);
	}
	/* What changes no content changes no tag. */
	other[0].mode++;
	other[0].ctime_ns++;
	file_version_describe(&other[0], &told[1]);
	assert_string_equal(told[0].etag, told[1].etag);
}

static void
a_tag_that_may_lie_is_weak(void **state)
{
	struct file_version unsure = file;
	struct object_info sure, told;

	(void)state;
	file_version_describe(&file, &sure);
	assert_false(object_info_is_weak(&sure));
	assert_null(sure.weak_why);
	unsure.kind = FILE_UNMARKED;
	file_version_describe(&unsure, &told);
	assert_true(object_info_is_weak(&told));
	assert_memory_equal(told.etag, "W/\"", 3);
	assert_string_equal(told.etag + 2, sure.etag);
	assert_non_null(strstr(told.weak_why, "weak"));
}

static void
size_and_time_are_told_as_they_are(void **state)
{
	struct file_version old = file;
	struct object_info told;

	(void)state;
	file_version_describe(&file, &told);
	assert_int_equal(told.size, 1000);
	assert_int_equal(told.modified_s, 784111777);
	old.mtime_s = -62135596801;
	file_version_describe(&old, &told);
	assert_int_equal(told.modified_s, -62135596801);
}

/* Written, looked at and written again: then Linux takes the finest clock it has for the
 * next time.  Where a second begins it matters which clock the date is compared with. */
static void
what_was_just_written_keeps_its_date(void **state)
{
	FILE *written = tmpfile();
	uint64_t second = (clock_wall_ns() / NS_PER_S + 1) * NS_PER_S, now;

	(void)state;
	assert_non_null(written);
	while ((now = clock_wall_ns()) < second - NS_PER_MS)
		usleep((useconds_t)((second - NS_PER_MS - now) / 1000 + 1));
	while (clock_wall_ns() < second + 15 * NS_PER_MS) {
		struct file_version v;
		struct object_info told;
		time_t date;

		assert_int_equal(pwrite(fileno(written), "x", 1, 0), 1);
		assert_int_equal(file_version_of(fileno(written), &v), 0);
		file_version_describe(&v, &told);
		assert_true(object_info_date(&told, &date));
		assert_int_equal(date, v.mtime_s);
	}
	fclose(written);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tag_tells_versions_apart),
	    cmocka_unit_test(a_tag_that_may_lie_is_weak),
	    cmocka_unit_test(size_and_time_are_told_as_they_are),
	    cmocka_unit_test(what_was_just_written_keeps_its_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
