/*
 * Requests for uploads that can be resumed, on a store in memory: what is kept of an
 * upload whatever becomes of its connection, and what each client is told of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/cmocka_with.h"
#include "lib/web.h"

enum {
	CHUNK = TEST_WEB_CHUNK,
	LARGE = TEST_WEB_LARGE,
	TURNS = 20000,
};

#define TUS "Tus-Resumable: 1.0.0\r\n"
#define TYPE "Content-Type: application/offset+octet-stream\r\n"
#define PART "Content-Type: application/partial-upload\r\n"
#define V8 "Upload-Draft-Interop-Version: 8\r\n"
#define V3 "Upload-Draft-Interop-Version: 3\r\n"

static struct test_web f;
static char url[200]; /* of the upload */

static int
set_up(void **state)
{
	static char relative[] = "relative";

	(void)state;
	test_web_begin(&f);
	f.location.policy.resume = true;
	f.location.policy.resume_expire_s = 86400;
	f.location.resume_versions = 127;
	f.location.resume_url = relative;
	f.location.resume_interim = INTERIM_ON;
	url[0] = '\0';
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
again(void)
{
	test_client_hang_up(&f.client);
	test_web_turn(&f, 5);
	test_client_connect(&f.client, &f.server);
	test_web_turn(&f, 2);
}

/* The URL in the last answer. */
static void
take_url(void)
{
	const char *at = strstr(f.client.got, "\nLocation: ");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "\nLocation: %199s", url), 1);
	assert_int_equal(strncmp(url, "/file/.penstock/", 16), 0);
	assert_int_equal(strlen(url), 16 + PARTIAL_ID_LEN);
}

static void
ask(const char *method, const char *path, const char *fields, size_t len)
{
	char lines[900];

	snprintf(
	    lines, sizeof(lines), "%sContent-Length: %zu\r\n", fields, len);
	test_web_say_head(&f, method, path, 0, lines);
}

static void
create(const char *fields)
{
	ask("POST", "/file", fields, 0);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "\r\n\r\n");
	take_url();
}

/* Send body[from] to body[to - 1] with these fields. */
static void
append(const char *fields, size_t from, size_t to)
{
	ask("PATCH", url, fields, to - from);
	test_web_say_body(&f, from, to);
}

static void
patch(size_t from, size_t to)
{
	char fields[200];

	snprintf(
	    fields, sizeof(fields), TUS TYPE "Upload-Offset: %zu\r\n", from);
	append(fields, from, to);
}

static void
assert_offset(size_t offset)
{
	char text[60];

	snprintf(text, sizeof(text), "Upload-Offset: %zu\r\n", offset);
	test_web_await(&f, text);
}

static void
assert_stored(const char *name, size_t len)
{
	size_t is;
	const void *bytes = memory_store_find(f.store, name, &is);

	assert_non_null(bytes);
	assert_int_equal(is, len);
	assert_memory_equal(bytes, f.body, len);
}

static const struct partial *
kept(void)
{
	const struct partial *p = memory_store_partial(f.store, url + 16);

	assert_non_null(p);
	return p;
}

/* ---- tus ---- */

static void
an_upload_in_parts_becomes_a_file(void **state)
{
	(void)state;
	create(
	    TUS "Upload-Length: 20603\r\nUpload-Metadata: filename YQ==\r\n");
	patch(0, 5000);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(5000);
	test_web_await(&f, "Upload-Expires: ");
	assert_int_equal(memory_store_count(f.store), 0);
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 200 OK\r\n");
	assert_offset(5000);
	test_web_await(&f, "Upload-Length: 20603\r\n");
	test_web_await(&f, "Upload-Metadata: filename YQ==\r\n");
	test_web_await(&f, "Cache-Control: no-store\r\n");
	patch(5000, LARGE);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(LARGE);
	test_web_await(&f, "Content-Location: /file/a\r\n");
	assert_stored("a", LARGE);
	assert_int_equal(kept()->phase, PARTIAL_STORED);
}

static void
the_receipt_is_that_of_all_parts(void **state)
{
	(void)state;
	create(
	    TUS "Upload-Length: 20603\r\nUpload-Metadata: filename YQ==\r\n");
	patch(0, 10);
	test_web_await(&f, "Server-Timing: network;dur=");
	patch(10, 20);
	assert_offset(20);
	patch(20, LARGE);
	assert_offset(LARGE);
	ask("GET", url, TUS, 0);
	test_web_await(&f, "\"bytes\":20603,\"parts\":3,");
	test_web_await(&f, "\"location\":\"/file/a\"");
}

static void
an_empty_upload_is_finished_by_its_creation(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 0\r\nUpload-Metadata: filename YQ==\r\n");
	assert_int_equal(memory_store_count(f.store), 1);
	ask("HEAD", url, TUS, 0);
	assert_offset(0);
	test_web_await(&f, "Upload-Length: 0\r\n");
}

static void
a_creation_may_bring_bytes(void **state)
{
	(void)state;
	ask("POST", "/file/b/c", TUS TYPE "Upload-Length: 20603\r\n", 3000);
	test_web_say_body(&f, 0, 3000);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_offset(3000);
	take_url();
	patch(3000, LARGE);
	assert_offset(LARGE);
	assert_stored("b/c", LARGE);
}

static void
all_of_it_with_the_creation_is_stored(void **state)
{
	(void)state;
	ask("POST", "/file/a", TUS TYPE "Upload-Length: 20603\r\n", LARGE);
	test_web_say_body(&f, 0, LARGE);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_offset(LARGE);
	take_url(); /* of the upload, and not of the file */
	test_web_await(&f, "\"bytes\":20603");
	assert_stored("a", LARGE);
}

static void
the_wrong_offset_is_409_and_changes_nothing(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 20603\r\n");
	patch(0, 100);
	assert_offset(100);
	patch(0, 100);
	test_web_await(&f, "HTTP/1.1 409 Conflict\r\n");
	assert_offset(100);
	again();
	patch(101, 200);
	test_web_await(&f, "HTTP/1.1 409 Conflict\r\n");
	assert_int_equal(kept()->offset, 100);
}

static void
what_came_before_the_client_left_is_kept(void **state)
{
	(void)state;
	create(
	    TUS "Upload-Length: 20603\r\nUpload-Metadata: filename YQ==\r\n");
	ask("PATCH", url, TUS TYPE "Upload-Offset: 0\r\n", LARGE);
	test_web_say_body(&f, 0, 9000);
	test_web_turn(&f, 20);
	again();
	ask("HEAD", url, TUS, 0);
	assert_offset(9000);
	patch(9000, LARGE);
	assert_offset(LARGE);
	assert_stored("a", LARGE);
}

static void
a_length_may_be_said_later(void **state)
{
	(void)state;
	create(TUS "Upload-Defer-Length: 1\r\n"
		   "Upload-Metadata: filename YQ==\r\n");
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "Upload-Defer-Length: 1\r\n");
	patch(0, 100);
	assert_offset(100);
	append(
	    TUS TYPE "Upload-Offset: 100\r\nUpload-Length: 200\r\n", 100, 150);
	assert_offset(150);
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "Upload-Length: 200\r\n");
	assert_false(test_client_has_heard(&f.client, "Defer"));
	patch(150, 200);
	assert_offset(200);
	assert_stored("a", 200);
}

static void
a_length_may_be_said_with_nothing_more(void **state)
{
	(void)state;
	create(TUS "Upload-Defer-Length: 1\r\n"
		   "Upload-Metadata: filename YQ==\r\n");
	patch(0, 100);
	assert_offset(100);
	append(
	    TUS TYPE "Upload-Offset: 100\r\nUpload-Length: 100\r\n", 100, 100);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(100);
	assert_stored("a", 100);
}

static void
the_last_part_again_is_answered_and_stores_nothing(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 100\r\nUpload-Metadata: filename YQ==\r\n");
	patch(0, 100);
	assert_offset(100);
	patch(100, 100);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(100);
	assert_int_equal(memory_store_count(f.store), 1);
	patch(0, 100);
	test_web_await(&f, "HTTP/1.1 409 Conflict\r\n");
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
an_upload_that_was_dropped_is_not_there(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 100\r\n");
	ask("DELETE", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 404 Not Found\r\n");
	assert_false(test_client_has_heard(&f.client, "Upload-Offset"));
	patch(0, 0);
	test_web_await(&f, "HTTP/1.1 404 Not Found\r\n");
	assert_int_equal(memory_store_partials(f.store), 0);
}

static void
one_that_has_expired_is_410(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 100\r\n");
	memory_store_expire(f.store, url + 16);
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 410 Gone\r\n");
	patch(0, 0);
	test_web_await(&f, "HTTP/1.1 410 Gone\r\n");
}

static void
methods_may_come_as_a_post(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 5\r\nUpload-Metadata: filename YQ==\r\n");
	ask("POST", url,
	    TUS TYPE "X-HTTP-Method-Override: PATCH\r\nUpload-Offset: 0\r\n",
	    5);
	test_web_say_body(&f, 0, 5);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(5);
	assert_stored("a", 5);
	ask("POST", url, TUS "X-HTTP-Method-Override: DELETE\r\n", 0);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_int_equal(memory_store_partials(f.store), 0);
	ask("POST", url, TUS "X-HTTP-Method-Override: PUT\r\n", 0);
	test_web_await(&f, "HTTP/1.1 405 Method Not Allowed\r\n");
}

static void
a_chunked_body_may_not_be_longer_than_the_rest(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 5\r\n");
	test_web_say_head(&f, "PATCH", url, 0,
	    TUS TYPE "Upload-Offset: 0\r\nTransfer-Encoding: chunked\r\n");
	test_client_say(&f.client, "6\r\nabcdef\r\n0\r\n\r\n");
	test_web_await(&f, "HTTP/1.1 413 Content Too Large\r\n");
	assert_int_equal(kept()->offset, 0);
	assert_int_equal(memory_store_count(f.store), 0);
}

static void
another_version_is_412(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 5\r\n");
	ask("HEAD", url, "Tus-Resumable: 0.2.2\r\n", 0);
	test_web_await(&f, "HTTP/1.1 412 Precondition Failed\r\n");
	test_web_await(&f, "Tus-Version: 1.0.0\r\n");
	ask("HEAD", url, "", 0);
	test_web_await(&f, "HTTP/1.1 412 Precondition Failed\r\n");
	ask("POST", "/file", "Tus-Resumable: 2.0.0\r\nUpload-Length: 5\r\n", 0);
	test_web_await(&f, "HTTP/1.1 412 Precondition Failed\r\n");
	assert_int_equal(memory_store_partials(f.store), 1);
}

/* ---- concatenation ---- */

static void
uploads_are_made_of_others(void **state)
{
	char first[200], fields[800];

	(void)state;
	create(TUS "Upload-Concat: partial\r\nUpload-Length: 5000\r\n");
	patch(0, 5000);
	assert_offset(5000);
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "Upload-Concat: partial\r\n");
	memcpy(first, url, sizeof(first));
	create(TUS "Upload-Concat: partial\r\nUpload-Length: 15603\r\n");
	append(TUS TYPE "Upload-Offset: 0\r\n", 5000, 15000);
	assert_offset(10000);
	assert_int_equal(memory_store_count(f.store), 0);
	snprintf(fields, sizeof(fields),
	    TUS "Upload-Concat: final;%s http://h%s\r\n"
		"Upload-Metadata: filename YQ==\r\n",
	    first, url);
	ask("POST", "/file", fields, 0);
	test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	test_web_await(&f, "not finished");
	ask("PATCH", url, TUS TYPE "Upload-Offset: 10000\r\n", 5603);
	test_web_say_body(&f, 15000, LARGE);
	assert_offset(15603);
	create(fields);
	assert_stored("a", LARGE);
	ask("HEAD", url, TUS, 0);
	assert_offset(LARGE);
	test_web_await(&f, "Upload-Concat: final;/file/");
	patch(LARGE, LARGE);
	test_web_await(&f, "HTTP/1.1 403 Forbidden\r\n");
	/* The parts are there still, and may be used again. */
	create(fields);
	assert_stored("a", LARGE);
}

static void
a_part_that_is_none_is_refused(void **state)
{
	static const char *const parts[] = {
	    "/file/.penstock/00000000000000000000000000000000",
	    "/file/.penstock/../../etc/passwd", "/file/a",
	    "/other/.penstock/00000000000000000000000000000000"};
	char fields[400];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		snprintf(fields, sizeof(fields),
		    TUS "Upload-Concat: final;%s\r\n", parts[i]);
		ask("POST", "/file", fields, 0);
		test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	}
	create(TUS "Upload-Length: 5\r\n");
	snprintf(
	    fields, sizeof(fields), TUS "Upload-Concat: final;%s\r\n", url);
	ask("POST", "/file", fields, 0);
	test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	assert_int_equal(memory_store_partials(f.store), 1);
}

/* ---- the drafts ---- */

static void
a_draft_is_told_early(void **state)
{
	(void)state;
	test_web_say_head(&f, "PUT", "/file/a", LARGE,
	    V8 "Upload-Complete: ?1\r\nExpect: 100-continue\r\n");
	test_web_await(&f, "HTTP/1.1 100 Continue\r\n");
	assert_int_equal(
	    strncmp(f.client.got,
		"HTTP/1.1 104 Upload Resumption Supported\r\n"
		"Upload-Draft-Interop-Version: 8\r\nLocation: /file/.penstock/",
		60),
	    0);
	take_url();
	test_web_await(&f, "Upload-Limit: max-age=86400\r\n");
	test_web_say_body(&f, 0, LARGE);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "Location: /file/a\r\n");
	test_web_await(&f, "Upload-Complete: ?1\r\n");
	assert_offset(LARGE);
	test_web_await(&f, "\"bytes\":20603");
	assert_stored("a", LARGE);
}

static void
a_draft_goes_on_after_a_cut(void **state)
{
	(void)state;
	test_web_say_head(
	    &f, "PUT", "/file/a", LARGE, V8 "Upload-Complete: ?1\r\n");
	test_web_await(&f, "HTTP/1.1 104 ");
	test_web_await(&f, "\r\n\r\n");
	take_url();
	test_web_say_body(&f, 0, 9000);
	test_web_turn(&f, 20);
	again();
	ask("HEAD", url, V8, 0);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(9000);
	test_web_await(&f, "Upload-Complete: ?0\r\n");
	test_web_await(&f, "Upload-Length: 20603\r\n");
	test_web_await(&f, "Upload-Limit: max-age=");
	append(V8 PART "Upload-Offset: 9000\r\nUpload-Complete: ?0\r\n", 9000,
	    9100);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(9100);
	append(V8 PART "Upload-Offset: 9100\r\nUpload-Complete: ?1\r\n", 9100,
	    LARGE);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "Upload-Complete: ?1\r\n");
	test_web_await(&f, "Location: /file/a\r\n");
	assert_stored("a", LARGE);
}

static void
the_final_answer_is_said_again(void **state)
{
	(void)state;
	ask("POST", "/file/a", V8 "Upload-Complete: ?0\r\n", 0);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "Upload-Complete: ?0\r\n");
	take_url();
	append(V8 PART "Upload-Offset: 0\r\nUpload-Complete: ?1\r\n", 0, 100);
	test_web_await(&f, "\"bytes\":100");
	again();
	ask("HEAD", url, V8, 0);
	assert_offset(100);
	test_web_await(&f, "Upload-Complete: ?1\r\n");
	append(V8 PART "Upload-Offset: 100\r\nUpload-Complete: ?1\r\n", 0, 0);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "Upload-Complete: ?1\r\n");
	test_web_await(&f, "Location: /file/a\r\n");
	test_web_await(&f, "\"bytes\":100");
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
the_length_finishes_whatever_is_said(void **state)
{
	(void)state;
	ask("POST", "/file",
	    "Upload-Draft-Interop-Version: 6\r\nUpload-Complete: ?0\r\n"
	    "Upload-Length: 100\r\nUpload-Metadata: filename YQ==\r\n",
	    0);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	take_url();
	append("Upload-Draft-Interop-Version: 6\r\n" PART
	       "Upload-Offset: 0\r\nUpload-Complete: ?0\r\n",
	    0, 100);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_offset(100);
	assert_stored("a", 100);
}

static void
the_third_draft_says_it_the_other_way_round(void **state)
{
	(void)state;
	ask("POST", "/file/a", V3 "Upload-Incomplete: ?1\r\n", 5);
	test_web_say_body(&f, 0, 5);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "Upload-Incomplete: ?1\r\n");
	assert_offset(5);
	take_url();
	append(V3 "Upload-Offset: 5\r\nUpload-Incomplete: ?0\r\n", 5, 9);
	test_web_await(&f, "Upload-Incomplete: ?0\r\n");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_stored("a", 9);
}

static void
too_long_a_part_ends_a_drafts_upload(void **state)
{
	(void)state;
	ask("POST", "/file/a",
	    V8 "Upload-Complete: ?0\r\nUpload-Length: 100\r\n", 0);
	test_web_await(&f, "\r\n\r\n");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	take_url();
	append(V8 PART "Upload-Offset: 0\r\nUpload-Complete: ?0\r\n", 0, 101);
	test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	test_web_await(&f, "#inconsistent-upload-length");
	again();
	ask("HEAD", url, V8, 0);
	test_web_await(&f, "HTTP/1.1 410 Gone\r\n");
	assert_int_equal(memory_store_count(f.store), 0);
}

static void
the_wrong_offset_is_a_problem_with_the_right_one(void **state)
{
	(void)state;
	ask("POST", "/file/a", V8 "Upload-Complete: ?0\r\n", 10);
	test_web_say_body(&f, 0, 10);
	assert_offset(10);
	take_url();
	append(V8 PART "Upload-Offset: 5\r\nUpload-Complete: ?0\r\n", 0, 0);
	test_web_await(&f, "HTTP/1.1 409 Conflict\r\n");
	assert_offset(10);
	test_web_await(&f, "Upload-Complete: ?0\r\n");
	test_web_await(&f, "http-problem-types#mismatching-upload-offset");
	test_web_await(&f, "\"expected-offset\":10,\"provided-offset\":5,");
}

static void
a_plain_upload_with_such_fields_is_plain(void **state)
{
	(void)state;
	test_web_put(&f, "/file/a", 100, "Upload-Complete: ?1\r\n");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_int_equal(memory_store_partials(f.store), 0);
	test_web_put(&f, "/file/b", 100,
	    "Upload-Complete: ?1\r\nUpload-Draft-Interop-Version: 7\r\n");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_int_equal(memory_store_partials(f.store), 0);
	assert_stored("b", 100);
}

static void
no_104_where_it_is_off(void **state)
{
	static const enum conf_interim offs[] = {INTERIM_OFF, INTERIM_AUTO};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(offs); i++) {
		f.location.resume_interim = offs[i]; /* auto: a UNIX socket */
		test_web_put(&f, "/file/a", 100, V8 "Upload-Complete: ?1\r\n");
		test_web_await(&f, "\"bytes\":100");
		assert_false(test_client_has_heard(&f.client, "104"));
	}
}

/* ---- what may go wrong ---- */

static void
an_upload_of_one_protocol_goes_on_in_the_other(void **state)
{
	(void)state;
	create(TUS "Upload-Length: 100\r\nUpload-Metadata: filename YQ==\r\n");
	append(V8 PART "Upload-Offset: 0\r\nUpload-Complete: ?0\r\n", 0, 50);
	test_web_await(&f, "HTTP/1.1 204 No Content\r\n");
	assert_offset(50);
	patch(50, 100);
	assert_offset(100);
	assert_stored("a", 100);
}

static void
what_cannot_be_stored_is_refused_for_good(void **state)
{
	(void)state;
	test_web_plan(&f)->why[MEMORY_COMMIT] = failure_of(OUTCOME_EXISTS, 0);
	create(TUS "Upload-Length: 100\r\nUpload-Metadata: filename YQ==\r\n");
	patch(0, 100);
	/* 409 would be taken for a wrong offset. */
	test_web_await(&f, "HTTP/1.1 403 Forbidden\r\n");
	again();
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 410 Gone\r\n");
	patch(100, 100);
	test_web_await(&f, "HTTP/1.1 403 Forbidden\r\n");
}

static void
what_may_be_stored_later_is_kept(void **state)
{
	(void)state;
	test_web_plan(&f)->why[MEMORY_COMMIT] =
	    failure_of(OUTCOME_DISK_FULL, 0);
	create(TUS "Upload-Length: 100\r\nUpload-Metadata: filename YQ==\r\n");
	patch(0, 100);
	test_web_await(&f, "HTTP/1.1 507 Insufficient Storage\r\n");
	assert_int_equal(memory_store_count(f.store), 0);
	test_web_plan(&f)->why[MEMORY_COMMIT] = failure_none();
	again();
	assert_int_equal(kept()->phase, PARTIAL_OPEN);
	ask("HEAD", url, TUS, 0);
	test_web_await(&f, "HTTP/1.1 200 OK\r\n");
}

static void
no_id_is_guessed(void **state)
{
	static const char *const paths[] = {
	    "/file/.penstock/00000000000000000000000000000000",
	    "/file/.penstock/0000000000000000000000000000000",
	    "/file/.penstock/000000000000000000000000000000000",
	    "/file/.penstock/0000000000000000000000000000000G",
	    "/file/.penstock/0000000000000000000000000000000%30",
	    "/file/.penstock/..%2f..%2fetc%2fpasswd", "/file/.penstock/../a",
	    "/file/.penstock/%00"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		ask("HEAD", paths[i], TUS, 0);
		test_web_await(&f, "HTTP/1.1 404 Not Found\r\n");
		ask("DELETE", paths[i], TUS, 0);
		test_web_await(&f, "HTTP/1.1 404 Not Found\r\n");
	}
}

static void
the_limit_counts_the_whole_upload(void **state)
{
	(void)state;
	f.location.max_body_size = 1000;
	ask("POST", "/file", TUS "Upload-Length: 1001\r\n", 0);
	test_web_await(&f, "HTTP/1.1 413 Content Too Large\r\n");
	create(TUS "Upload-Defer-Length: 1\r\n");
	patch(0, 900);
	assert_offset(900);
	patch(900, 1001);
	test_web_await(&f, "HTTP/1.1 413 Content Too Large\r\n");
	again();
	patch(900, 1000);
	assert_offset(1000);
}

static void
where_it_is_off_nothing_is_begun(void **state)
{
	(void)state;
	f.location.policy.resume = false;
	ask("POST", "/file", TUS "Upload-Length: 5\r\n", 0);
	test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	ask("POST", "/file/a", V8 "Upload-Complete: ?0\r\n", 0);
	test_web_await(&f, "HTTP/1.1 400 Bad Request\r\n");
	assert_int_equal(memory_store_partials(f.store), 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_upload_in_parts_becomes_a_file),
	    TEST(the_receipt_is_that_of_all_parts),
	    TEST(an_empty_upload_is_finished_by_its_creation),
	    TEST(a_creation_may_bring_bytes),
	    TEST(all_of_it_with_the_creation_is_stored),
	    TEST(the_wrong_offset_is_409_and_changes_nothing),
	    TEST(what_came_before_the_client_left_is_kept),
	    TEST(a_length_may_be_said_later),
	    TEST(a_length_may_be_said_with_nothing_more),
	    TEST(the_last_part_again_is_answered_and_stores_nothing),
	    TEST(an_upload_that_was_dropped_is_not_there),
	    TEST(one_that_has_expired_is_410),
	    TEST(methods_may_come_as_a_post),
	    TEST(a_chunked_body_may_not_be_longer_than_the_rest),
	    TEST(another_version_is_412),
	    TEST(uploads_are_made_of_others),
	    TEST(a_part_that_is_none_is_refused),
	    TEST(a_draft_is_told_early),
	    TEST(a_draft_goes_on_after_a_cut),
	    TEST(the_final_answer_is_said_again),
	    TEST(the_length_finishes_whatever_is_said),
	    TEST(the_third_draft_says_it_the_other_way_round),
	    TEST(too_long_a_part_ends_a_drafts_upload),
	    TEST(the_wrong_offset_is_a_problem_with_the_right_one),
	    TEST(a_plain_upload_with_such_fields_is_plain),
	    TEST(no_104_where_it_is_off),
	    TEST(an_upload_of_one_protocol_goes_on_in_the_other),
	    TEST(what_cannot_be_stored_is_refused_for_good),
	    TEST(what_may_be_stored_later_is_kept),
	    TEST(no_id_is_guessed),
	    TEST(the_limit_counts_the_whole_upload),
	    TEST(where_it_is_off_nothing_is_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
