/*
 * Requests to read, on a store in memory: the whole of a file, a part of it, what is
 * known of it, the newest; what conditions make of it; and what a client is told of a
 * store that fails, or cannot do all that others can.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cmocka_with.h"
#include "lib/web.h"

enum {
	LARGE = TEST_WEB_LARGE,
	LEN = 1000,
};

#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT" /* when all was modified */

static struct test_web f;

/* `a` is there, and its entity-tag is "m1". */
static int
set_up(void **state)
{
	(void)state;
	test_web_begin(&f);
	memory_store_add(f.store, "a", f.body, LEN);
	return 0;
}

/* The same in files, from which the exchange sends by itself. */
static int
set_up_files(void **state)
{
	(void)set_up(state);
	test_web_plan(&f)->in_files = true;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_web_end(&f);
	return 0;
}

static void
get(const char *path, const char *lines)
{
	test_web_get(&f, path, lines);
}

static void
await(const char *text)
{
	test_web_await(&f, text);
}

static void
assert_heard(const char *text)
{
	if (!test_client_has_heard(&f.client, text))
		fail_msg("no %s in: %s", text, f.client.got);
}

static void
assert_not_heard(const char *text)
{
	if (test_client_has_heard(&f.client, text))
		fail_msg("%s in: %s", text, f.client.got);
}

/* The answer has no content; and the connection goes on. */
static void
assert_no_content(void)
{
	await("\r\n\r\n");
	test_web_turn(&f, 20);
	assert_string_equal(test_client_content(&f.client), "");
	assert_false(f.client.ended);
}

static void
assert_whole(void)
{
	await("HTTP/1.1 200 OK\r\n");
	test_web_await_content(&f, 0, LEN);
	assert_heard("Content-Length: 1000\r\n");
	assert_not_heard("Content-Range");
}

/* A problem with this status, in whose detail are these words. */
static void
assert_problem(const char *status, const char *words)
{
	await(status);
	await("\r\n\r\n{");
	await(words);
	await("}");
	assert_heard("Content-Type: application/problem+json\r\n");
	assert_false(f.client.ended);
}

static void
assert_closed(void)
{
	test_web_turn(&f, 20);
	assert_false(store_has_files(f.store));
}

/* ---- what is there ---- */

static void
a_file_is_got_whole(void **state)
{
	(void)state;
	get("/file/a", "");
	assert_whole();
	assert_heard("ETag: \"m1\"\r\n");
	assert_heard("Last-Modified: " THEN "\r\n");
	assert_heard("Accept-Ranges: bytes\r\n");
	assert_heard("X-Content-Type-Options: nosniff\r\n");
	assert_not_heard("Content-Location");
	assert_closed();
	get("/file/a", ""); /* on the same connection */
	assert_whole();
	assert_int_equal(f.server.opened, 1);
}

static void
head_is_told_the_same_without_the_content(void **state)
{
	(void)state;
	test_web_say_head(&f, "HEAD", "/file/a", 0, "");
	await("HTTP/1.1 200 OK\r\n");
	assert_no_content();
	assert_heard("Content-Length: 1000\r\n");
	assert_heard("ETag: \"m1\"\r\n");
	assert_heard("Last-Modified: " THEN "\r\n");
	assert_heard("Accept-Ranges: bytes\r\n");
	assert_closed();
	test_web_say_head(&f, "HEAD", "/file/a", 0, "Range: bytes=0-9\r\n");
	await("HTTP/1.1 200 OK\r\n");
	assert_no_content();
	assert_heard("Content-Length: 1000\r\n");
}

static void
an_empty_file_is_one(void **state)
{
	(void)state;
	memory_store_add(f.store, "empty", "", 0);
	get("/file/empty", "");
	await("HTTP/1.1 200 OK\r\n");
	assert_no_content();
	assert_heard("Content-Length: 0\r\n");
	assert_closed();
}

static void
one_part_is_got(void **state)
{
	static const struct {
		const char *range, *content_range;
		size_t from, to;
	} rows[] = {
	    {"bytes=0-0", "bytes 0-0/1000", 0, 1},
	    {"bytes=10-19", "bytes 10-19/1000", 10, 20},
	    {"bytes=900-", "bytes 900-999/1000", 900, 1000},
	    {"bytes=-7", "bytes 993-999/1000", 993, 1000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char line[80];

		snprintf(line, sizeof(line), "Range: %s\r\n", rows[i].range);
		get("/file/a", line);
		await("HTTP/1.1 206 Partial Content\r\n");
		test_web_await_content(&f, rows[i].from, rows[i].to);
		snprintf(line, sizeof(line), "Content-Range: %s\r\n",
		    rows[i].content_range);
		assert_heard(line);
		assert_heard("ETag: \"m1\"\r\n");
	}
	assert_closed();
}

static void
a_part_of_several_chunks_is_got(void **state)
{
	(void)state;
	memory_store_add(f.store, "large", f.body, LARGE);
	get("/file/large", "Range: bytes=4095-20000\r\n");
	await("HTTP/1.1 206 Partial Content\r\n");
	test_web_await_content(&f, 4095, 20001);
}

static void
a_part_of_another_version_is_not_got(void **state)
{
	(void)state;
	get("/file/a", "Range: bytes=0-0\r\nIf-Range: \"m2\"\r\n");
	assert_whole();
	get("/file/a", "Range: bytes=0-0\r\nIf-Range: \"m1\"\r\n");
	await("HTTP/1.1 206 Partial Content\r\n");
	test_web_await_content(&f, 0, 1);
}

static void
what_lies_behind_the_end_is_416(void **state)
{
	(void)state;
	get("/file/a", "Range: bytes=1000-\r\n");
	assert_problem("HTTP/1.1 416 ", "the file ends before the range");
	assert_heard("Content-Range: bytes */1000\r\n");
	assert_heard("ETag: \"m1\"\r\n");
	assert_closed();
}

/* ---- conditions ---- */

static void
what_the_client_has_is_304(void **state)
{
	static const char *const lines[] = {
	    "If-None-Match: \"m1\"\r\n",
	    "If-None-Match: \"x\", W/\"m1\"\r\n",
	    "If-None-Match: *\r\n",
	    "If-Modified-Since: " THEN "\r\n",
	    "If-None-Match: \"m1\"\r\nRange: bytes=5000-\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		get("/file/a", lines[i]);
		await("HTTP/1.1 304 Not Modified\r\n");
		assert_no_content();
		assert_heard("ETag: \"m1\"\r\n");
	}
	assert_closed();
	get("/file/a", "If-None-Match: \"x\"\r\n");
	assert_whole();
	get("/file/a", "If-Modified-Since: " EARLIER "\r\n");
	assert_whole();
}

static void
what_must_be_there_and_is_not_is_412(void **state)
{
	(void)state;
	get("/file/a", "If-Match: \"m2\"\r\n");
	assert_problem("HTTP/1.1 412 ", "not the one that If-Match names");
	assert_heard("ETag: \"m1\"\r\n");
	assert_closed();
	get("/file/a", "If-Unmodified-Since: " EARLIER "\r\n");
	assert_problem("HTTP/1.1 412 ", "If-Unmodified-Since");
	get("/file/a", "If-Match: \"m1\"\r\n");
	assert_whole();
}

static void
a_condition_that_is_none_is_400(void **state)
{
	(void)state;
	get("/file/a", "If-Match: m1\r\n");
	assert_problem("HTTP/1.1 400 ", "entity-tags in quotes");
	assert_closed();
}

/* ---- the newest ---- */

static void
the_newest_is_told_by_name(void **state)
{
	(void)state;
	memory_store_add(f.store, "deep/b c", f.body, LEN);
	get("/file", "");
	assert_whole();
	assert_heard("Content-Location: /file/deep/b%20c\r\n");
	test_web_put(&f, "/file/a", 7, "");
	await("\"durability\"");
	get("/file", "");
	await("HTTP/1.1 200 OK\r\n");
	test_web_await_content(&f, 0, 7);
	assert_heard("Content-Location: /file/a\r\n");
	get("/file", "Range: bytes=2-3\r\n");
	await("HTTP/1.1 206 Partial Content\r\n");
	test_web_await_content(&f, 2, 4);
	assert_heard("Content-Location: /file/a\r\n");
}

static void
before_the_first_there_is_no_newest(void **state)
{
	(void)state;
	test_web_plan(&f)->why[MEMORY_BEGIN_GET] =
	    failure_of(OUTCOME_NONE_YET, 0);
	get("/file", "");
	assert_problem("HTTP/1.1 404 ", "No file uploaded yet");
	test_web_plan(&f)->why[MEMORY_BEGIN_GET] = failure_of(OUTCOME_NONE, 0);
	test_web_plan(&f)->why[MEMORY_OPEN] = failure_of(OUTCOME_NONE_YET, 0);
	get("/file", "");
	assert_problem("HTTP/1.1 404 ", "No file uploaded yet");
	assert_closed();
}

/* ---- what is not there, or fails ---- */

static void
what_is_not_there_is_404(void **state)
{
	(void)state;
	get("/file/b", "");
	assert_problem("HTTP/1.1 404 ", "there is no such file");
	get("/file/a/", "");
	assert_problem("HTTP/1.1 404 ", "the slash at the end");
	get("/file/../a", "");
	assert_problem("HTTP/1.1 400 ", "");
	assert_closed();
}

static void
a_store_may_fail_before_there_is_an_answer(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_BEGIN_GET, MEMORY_OPEN, MEMORY_READ};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct failure *why = &test_web_plan(&f)->why[steps[i]];

		*why = failure_of(OUTCOME_DISK_UNHEALTHY, -EIO);
		get("/file/a", "");
		assert_problem("HTTP/1.1 503 ", "does not answer");
		assert_heard("Retry-After: 1\r\n");
		assert_not_heard("ETag");
		assert_closed();
		*why = failure_of(OUTCOME_NONE, 0);
		get("/file/a", "");
		assert_whole();
	}
}

/* A part must not look like the whole. */
static void
a_store_that_fails_later_cuts_the_content_off(void **state)
{
	(void)state;
	memory_store_add(f.store, "large", f.body, LARGE);
	test_web_plan(&f)->why[MEMORY_READ] = failure_of_errno(-EIO);
	test_web_plan(&f)->spared[MEMORY_READ] = 2;
	get("/file/large", "");
	await("HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 20000 && !f.client.ended; i++)
		test_web_turn(&f, 1);
	assert_true(f.client.ended);
	assert_heard("Content-Length: 20603\r\n");
	assert_true(strlen(test_client_content(&f.client)) < LARGE);
	assert_false(store_has_files(f.store));
}

static void
a_slow_store_is_waited_for(void **state)
{
	static const enum memory_step steps[] = {MEMORY_OPEN, MEMORY_READ};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		test_web_plan(&f)->held[steps[i]] = true;
		get("/file/a", "");
		test_web_turn(&f, 50);
		assert_string_equal(f.client.got, "");
		memory_store_release(f.store, steps[i]);
		assert_whole();
	}
}

/* ---- what not every store can do ---- */

static void
without_parts_there_is_the_whole(void **state)
{
	(void)state;
	memory_store_limit(f.store, STORE_HAS_LATEST);
	get("/file/a", "Range: bytes=10-19\r\n");
	assert_whole();
	assert_heard("Accept-Ranges: none\r\n");
	get("/file/a", "Range: bytes=5000-\r\n");
	assert_whole();
	get("/file", "Range: bytes=10-19\r\n");
	assert_whole();
	get("/file/a", "Range: bytes=0-0\r\nIf-None-Match: \"m1\"\r\n");
	await("HTTP/1.1 304 Not Modified\r\n");
	get("/file/a", "Range: bytes=0-0\r\nIf-Match: \"m2\"\r\n");
	await("HTTP/1.1 412 ");
}

static void
without_a_newest_a_name_is_asked_for(void **state)
{
	(void)state;
	memory_store_limit(f.store, STORE_CAN_RANGE);
	get("/file", "");
	assert_problem("HTTP/1.1 404 ", "ask for a file by its name");
	get("/file/a", "Range: bytes=10-19\r\n");
	await("HTTP/1.1 206 Partial Content\r\n");
	test_web_await_content(&f, 10, 20);
	assert_heard("Accept-Ranges: bytes\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define BOTH(name)                                                             \
	TEST(name),                                                            \
	{                                                                      \
#name ": a file", name, set_up_files, tear_down, NULL          \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(a_file_is_got_whole),
	    BOTH(head_is_told_the_same_without_the_content),
	    BOTH(an_empty_file_is_one),
	    BOTH(one_part_is_got),
	    BOTH(a_part_of_several_chunks_is_got),
	    BOTH(a_part_of_another_version_is_not_got),
	    BOTH(what_lies_behind_the_end_is_416),
	    BOTH(what_the_client_has_is_304),
	    BOTH(what_must_be_there_and_is_not_is_412),
	    BOTH(a_condition_that_is_none_is_400),
	    BOTH(the_newest_is_told_by_name),
	    BOTH(before_the_first_there_is_no_newest),
	    BOTH(what_is_not_there_is_404),
	    TEST(a_store_may_fail_before_there_is_an_answer),
	    BOTH(a_store_that_fails_later_cuts_the_content_off),
	    TEST(a_slow_store_is_waited_for),
	    BOTH(without_parts_there_is_the_whole),
	    BOTH(without_a_newest_a_name_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
