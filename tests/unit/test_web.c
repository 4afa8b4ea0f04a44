/*
 * Requests that store and read, on a store in memory: what HTTP says of what such a
 * store does, and what becomes of an upload and a download whose client leaves.
 */
#include "web/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"
#include "lib/memory_store.h"

enum {
	CHUNK = 4096,
	LARGE = 5 * CHUNK + 123,
	TURNS = 20000,
};

static struct fixture {
	struct test_loop l;
	struct test_server server;
	struct test_client client;
	struct conf_location location;
	struct store *store;
	struct store *stores[1];
	struct log_limit failures[OUTCOME_COUNT];
	struct context context;
	struct dispatch dispatch;
	bool is_settled;
	char body[LARGE + 1]; /* a text */
} f;

/* ---- the server ---- */

static void
on_request(struct exchange *x)
{
	f.dispatch.handler.on_request(&f.dispatch.handler, x);
}

static void
on_settled(void *owner)
{
	(void)owner;
	f.is_settled = true;
}

static void
turn(unsigned n)
{
	while (n-- > 0) {
		test_loop_turn(&f.l, 1);
		test_client_hear(&f.client);
	}
}

static void
await_text(const char *text)
{
	for (unsigned i = 0;
	     i < TURNS && !test_client_has_heard(&f.client, text); i++)
		turn(1);
	if (!test_client_has_heard(&f.client, text))
		fail_msg("instead of %s: %s", text, f.client.got);
}

static struct memory_plan *
plan(void)
{
	return memory_store_plan(f.store);
}

static void
set_up_context(void)
{
	static char prefix[] = "/file", dir[] = "/in/memory";

	f.location.prefix = prefix;
	f.location.policy.output_dir = dir;
	f.location.policy.overwrite = true;
	f.location.read = true;
	f.location.queue_depth = 4;
	f.location.write_depth = 2;
	f.store = memory_kind.open(&(struct store_setup){
	    .policy = &f.location.policy,
	    .loop = f.l.loop,
	    .chunk_size = CHUNK,
	    .on_settled = on_settled,
	});
	assert_non_null(f.store);
	f.stores[0] = f.store;
	f.server.conf.locations = &f.location;
	f.server.conf.location_count = 1;
	f.context = (struct context){
	    .conf = &f.server.conf,
	    .env = {.loop = f.l.loop, .pool = f.l.pool},
	    .stores = f.stores,
	    .failures = f.failures,
	};
	dispatch_init(&f.dispatch, &f.context);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	test_loop_begin(&f.l, CHUNK, 64);
	test_server_begin(&f.server, &f.l, on_request);
	set_up_context();
	chunk_account_add(f.l.pool, memory_store_account(f.store));
	for (size_t i = 0; i < LARGE; i++)
		f.body[i] = (char)('a' + fake_byte(i) % 26);
	test_client_connect(&f.client, &f.server);
	turn(3);
	assert_true(f.is_settled);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	test_client_hang_up(&f.client);
	test_server_end(&f.server);
	for (int step = 0; step < MEMORY_STEPS; step++)
		memory_store_release(f.store, step);
	turn(5);
	assert_true(store_is_idle(f.store));
	assert_int_equal(chunk_pool_held(f.l.pool), 0);
	chunk_account_remove(f.l.pool, memory_store_account(f.store));
	store_free(&f.store);
	test_loop_end(&f.l);
	return 0;
}

/* ---- the client ---- */

static void
forget_answer(void)
{
	f.client.len = 0;
	f.client.got[0] = '\0';
}

/* A request's head, with these lines more. */
static void
say_head(const char *method, const char *path, size_t len, const char *lines)
{
	char head[1000];

	forget_answer();
	snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: localhost\r\n%s",
	    method, path, lines);
	test_client_say(&f.client, head);
	if (strcmp(method, "PUT") == 0) {
		snprintf(head, sizeof(head), "Content-Length: %zu\r\n", len);
		test_client_say(&f.client, head);
	}
	test_client_say(&f.client, "\r\n");
}

static void
say_body(size_t from, size_t to)
{
	char last = f.body[to];

	f.body[to] = '\0';
	test_client_say(&f.client, f.body + from);
	f.body[to] = last;
}

static void
put(const char *path, size_t len, const char *lines)
{
	say_head("PUT", path, len, lines);
	say_body(0, len);
}

static void
put_ok(const char *path, size_t len)
{
	put(path, len, "");
	await_text("HTTP/1.1 201 Created\r\n");
	await_text("\"durability\":\"synced\"");
}

static void
get(const char *path, const char *lines)
{
	say_head("GET", path, 0, lines);
}

static void
await_content(size_t from, size_t to)
{
	await_text("\r\n\r\n");
	for (unsigned i = 0;
	     i < TURNS && strlen(test_client_content(&f.client)) < to - from;
	     i++)
		turn(1);
	assert_int_equal(strlen(test_client_content(&f.client)), to - from);
	assert_memory_equal(
	    test_client_content(&f.client), f.body + from, to - from);
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

static void
assert_nothing_stored(void)
{
	assert_int_equal(memory_store_count(f.store), 0);
}

/* ---- what goes well ---- */

static void
what_was_put_is_got(void **state)
{
	static const size_t lengths[] = {1, CHUNK, CHUNK + 1, LARGE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		char path[30];

		snprintf(path, sizeof(path), "/file/a/%zu", i);
		put_ok(path, lengths[i]);
		assert_stored(path + sizeof("/file/") - 1, lengths[i]);
		get(path, "");
		await_text("HTTP/1.1 200 OK\r\n");
		await_content(0, lengths[i]);
		get("/file", "");
		await_text("Content-Location: /file/a/");
		await_content(0, lengths[i]);
	}
	assert_int_equal(f.server.opened, 1);
}

static void
an_empty_one_is_stored(void **state)
{
	(void)state;
	put("/file/a", 0, "");
	await_text("HTTP/1.1 201 Created\r\n");
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
a_generated_name_is_told(void **state)
{
	(void)state;
	put_ok("/file", 10);
	assert_true(test_client_has_heard(&f.client, "Location: /file/2"));
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
what_was_there_is_replaced(void **state)
{
	(void)state;
	put_ok("/file/a", 10);
	put("/file/a", LARGE, "");
	await_text("HTTP/1.1 200 OK\r\n");
	await_text("\"bytes\":20603");
	assert_stored("a", LARGE);
}

static void
a_later_one_may_have_been_faster(void **state)
{
	(void)state;
	plan()->superseded = true;
	plan()->durability = DURABLE_MEMORY;
	put("/file/a", 10, "");
	await_text("HTTP/1.1 201 Created\r\n");
	await_text("\"durability\":\"memory\"");
}

static void
a_part_is_got(void **state)
{
	(void)state;
	put_ok("/file/a", LARGE);
	get("/file/a", "Range: bytes=4000-4999\r\n");
	await_text("HTTP/1.1 206 Partial Content\r\n");
	await_text("Content-Range: bytes 4000-4999/20603\r\n");
	await_content(4000, 5000);
	get("/file/a", "Range: bytes=30000-\r\n");
	await_text("HTTP/1.1 416 ");
}

static void
what_the_client_has_is_not_sent(void **state)
{
	char tag[200], *etag;

	(void)state;
	put_ok("/file/a", 10);
	etag = strstr(f.client.got, "ETag: ");
	assert_non_null(etag);
	etag[strcspn(etag, "\r")] = '\0';
	snprintf(tag, sizeof(tag), "If-None-Match: %s\r\n",
	    etag + sizeof("ETag: ") - 1);
	get("/file/a", tag);
	await_text("HTTP/1.1 304 Not Modified\r\n");
}

/* ---- 100 Continue ---- */

/* It is for one that has a file. */
static void
the_body_is_asked_for_when_there_is_a_file(void **state)
{
	(void)state;
	plan()->held[MEMORY_CREATE] = true;
	say_head("PUT", "/file/a", LARGE, "Expect: 100-continue\r\n");
	turn(20);
	assert_int_equal(f.client.len, 0);
	memory_store_release(f.store, MEMORY_CREATE);
	await_text("HTTP/1.1 100 Continue\r\n\r\n");
	say_body(0, LARGE);
	await_text("HTTP/1.1 201 Created\r\n");
	assert_stored("a", LARGE);
}

static void
what_is_refused_asks_for_no_body(void **state)
{
	(void)state;
	put_ok("/file/a", 10);
	f.location.policy.overwrite = false;
	say_head("PUT", "/file/a", LARGE, "Expect: 100-continue\r\n");
	await_text("HTTP/1.1 409 Conflict\r\n");
	assert_false(test_client_has_heard(&f.client, "100 Continue"));
	assert_stored("a", 10);
}

/* ---- what a store says no to ---- */

static void
a_condition_that_fails_is_explained(void **state)
{
	(void)state;
	put_ok("/file/a", 10);
	put("/file/a", LARGE, "If-None-Match: *\r\n");
	await_text("HTTP/1.1 412 Precondition Failed\r\n");
	await_text("If-None-Match says not to replace it");
	assert_stored("a", 10);
}

static void
a_store_may_fail_at_any_step(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_BEGIN_PUT, MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		plan()->why[steps[i]] = failure_of_errno(-ENOSPC);
		put("/file/a", LARGE, "");
		await_text("HTTP/1.1 507 Insufficient Storage\r\n");
		await_text("no space is left in location /file");
		assert_nothing_stored();
		plan()->why[steps[i]] = failure_of(OUTCOME_NONE, 0);
		test_client_hang_up(&f.client);
		turn(3);
		test_client_connect(&f.client, &f.server);
	}
}

static void
a_sick_disk_is_told_at_once(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		plan()->held[steps[i]] = true;
		put("/file/a", LARGE, "");
		turn(50);
		assert_int_equal(f.client.len, 0);
		memory_store_fail_all(
		    f.store, failure_of(OUTCOME_DISK_SICK, 0));
		await_text("HTTP/1.1 503 Service Unavailable\r\n");
		memory_store_release(f.store, steps[i]);
		test_client_hang_up(&f.client);
		turn(5);
		assert_nothing_stored();
		test_client_connect(&f.client, &f.server);
	}
}

static void
reading_may_fail(void **state)
{
	(void)state;
	get("/file/a", "");
	await_text("HTTP/1.1 404 Not Found\r\n");
	put_ok("/file/a", LARGE);
	plan()->why[MEMORY_OPEN] = failure_of(OUTCOME_DISK_SICK, 0);
	get("/file/a", "");
	await_text("HTTP/1.1 503 Service Unavailable\r\n");
	plan()->why[MEMORY_OPEN] = failure_of(OUTCOME_NONE, 0);
	/* Nothing was sent yet: there can be an answer. */
	plan()->why[MEMORY_READ] = failure_of_errno(-EIO);
	get("/file/a", "");
	await_text("HTTP/1.1 500 Internal Server Error\r\n");
}

/* ---- limits ---- */

static void
one_that_is_too_large_is_refused(void **state)
{
	(void)state;
	f.location.max_body_size = LARGE - 1;
	say_head("PUT", "/file/a", LARGE, "");
	await_text("HTTP/1.1 413 Content Too Large\r\n");
	assert_nothing_stored();
}

/* ---- clients that leave ---- */

static void
half_an_upload_is_none(void **state)
{
	(void)state;
	say_head("PUT", "/file/a", LARGE, "");
	say_body(0, LARGE / 2);
	turn(20);
	assert_true(store_has_files(f.store));
	test_client_hang_up(&f.client);
	turn(20);
	assert_false(store_has_files(f.store));
	assert_nothing_stored();
	assert_int_equal(f.server.closed, 1);
}

static void
a_whole_one_is_stored_though_its_client_left(void **state)
{
	(void)state;
	plan()->held[MEMORY_COMMIT] = true;
	put("/file/a", LARGE, "");
	turn(50);
	test_client_hang_up(&f.client);
	turn(5);
	memory_store_release(f.store, MEMORY_COMMIT);
	turn(20);
	assert_stored("a", LARGE);
	assert_int_equal(f.server.closed, 1);
}

/* The server's end: what is being committed goes on alone, and nothing else. */
static void
dropped_in_any_state_it_leaves_nothing(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		plan()->held[steps[i]] = true;
		put("/file/a", LARGE, "");
		turn(50);
		test_server_end(&f.server);
		memory_store_release(f.store, steps[i]);
		turn(5);
		assert_false(store_has_files(f.store));
		assert_int_equal(
		    memory_store_count(f.store), steps[i] == MEMORY_COMMIT);
		test_client_hang_up(&f.client);
		test_client_connect(&f.client, &f.server);
	}
}

static void
a_download_may_be_dropped(void **state)
{
	static const enum memory_step steps[] = {MEMORY_OPEN, MEMORY_READ};

	(void)state;
	put_ok("/file/a", LARGE);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		plan()->held[steps[i]] = true;
		get("/file/a", "");
		turn(20);
		assert_true(store_has_files(f.store));
		test_server_end(&f.server);
		memory_store_release(f.store, steps[i]);
		turn(5);
		assert_false(store_has_files(f.store));
		test_client_hang_up(&f.client);
		test_client_connect(&f.client, &f.server);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_is_got),
	    TEST(an_empty_one_is_stored),
	    TEST(a_generated_name_is_told),
	    TEST(what_was_there_is_replaced),
	    TEST(a_later_one_may_have_been_faster),
	    TEST(a_part_is_got),
	    TEST(what_the_client_has_is_not_sent),
	    TEST(the_body_is_asked_for_when_there_is_a_file),
	    TEST(what_is_refused_asks_for_no_body),
	    TEST(a_condition_that_fails_is_explained),
	    TEST(a_store_may_fail_at_any_step),
	    TEST(a_sick_disk_is_told_at_once),
	    TEST(reading_may_fail),
	    TEST(one_that_is_too_large_is_refused),
	    TEST(half_an_upload_is_none),
	    TEST(a_whole_one_is_stored_though_its_client_left),
	    TEST(dropped_in_any_state_it_leaves_nothing),
	    TEST(a_download_may_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
