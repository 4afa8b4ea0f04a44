/*
 * Conditional requests and ranges: a table for reading, one for writing.
 */
#include "http/conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/head.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACT "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct object_info file = {
    .size = 1000,
    .modified_s = 784111777,
    .etag = "\"0123456789abcdef0123456789abcdef\"",
};

/* Put the file's own tag where `text` has an @. */
static struct span
spell(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	if (text == NULL)
		return (struct span){0};
	for (const char *s = text; *s != '\0'; s++)
		n += (size_t)snprintf(buf + n, size - n,
		    *s == '@' ? "%s" : "%.1s", *s == '@' ? file.etag : s);
	return (struct span){buf, n};
}

/* clang-format off */
static const struct read_row {
	int status;
	const char *match, *none, *modified, *unmodified;
} reads[] = {
	{ 200, NULL, NULL, NULL, NULL },
	/* If-Match compares strongly */
	{ 200, "*", NULL, NULL, NULL },
	{ 200, "@", NULL, NULL, NULL },
	{ 200, "\"x\", @", NULL, NULL, NULL },
	{ 200, ",, \"x\" ,\t@,", NULL, NULL, NULL },
	{ 200, "\"x,y\",@", NULL, NULL, NULL },
	{ 412, "\"x\"", NULL, NULL, NULL },
	{ 412, "\"\"", NULL, NULL, NULL },
	{ 412, "W/@", NULL, NULL, NULL },
	{ 412, "\"*\"", NULL, NULL, NULL },
	{ 400, "", NULL, NULL, NULL },
	{ 400, ",", NULL, NULL, NULL },
	{ 400, "x", NULL, NULL, NULL },
	{ 400, "*, @", NULL, NULL, NULL },
	{ 400, "@, *", NULL, NULL, NULL },
	{ 400, "@@", NULL, NULL, NULL },
	{ 400, "@ @", NULL, NULL, NULL },
	{ 400, "@x", NULL, NULL, NULL },
	{ 400, "\"x", NULL, NULL, NULL },
	{ 400, "\"", NULL, NULL, NULL },
	{ 400, "w/@", NULL, NULL, NULL },
	{ 400, "W/", NULL, NULL, NULL },
	{ 400, "\"a b\"", NULL, NULL, NULL },
	/* If-Unmodified-Since, in the absence of If-Match */
	{ 200, NULL, NULL, NULL, EXACT },
	{ 200, NULL, NULL, NULL, AFTER },
	{ 412, NULL, NULL, NULL, BEFORE },
	{ 200, NULL, NULL, NULL, "yesterday" },
	{ 200, "@",  NULL, NULL, BEFORE },
	{ 412, "\"x\"", NULL, NULL, AFTER },
	/* If-None-Match compares weakly */
	{ 304, NULL, "*", NULL, NULL },
	{ 304, NULL, "@", NULL, NULL },
	{ 304, NULL, "W/@", NULL, NULL },
	{ 304, NULL, "\"x\", W/\"y\", @", NULL, NULL },
	{ 200, NULL, "\"x\"", NULL, NULL },
	{ 400, NULL, "x", NULL, NULL },
	{ 400, NULL, "@, x", NULL, NULL },
	/* If-Modified-Since, in the absence of If-None-Match */
	{ 304, NULL, NULL, EXACT, NULL },
	{ 304, NULL, NULL, AFTER, NULL },
	{ 200, NULL, NULL, BEFORE, NULL },
	{ 200, NULL, NULL, "yesterday", NULL },
	{ 304, NULL, NULL, "Sunday, 06-Nov-94 08:49:37 GMT", NULL },
	{ 200, NULL, "\"x\"", AFTER, NULL },
	{ 304, NULL, "@", BEFORE, NULL },
	/* the first that fails decides */
	{ 412, "\"x\"", "@", NULL, NULL },
	{ 304, "@", "@", NULL, NULL },
	{ 412, NULL, "@", NULL, BEFORE },
};

static const struct range_row {
	int status;
	const char *range, *if_range;
	unsigned first, len;
} ranges[] = {
	{ 206, "bytes=0-0", NULL, 0, 1 },
	{ 206, "bytes=0-", NULL, 0, 1000 },
	{ 206, "bytes=10-19", NULL, 10, 10 },
	{ 206, "BYTES=999-", NULL, 999, 1 },
	{ 206, "bytes=999-5000", NULL, 999, 1 },
	{ 206, "bytes=5-99999999999999999999999999", NULL, 5, 995 },
	{ 206, "bytes=-1", NULL, 999, 1 },
	{ 206, "bytes=-1000", NULL, 0, 1000 },
	{ 206, "bytes=-1001", NULL, 0, 1000 },
	{ 206, "bytes=-99999999999999999999999999", NULL, 0, 1000 },
	{ 416, "bytes=1000-", NULL, 0, 0 },
	{ 416, "bytes=1000-1000", NULL, 0, 0 },
	{ 416, "bytes=99999999999999999999999999-", NULL, 0, 0 },
	{ 416, "bytes=-0", NULL, 0, 0 },
	{ 200, "bytes=2-1", NULL, 0, 0 },
	{ 200, "bytes=0-1,5-6", NULL, 0, 0 },
	{ 200, "bytes=-1,-2", NULL, 0, 0 },
	{ 200, "bytes=0-,", NULL, 0, 0 },
	{ 200, "bytes= 0-1", NULL, 0, 0 },
	{ 200, "bytes=0 -1", NULL, 0, 0 },
	{ 200, "bytes=0-1-2", NULL, 0, 0 },
	{ 200, "bytes=--1", NULL, 0, 0 },
	{ 200, "bytes=-", NULL, 0, 0 },
	{ 200, "bytes=", NULL, 0, 0 },
	{ 200, "bytes=5", NULL, 0, 0 },
	{ 200, "bytes=0x0-1", NULL, 0, 0 },
	{ 200, "bytes=+0-1", NULL, 0, 0 },
	{ 200, "bytes", NULL, 0, 0 },
	{ 200, "lines=0-1", NULL, 0, 0 },
	{ 200, "", NULL, 0, 0 },
	{ 206, "bytes=0-0", "@", 0, 1 },
	{ 206, "bytes=0-0", EXACT, 0, 1 },
	{ 416, "bytes=1000-", "@", 0, 0 },
	{ 200, "bytes=0-0", "W/@", 0, 0 },
	{ 200, "bytes=0-0", "\"x\"", 0, 0 },
	{ 200, "bytes=0-0", "@, @", 0, 0 },
	{ 200, "bytes=0-0", "@ ", 0, 0 },
	{ 200, "bytes=0-0", "*", 0, 0 },
	{ 200, "bytes=0-0", "", 0, 0 },
	{ 200, "bytes=0-0", AFTER, 0, 0 },
	{ 200, "bytes=0-0", BEFORE, 0, 0 },
	{ 200, "bytes=1000-", "\"x\"", 0, 0 },
};

static const struct write_row {
	int there, absent; /* the answer when the file is there, or is not */
	const char *match, *none, *unmodified;
} writes[] = {
	{ 0,   0,   NULL, NULL, NULL },
	{ 0,   412, "*", NULL, NULL },
	{ 0,   412, "@", NULL, NULL },
	{ 412, 412, "W/@", NULL, NULL },
	{ 412, 412, "\"x\"", NULL, NULL },
	{ 400, 400, "x", NULL, NULL },
	{ 412, 0,   NULL, "*", NULL },
	{ 412, 0,   NULL, "@", NULL },
	{ 412, 0,   NULL, "W/@", NULL },
	{ 0,   0,   NULL, "\"x\"", NULL },
	{ 400, 400, NULL, "x", NULL },
	{ 412, 0,   NULL, NULL, BEFORE },
	{ 0,   0,   NULL, NULL, EXACT },
	{ 0,   0,   NULL, NULL, "yesterday" },
	{ 0,   412, "@", NULL, BEFORE },
	{ 412, 412, "@", "*", NULL },
	{ 412, 0,   NULL, "*", AFTER },
};
/* clang-format on */

static void
reading_follows_the_order_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(reads); i++) {
		const struct read_row *r = &reads[i];
		char b1[256], b2[256];
		struct head h = {.method = i % 2 ? METHOD_GET : METHOD_HEAD};
		struct conditions_range range = {7, 7};
		const char *why = NULL;
		int got;

		h.if_match = spell(r->match, b1, sizeof(b1));
		h.if_none_match = spell(r->none, b2, sizeof(b2));
		if (r->modified != NULL)
			h.if_modified_since =
			    (struct span){r->modified, strlen(r->modified)};
		if (r->unmodified != NULL)
			h.if_unmodified_since =
			    (struct span){r->unmodified, strlen(r->unmodified)};
		got = conditions_read(&h, &file, &range, &why);
		if (got != r->status)
			fail_msg("row %zu: %d, not %d", i, got, r->status);
		if (got == 200)
			assert_true(range.first == 0 && range.len == 1000);
		if (got >= 400)
			assert_non_null(why);
	}
}

static void
ranges_give_what_they_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		const struct range_row *r = &ranges[i];
		char b[256];
		struct head h = {.method = METHOD_GET};
		struct conditions_range range = {0};
		const char *why = NULL;
		int got;

		h.range = (struct span){r->range, strlen(r->range)};
		h.if_range = spell(r->if_range, b, sizeof(b));
		got = conditions_read(&h, &file, &range, &why);
		if (got != r->status)
			fail_msg("row %zu: %d, not %d", i, got, r->status);
		if (got == 206) {
			assert_int_equal(range.first, r->first);
			assert_int_equal(range.len, r->len);
		}
		if (got == 200)
			assert_true(range.first == 0 && range.len == 1000);
		if (got == 416)
			assert_non_null(why);
		/* Range is for GET alone. */
		h.method = METHOD_HEAD;
		assert_int_equal(conditions_read(&h, &file, &range, &why), 200);
		assert_int_equal(range.len, 1000);
	}
}

static void
an_empty_file_has_no_ranges(void **state)
{
	struct object_info empty = file;
	struct head h = {.method = METHOD_GET};
	struct conditions_range range;
	const char *why;

	(void)state;
	empty.size = 0;
	h.range = (struct span){"bytes=0-", 8};
	assert_int_equal(conditions_read(&h, &empty, &range, &why), 416);
	h.range = (struct span){"bytes=-5", 8};
	assert_int_equal(conditions_read(&h, &empty, &range, &why), 200);
	assert_int_equal(range.len, 0);
}

/* What fails first decides, before any range is looked at. */
static void
conditions_come_before_ranges(void **state)
{
	struct head h = {.method = METHOD_GET};
	struct conditions_range range;
	const char *why;

	(void)state;
	h.range = (struct span){"bytes=5000-", 11};
	h.if_none_match = (struct span){"*", 1};
	assert_int_equal(conditions_read(&h, &file, &range, &why), 304);
	h.if_match = (struct span){"\"x\"", 3};
	assert_int_equal(conditions_read(&h, &file, &range, &why), 412);
}

/* What a PUT is answered with; 0: it may go on.  The conditions are judged when
 * the head is gone. */
static int
write_status(
    const struct head *h, const struct object_info *o, const char **ret_why)
{
	struct preconditions p, *copy;
	int status = conditions_write(h, &p, ret_why);

	if (status != 0)
		return status;
	copy = preconditions_copy(&p);
	assert_non_null(copy);
	memset(&p, '?', sizeof(p));
	status = preconditions_hold(copy, o, ret_why) ? 0 : 412;
	free(copy);
	return status;
}

static void
writing_is_guarded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		const struct write_row *r = &writes[i];
		char b1[256], b2[256];
		struct head h = {.method = METHOD_PUT};
		const char *why = NULL;
		int there, absent;

		h.if_match = spell(r->match, b1, sizeof(b1));
		h.if_none_match = spell(r->none, b2, sizeof(b2));
		if (r->unmodified != NULL)
			h.if_unmodified_since =
			    (struct span){r->unmodified, strlen(r->unmodified)};
		there = write_status(&h, &file, &why);
		absent = write_status(&h, NULL, &why);
		if (there != r->there || absent != r->absent)
			fail_msg("row %zu: %d and %d, not %d and %d", i, there,
			    absent, r->there, r->absent);
		if (there + absent > 0)
			assert_non_null(why);
	}
}

/* Where two versions may look the same nothing matches but a weak comparison. */
static void
a_tag_that_may_lie_is_weak(void **state)
{
	struct object_info unsure = file;
	const char *etag = unsure.etag;
	struct conditions_range range;
	struct head h = {.method = METHOD_GET};
	const char *why = NULL;

	(void)state;
	snprintf(unsure.etag, sizeof(unsure.etag), "W/%s", file.etag);
	h.if_none_match = (struct span){etag, strlen(etag)};
	assert_int_equal(conditions_read(&h, &unsure, &range, &why), 304);
	h.if_none_match = (struct span){0};
	h.if_range = (struct span){etag, strlen(etag)};
	h.range = (struct span){"bytes=0-0", 9};
	assert_int_equal(conditions_read(&h, &unsure, &range, &why), 200);
	h.if_range = (struct span){etag + 2, strlen(etag) - 2};
	assert_int_equal(conditions_read(&h, &unsure, &range, &why), 200);
	for (unsigned skip = 0; skip <= 2; skip += 2) {
		h.if_match = (struct span){etag + skip, strlen(etag) - skip};
		assert_int_equal(write_status(&h, &unsure, &why), 412);
		assert_non_null(strstr(why, "weak"));
	}
	unsure.weak_why = "weak: so it is";
	assert_int_equal(write_status(&h, &unsure, &why), 412);
	assert_string_equal(why, "weak: so it is");
	h.if_match = (struct span){"*", 1};
	assert_int_equal(write_status(&h, &unsure, &why), 0);
}

/* What is said of `o`, with the empty string for no field. */
static const char *
last_modified(const struct object_info *o)
{
	static char value[64];
	struct str out = {0};
	const char *at;

	conditions_add_validators(o, &out);
	at = strstr(out.s, "Last-Modified: ");
	snprintf(value, sizeof(value), "%.29s", at ? at + 15 : "");
	str_fini(&out);
	return value;
}

/* (time(2) may say the second before for a tick of the system's clock.) */
static time_t
now_s(void)
{
	return (time_t)(clock_wall_ns() / NS_PER_S);
}

/* RFC 9110 8.8.2.1: never later than the answer; and dates have four digits. */
static void
a_time_that_cannot_be_is_not_told(void **state)
{
	/* clang-format off */
	static const struct {
		int64_t s;
		const char *text; /* "": no field; NULL: now */
	} rows[] = {
		{ 784111777, EXACT },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ -11644473600, "Mon, 01 Jan 1601 00:00:00 GMT" },
		{ -11644473601, "" },
		{ -62135596800, "" },
		{ -62135596801, "" },
		{ -100000000000, "" },
		{ INT64_MIN, "" },
		{ 253402300799, NULL },
		{ 253402300800, "" },
		{ INT64_MAX, "" },
	};
	/* clang-format on */
	struct head h = {.method = METHOD_GET};
	struct conditions_range range;
	struct object_info o = file;
	char now[CLOCK_STAMP_MAX];
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *told;
		time_t before;

		o.modified_s = rows[i].s;
		do {
			before = now_s();
			told = last_modified(&o);
			clock_stamp_http(before, now);
		} while (now_s() != before);
		assert_string_equal(told, rows[i].text ? rows[i].text : now);
	}
	/* No date: no condition on it holds anything up (13.1.3, 13.1.4). */
	h.if_modified_since = (struct span){AFTER, strlen(AFTER)};
	assert_int_equal(conditions_read(&h, &o, &range, &why), 200);
	h.if_modified_since = (struct span){0};
	h.if_unmodified_since = (struct span){BEFORE, strlen(BEFORE)};
	assert_int_equal(write_status(&h, &o, &why), 0);
	/* The future is modified until now. */
	o.modified_s = 4000000000;
	assert_int_equal(write_status(&h, &o, &why), 412);
	h.if_unmodified_since = (struct span){0};
	h.if_modified_since = (struct span){AFTER, strlen(AFTER)};
	assert_int_equal(conditions_read(&h, &o, &range, &why), 200);
	/* What was sent in its place is no validator. */
	h.if_modified_since = (struct span){0};
	h.range = (struct span){"bytes=0-0", 9};
	for (int i = 0; i < 3; i++) {
		clock_stamp_http(now_s() + i, now);
		h.if_range = (struct span){now, strlen(now)};
		assert_int_equal(conditions_read(&h, &o, &range, &why), 200);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading_follows_the_order_of_the_rfc),
	    cmocka_unit_test(ranges_give_what_they_name),
	    cmocka_unit_test(an_empty_file_has_no_ranges),
	    cmocka_unit_test(conditions_come_before_ranges),
	    cmocka_unit_test(writing_is_guarded),
	    cmocka_unit_test(a_tag_that_may_lie_is_weak),
	    cmocka_unit_test(a_time_that_cannot_be_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
