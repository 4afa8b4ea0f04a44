/*
 * Requests that store and read, on a store in memory: what HTTP says of what such a
 * store does, and what becomes of an upload and a download whose client leaves.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "lib/cmocka_with.h"
#include "lib/web.h"

enum {
	CHUNK = TEST_WEB_CHUNK,
	LARGE = TEST_WEB_LARGE,
	TURNS = 20000,
	LATE_MS = 60,
};

static struct test_web f;

static int
set_up(void **state)
{
	(void)state;
	test_web_begin(&f);
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
		test_web_put_ok(&f, path, lengths[i]);
		assert_stored(path + sizeof("/file/") - 1, lengths[i]);
		test_web_get(&f, path, "");
		test_web_await(&f, "HTTP/1.1 200 OK\r\n");
		test_web_await_content(&f, 0, lengths[i]);
		test_web_get(&f, "/file", "");
		test_web_await(&f, "Content-Location: /file/a/");
		test_web_await_content(&f, 0, lengths[i]);
	}
	assert_int_equal(f.server.opened, 1);
}

static void
an_empty_one_is_stored(void **state)
{
	(void)state;
	test_web_put(&f, "/file/a", 0, "");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
a_generated_name_is_told(void **state)
{
	(void)state;
	test_web_put_ok(&f, "/file", 10);
	assert_true(test_client_has_heard(&f.client, "Location: /file/2"));
	assert_int_equal(memory_store_count(f.store), 1);
}

static void
what_was_there_is_replaced(void **state)
{
	(void)state;
	test_web_put_ok(&f, "/file/a", 10);
	test_web_put(&f, "/file/a", LARGE, "");
	test_web_await(&f, "HTTP/1.1 200 OK\r\n");
	test_web_await(&f, "\"bytes\":20603");
	assert_stored("a", LARGE);
}

static void
a_later_one_may_have_been_faster(void **state)
{
	(void)state;
	test_web_plan(&f)->superseded = true;
	test_web_plan(&f)->durability = DURABLE_MEMORY;
	test_web_put(&f, "/file/a", 10, "");
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	test_web_await(&f, "\"durability\":\"memory\"");
}

static void
a_part_is_got(void **state)
{
	(void)state;
	test_web_put_ok(&f, "/file/a", LARGE);
	test_web_get(&f, "/file/a", "Range: bytes=4000-4999\r\n");
	test_web_await(&f, "HTTP/1.1 206 Partial Content\r\n");
	test_web_await(&f, "Content-Range: bytes 4000-4999/20603\r\n");
	test_web_await_content(&f, 4000, 5000);
	test_web_get(&f, "/file/a", "Range: bytes=30000-\r\n");
	test_web_await(&f, "HTTP/1.1 416 ");
}

static void
what_the_client_has_is_not_sent(void **state)
{
	char tag[200], *etag;

	(void)state;
	test_web_put_ok(&f, "/file/a", 10);
	etag = strstr(f.client.got, "ETag: ");
	assert_non_null(etag);
	etag[strcspn(etag, "\r")] = '\0';
	snprintf(tag, sizeof(tag), "If-None-Match: %s\r\n",
	    etag + sizeof("ETag: ") - 1);
	test_web_get(&f, "/file/a", tag);
	test_web_await(&f, "HTTP/1.1 304 Not Modified\r\n");
}

/* ---- 100 Continue ---- */

/* It is for one that has a file. */
static void
the_body_is_asked_for_when_there_is_a_file(void **state)
{
	(void)state;
	test_web_plan(&f)->held[MEMORY_CREATE] = true;
	test_web_say_head(
	    &f, "PUT", "/file/a", LARGE, "Expect: 100-continue\r\n");
	test_web_turn(&f, 20);
	assert_int_equal(f.client.len, 0);
	memory_store_release(f.store, MEMORY_CREATE);
	test_web_await(&f, "HTTP/1.1 100 Continue\r\n\r\n");
	test_web_say_body(&f, 0, LARGE);
	test_web_await(&f, "HTTP/1.1 201 Created\r\n");
	assert_stored("a", LARGE);
}

static void
what_is_refused_asks_for_no_body(void **state)
{
	(void)state;
	test_web_put_ok(&f, "/file/a", 10);
	f.location.policy.overwrite = false;
	test_web_say_head(
	    &f, "PUT", "/file/a", LARGE, "Expect: 100-continue\r\n");
	test_web_await(&f, "HTTP/1.1 409 Conflict\r\n");
	assert_false(test_client_has_heard(&f.client, "100 Continue"));
	assert_stored("a", 10);
}

/* ---- what a store says no to ---- */

static void
a_condition_that_fails_is_explained(void **state)
{
	(void)state;
	test_web_put_ok(&f, "/file/a", 10);
	test_web_put(&f, "/file/a", LARGE, "If-None-Match: *\r\n");
	test_web_await(&f, "HTTP/1.1 412 Precondition Failed\r\n");
	test_web_await(&f, "If-None-Match says not to replace it");
	assert_stored("a", 10);
}

static void
a_store_may_fail_at_any_step(void **state)
{
	static const enum memory_step steps[] = {
	    MEMORY_BEGIN_PUT, MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		test_web_plan(&f)->why[steps[i]] = failure_of_errno(-ENOSPC);
		test_web_put(&f, "/file/a", LARGE, "");
		test_web_await(&f, "HTTP/1.1 507 Insufficient Storage\r\n");
		test_web_await(&f, "no space is left in location /file");
		assert_nothing_stored();
		test_web_plan(&f)->why[steps[i]] = failure_of(OUTCOME_NONE, 0);
		test_client_hang_up(&f.client);
		test_web_turn(&f, 3);
		test_client_connect(&f.client, &f.server);
	}
}

/* Of an upload, at which a store can be slow. */
static const enum memory_step put_steps[] = {
    MEMORY_CREATE, MEMORY_WRITE, MEMORY_COMMIT};

/* An upload of which the store is at `step`, and does not go on. */
static void
put_until(enum memory_step step)
{
	test_web_plan(&f)->held[step] = true;
	test_web_put(&f, "/file/a", LARGE, "");
	test_web_turn(&f, 50);
}

static void
a_sick_disk_is_told_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(put_steps); i++) {
		put_until(put_steps[i]);
		assert_int_equal(f.client.len, 0);
		memory_store_fail_all(
		    f.store, failure_of(OUTCOME_DISK_UNHEALTHY, 0));
		test_web_await(&f, "HTTP/1.1 503 Service Unavailable\r\n");
		memory_store_release(f.store, put_steps[i]);
		test_client_hang_up(&f.client);
		test_web_turn(&f, 5);
		assert_nothing_stored();
		test_client_connect(&f.client, &f.server);
	}
}

static void
reading_may_fail(void **state)
{
	(void)state;
	test_web_get(&f, "/file/a", "");
	test_web_await(&f, "HTTP/1.1 404 Not Found\r\n");
	test_web_put_ok(&f, "/file/a", LARGE);
	test_web_plan(&f)->why[MEMORY_OPEN] =
	    failure_of(OUTCOME_DISK_UNHEALTHY, 0);
	test_web_get(&f, "/file/a", "");
	test_web_await(&f, "HTTP/1.1 503 Service Unavailable\r\n");
	test_web_plan(&f)->why[MEMORY_OPEN] = failure_of(OUTCOME_NONE, 0);
	/* Nothing was sent yet: there can be an answer. */
	test_web_plan(&f)->why[MEMORY_READ] = failure_of_errno(-EIO);
	test_web_get(&f, "/file/a", "");
	test_web_await(&f, "HTTP/1.1 500 Internal Server Error\r\n");
}

/* ---- limits ---- */

static void
one_that_is_too_large_is_refused(void **state)
{
	(void)state;
	f.location.max_body_size = LARGE - 1;
	test_web_say_head(&f, "PUT", "/file/a", LARGE, "");
	test_web_await(&f, "HTTP/1.1 413 Content Too Large\r\n");
	assert_nothing_stored();
}

/* ---- clients that leave ---- */

static void
half_an_upload_is_none(void **state)
{
	(void)state;
	test_web_say_head(&f, "PUT", "/file/a", LARGE, "");
	test_web_say_body(&f, 0, LARGE / 2);
	test_web_turn(&f, 20);
	assert_true(store_has_files(f.store));
	test_client_hang_up(&f.client);
	test_web_turn(&f, 20);
	assert_false(store_has_files(f.store));
	assert_nothing_stored();
	assert_int_equal(f.server.closed, 1);
}

static void
a_whole_one_is_stored_though_its_client_left(void **state)
{
	(void)state;
	test_web_plan(&f)->held[MEMORY_COMMIT] = true;
	test_web_put(&f, "/file/a", LARGE, "");
	test_web_turn(&f, 50);
	test_client_hang_up(&f.client);
	test_web_turn(&f, 5);
	memory_store_release(f.store, MEMORY_COMMIT);
	test_web_turn(&f, 20);
	assert_stored("a", LARGE);
	assert_int_equal(f.server.closed, 1);
}

/* The server's end: what is being committed goes on alone, and nothing else. */
static void
dropped_in_any_state_it_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(put_steps); i++) {
		put_until(put_steps[i]);
		test_server_end(&f.server);
		memory_store_release(f.store, put_steps[i]);
		test_web_turn(&f, 5);
		assert_false(store_has_files(f.store));
		assert_int_equal(
		    memory_store_count(f.store), put_steps[i] == MEMORY_COMMIT);
		test_client_hang_up(&f.client);
		test_client_connect(&f.client, &f.server);
	}
}

static void
a_download_may_be_dropped(void **state)
{
	static const enum memory_step steps[] = {MEMORY_OPEN, MEMORY_READ};

	(void)state;
	test_web_put_ok(&f, "/file/a", LARGE);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		test_web_plan(&f)->held[steps[i]] = true;
		test_web_get(&f, "/file/a", "");
		test_web_turn(&f, 20);
		assert_true(store_has_files(f.store));
		test_server_end(&f.server);
		memory_store_release(f.store, steps[i]);
		test_web_turn(&f, 5);
		assert_false(store_has_files(f.store));
		test_client_hang_up(&f.client);
		test_client_connect(&f.client, &f.server);
	}
}

/* ---- when they came ---- */

/* Connect by TCP, where the kernel says when bytes came.  False: it does not. */
static bool
connect_stamped(void)
{
	struct addr a = {.len = sizeof(struct sockaddr_in)}, peer = a;
	struct sockaddr_in *in = (struct sockaddr_in *)&a.ss;
	int l = socket(AF_INET, SOCK_STREAM, 0), fd, on = 1;

	test_client_hang_up(&f.client);
	test_web_turn(&f, 3);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)in, a.len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)in, &a.len), 0);
	f.server.g.stamped = fd_stamp(l, true);
	memset(&f.client, 0, sizeof(f.client));
	f.client.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(f.client.fd, (struct sockaddr *)in, a.len), 0);
	assert_int_equal(fcntl(f.client.fd, F_SETFL, O_NONBLOCK), 0);
	/* What it says is sent at once. */
	assert_int_equal(
	    setsockopt(f.client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)),
	    0);
	do
		fd = fd_accept(l, &peer.ss, &peer.len);
	while (fd < 0);
	test_server_open(&f.server, fd, &peer);
	close(l);
	return f.server.g.stamped;
}

struct late {
	uint64_t before, after; /* the end was sent */
	uint64_t came;		/* when the upload says that it came */
};

/* One of `bytes` bytes, each in a chunk of its own, which lie unread for a while
 * before the end comes. */
static struct late
put_late(size_t bytes)
{
	struct late t;
	char *text = test_malloc(bytes * 6 + 1);

	for (size_t i = 0; i < bytes; i++)
		memcpy(text + i * 6, "1\r\nx\r\n", 7);
	test_client_say(&f.client, "PUT /file/a HTTP/1.1\r\nHost: a\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n");
	test_web_turn(&f, 20);
	test_client_say(&f.client, text);
	usleep(LATE_MS * 1000);
	test_web_turn(&f, 50);
	t.before = clock_mono_ns();
	test_client_say(&f.client, "0\r\n\r\n");
	t.after = clock_mono_ns();
	test_web_await(&f, "\"bytes\":");
	t.came = memory_store_last_ns(f.store);
	f.client.len = 0;
	test_free(text);
	return t;
}

/* A client stops while its bytes lie unread, unless the buffers of the connection have
 * room for all of them, with their framing. */
static void
a_client_is_held_up_by_all_that_it_sends(void **state)
{
	const uint64_t slack = NS_PER_MS; /* two clocks are compared */
	struct late t;

	(void)state;
	if (!connect_stamped())
		skip();
	t = put_late(1000);
	assert_true(t.came + slack >= t.before);
	t = put_late(6000); /* 36 KB */
	assert_true(t.came + LATE_MS * NS_PER_MS / 2 < t.after);
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
	    TEST(a_client_is_held_up_by_all_that_it_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
