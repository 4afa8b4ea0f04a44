/*
 * Connections that speak TLS: what holds for plain ones holds for them, from the
 * handshake to the end.
 */
#include "http/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/conn_internal.h"
#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/tls.h"
#include "lib/web.h"
#include "net/tls.h"
#include "shared/ticket_keys.h"

enum {
	TURNS = 5000,
};

static char dir[128];
static struct test_certificate ours, other, ca, ann;

static struct fixture {
	struct test_web w;
	struct test_server second;
	struct ticket_keys *keys;
	struct tls_context *contexts[2];
	struct tls_site sites[2];
	struct tls_port port;
	struct test_tls c;
	const char *client; /* what exchange_client_name() has said */
} f;

static const struct addr peer = {
    .ss.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};

static struct tls_context *
make_context(const struct test_certificate *cert)
{
	struct tls_context *c = tls_context_new();
	struct tls_fault fault;
	struct tls_pair pair;

	assert_non_null(c);
	assert_int_equal(
	    tls_context_add_pair(c, cert->cert, cert->key, &pair, &fault), 0);
	tls_context_resume(c, f.keys, "x", 1);
	return c;
}

static void
second_on_request(struct exchange *x)
{
	struct response r = {.status = 204};

	f.client = exchange_client_name(x);
	if (f.client != NULL)
		f.client = strcmp(f.client, "CN=ann") == 0 ? "ann" : "?";
	exchange_respond(x, &r);
}

static int
set_up(void **state)
{
	static char *const names[] = {(char *)(uintptr_t) "second.example"};

	(void)state;
	memset(&f, 0, sizeof(f));
	test_web_begin(&f.w);
	test_server_begin(&f.second, &f.w.l, second_on_request);
	f.keys = ticket_keys_new(shm_new(ticket_keys_size()));
	f.contexts[0] = make_context(&ours);
	f.contexts[1] = make_context(&other);
	f.sites[0] =
	    (struct tls_site){.context = f.contexts[0], .owner = &f.w.server.g};
	f.sites[1] = (struct tls_site){.context = f.contexts[1],
	    .owner = &f.second.g,
	    .names = names,
	    .name_count = 1};
	f.port = (struct tls_port){.sites = f.sites, .count = 2};
	f.w.server.door.tls = &f.port;
	f.c.fd = -1;
	return 0;
}

static void
hang_up(void)
{
	if (f.c.ssl != NULL)
		test_tls_end(&f.c);
	SSL_SESSION_free(f.c.session);
	f.c.session = NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	hang_up();
	test_server_end(&f.second);
	test_web_end(&f.w);
	tls_context_free(&f.contexts[0]);
	tls_context_free(&f.contexts[1]);
	return 0;
}

/* Without a byte of the client's yet. */
static void
connect_it(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	test_server_open(&f.w.server, ends[0], &peer);
	test_tls_begin(&f.c, ends[1], NULL);
}

static void
turn(unsigned n)
{
	while (n-- > 0) {
		(void)test_tls_push(&f.c, 4096);
		test_loop_turn(&f.w.l, 1);
		test_tls_hear(&f.c, 4096);
	}
}

static void
connect_well(void)
{
	connect_it();
	turn(20);
	assert_true(test_tls_is_ready(&f.c));
}

static void
say(const char *text)
{
	test_tls_say(&f.c, text, strlen(text));
}

static void
await(const char *text)
{
	for (int i = 0; i < TURNS && strstr(f.c.got, text) == NULL; i++)
		turn(1);
	if (strstr(f.c.got, text) == NULL)
		fail_msg("not heard: %s, but: %s", text, f.c.got);
}

static void
forget(void)
{
	f.c.len = 0;
	f.c.got[0] = '\0';
}

static bool
has_ended(void)
{
	turn(1);
	return f.c.ended;
}

static void
await_end(void)
{
	assert_true(test_loop_await(&f.w.l, has_ended, 30));
}

/* ---- requests ---- */

static void
put(const char *name, size_t length, size_t body)
{
	char head[200];

	snprintf(head, sizeof(head),
	    "PUT /file/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
	    name, length);
	say(head);
	if (body > 0)
		test_tls_say(&f.c, f.w.body, body);
}

static void
an_upload_is_stored_and_read_back(void **state)
{
	const char *begin;
	const void *got;
	size_t len;

	(void)state;
	connect_well();
	put("a", TEST_WEB_LARGE, TEST_WEB_LARGE);
	await("HTTP/1.1 201 ");
	got = memory_store_find(f.w.store, "a", &len);
	assert_non_null(got);
	assert_int_equal(len, TEST_WEB_LARGE);
	assert_memory_equal(got, f.w.body, len);
	turn(5);
	forget();
	say("GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n");
	await("\r\n\r\n");
	begin = strstr(f.c.got, "\r\n\r\n") + 4;
	for (int i = 0; i < TURNS && strlen(begin) < TEST_WEB_LARGE; i++)
		turn(1);
	assert_string_equal(begin, f.w.body);
}

/* They lie inside while the descriptor is silent. */
static void
requests_in_one_record_are_all_answered(void **state)
{
	(void)state;
	connect_well();
	say("PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
	    "PUT /file/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
	    "GET /file/b HTTP/1.1\r\nHost: x\r\n\r\n");
	await("hello");
	assert_int_equal(memory_store_count(f.w.store), 2);
}

/* The head, then nothing for a while, then bytes: of records that came together. */
static void
a_head_and_its_body_in_records_of_one_receive(void **state)
{
	(void)state;
	connect_well();
	put("a", 10, 0);
	test_tls_say(&f.c, "01234", 5);
	test_tls_say(&f.c, "56789", 5);
	await("HTTP/1.1 201 ");
}

/* It says why, and ends, though the client goes on sending. */
static void
an_early_answer_arrives_with_the_end_behind_it(void **state)
{
	(void)state;
	f.w.location.policy.overwrite = false;
	connect_well();
	put("a", 5, 5);
	await("HTTP/1.1 201 ");
	turn(5);
	forget();
	put("a", 1000000, 4000);
	await("HTTP/1.1 409 ");
	await_end();
	for (int i = 0; i < 20; i++) {
		test_tls_say(&f.c, f.w.body, 4000);
		turn(2);
		assert_false(list_is_empty(&f.w.server.g.conns));
	}
	assert_false(f.c.broke);
}

/* Its disk fails half way: the client must not take what it has for the file. */
static void
a_download_that_is_cut_has_no_close_notify(void **state)
{
	(void)state;
	connect_well();
	put("a", TEST_WEB_LARGE, TEST_WEB_LARGE);
	await("HTTP/1.1 201 ");
	turn(5);
	forget();
	test_web_plan(&f.w)->why[MEMORY_READ] = failure_of_errno(-EIO);
	test_web_plan(&f.w)->spared[MEMORY_READ] = 2;
	say("GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n");
	await("HTTP/1.1 200 ");
	for (int i = 0; i < TURNS; i++)
		turn(1);
	assert_true(strlen(f.c.got) < TEST_WEB_LARGE);
	assert_false(f.c.ended);
}

/* Behind the last byte of the request, with close_notify or without. */
static void
a_client_that_sends_no_more_is_answered(void **state)
{
	(void)state;
	connect_well();
	put("a", 5, 5);
	test_tls_say_end(&f.c);
	await("HTTP/1.1 201 ");
	hang_up();
	forget();
	connect_well();
	put("b", 5, 5);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	shutdown(f.c.fd, SHUT_WR);
	await("HTTP/1.1 201 ");
}

/* ---- what is no TLS ---- */

static void
await_plain(const char *text, char *got, size_t size)
{
	size_t len = 0;

	got[0] = '\0';
	for (int i = 0; i < TURNS && strstr(got, text) == NULL; i++) {
		ssize_t n;

		test_loop_turn(&f.w.l, 1);
		n = recv(f.c.fd, got + len, size - 1 - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
		got[len] = '\0';
	}
	if (strstr(got, text) == NULL)
		fail_msg("not heard: %s, but: %s", text, got);
}

static void
plain_requests_are_told_to_use_https(void **state)
{
	static const char *const rows[] = {
	    "GET /file/a HTTP/1.1\r\nHost: x\r\n\r\n",
	    "PATCH /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123",
	    "MKCOL /file/a HTTP/1.1\r\n\r\n",
	    "PUT /file/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
	    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	    "\x01\x02\x03 nonsense\r\n\r\n",
	};
	char got[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_it();
		test_loop_turn(&f.w.l, 2);
		assert_true(send(f.c.fd, rows[i], strlen(rows[i]), 0) > 0);
		await_plain("use https://", got, sizeof(got));
		assert_non_null(strstr(got, "HTTP/1.1 400 "));
		assert_non_null(strstr(got, "Connection: close"));
		hang_up();
		test_loop_turn(&f.w.l, 5);
	}
	assert_int_equal(memory_store_count(f.w.store), 0);
}

/* ---- handshakes ---- */

static bool
no_connection(void)
{
	return list_is_empty(&f.w.server.g.conns);
}

/* Silent, or half way. */
static void
a_handshake_has_its_time(void **state)
{
	(void)state;
	test_client_hang_up(&f.w.client);
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
	f.w.server.conf.handshake_timeout_s = 0.02;
	connect_it();
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
	hang_up();
	connect_it();
	assert_int_equal(test_tls_push(&f.c, 100), 100);
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
}

enum {
	CROWD = 20,
};

static struct test_tls crowd[CROWD];

/* Clients whose hellos are all here. */
static void
open_crowd(void)
{
	int ends[2];

	memset(crowd, 0, sizeof(crowd));
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
		test_server_open(&f.w.server, ends[0], &peer);
		test_tls_begin(&crowd[i], ends[1], NULL);
		while (test_tls_push(&crowd[i], 4096) > 0)
			;
	}
}

/* How many of them have been answered; one that was hung up on has not. */
static int
count_answered(void)
{
	int answered = 0;
	char c;

	for (int i = 0; i < CROWD; i++)
		answered +=
		    recv(crowd[i].fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	return answered;
}

static void
close_crowd(void)
{
	for (int i = 0; i < CROWD; i++)
		test_tls_end(&crowd[i]);
	test_loop_turn(&f.w.l, CROWD + 5);
}

/* Other clients are not to wait for all of them. */
static void
handshakes_come_one_in_each_iteration(void **state)
{
	(void)state;
	open_crowd();
	for (int n = 1; n <= CROWD; n++) {
		test_loop_turn(&f.w.l, 1);
		assert_true(count_answered() <= n);
	}
	assert_true(count_answered() >= CROWD - 1);
	close_crowd();
}

/* What holds it up is other clients' handshakes, and what else this worker does. */
static void
a_handshake_that_waits_for_its_turn_is_not_late(void **state)
{
	(void)state;
	test_client_hang_up(&f.w.client);
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
	f.w.server.conf.handshake_timeout_s = 0.05;
	open_crowd();
	for (int n = 0; n < CROWD + 5; n++) {
		test_loop_turn(&f.w.l, 1);
		usleep(5000);
	}
	assert_int_equal(count_answered(), CROWD);
	/* But for the rest each has what time it has left. */
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
	/* Late as a whole, so that no byte was read in time. */
	close_crowd();
	open_crowd();
	usleep(60000);
	for (int n = 0; n < CROWD + 5; n++) {
		test_loop_turn(&f.w.l, 1);
		usleep(5000);
	}
	assert_int_equal(count_answered(), CROWD);
	close_crowd();
}

/* And what it asks for is its next request's. */
static void
the_time_of_the_head_begins_after_the_handshake(void **state)
{
	(void)state;
	f.w.server.conf.handshake_timeout_s = 60;
	f.w.server.conf.header_timeout_s = 0.02;
	connect_well();
	await_end();
}

static struct pollfd
end_of_client(void)
{
	return (struct pollfd){.fd = f.c.fd, .events = POLLIN};
}

/* The alert is there, and the connection is not reset. */
static void
a_handshake_that_fails_ends_with_its_alert(void **state)
{
	struct pollfd p;

	(void)state;
	assert_int_equal(tls_context_set_versions(f.contexts[0], TLS_V1_3), 0);
	f.c.newest = TLS1_2_VERSION;
	connect_it();
	turn(10);
	assert_true(f.c.broke);
	assert_int_equal(send(f.c.fd, "more", 4, MSG_NOSIGNAL), 4);
	turn(5);
	p = end_of_client();
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_false(p.revents & POLLERR);
}

/* ---- server blocks ---- */

static void
the_name_leads_to_its_server_block(void **state)
{
	(void)state;
	f.c.name = "second.example";
	connect_well();
	assert_int_equal(list_length(&f.second.g.conns), 1);
	f.w.server.opened--;
	f.second.opened++;
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	await("HTTP/1.1 204 ");
	assert_int_equal(f.second.requests, 1);
	assert_int_equal(f.w.server.requests, 0);
	assert_null(f.client);
}

/* A client that does not ask for the name, such as a proxy that was not told to. */
static void
a_request_for_another_block_is_misdirected(void **state)
{
	static const char *const rows[] = {
	    "PUT /file/a HTTP/1.1\r\nHost: Second.Example:443\r\n"
	    "Content-Length: 5\r\n\r\nhello",
	    "PUT https://second.example/file/a HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 5\r\n\r\nhello",
	    "GET /file/a HTTP/1.1\r\nHost: second.example\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_well();
		say(rows[i]);
		await("HTTP/1.1 421 ");
		await("SNI");
		await_end();
		hang_up();
		test_loop_turn(&f.w.l, 5);
		forget();
	}
	assert_int_equal(memory_store_count(f.w.store), 0);
	assert_int_equal(f.second.requests, 0);
}

static void
ask_with(const struct test_certificate *own, enum tls_verify how)
{
	struct tls_fault fault;

	assert_int_equal(
	    tls_context_verify(f.contexts[1], how, ca.cert, &fault), 0);
	tls_context_resume(f.contexts[1], f.keys, "x", 1);
	f.c.own = own;
	f.c.name = "second.example";
	connect_well();
	f.w.server.opened--;
	f.second.opened++;
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void
a_client_certificate_names_the_client(void **state)
{
	(void)state;
	ask_with(&ann, TLS_VERIFY_ON);
	await("HTTP/1.1 204 ");
	assert_string_equal(f.client, "ann");
}

static void
without_one_a_request_is_refused_in_words(void **state)
{
	(void)state;
	ask_with(NULL, TLS_VERIFY_ON);
	await("none came");
	assert_non_null(strstr(f.c.got, "HTTP/1.1 400 "));
	await_end();
	assert_int_equal(f.second.requests, 0);
}

static void
a_bad_one_is_refused_also_where_none_is_needed(void **state)
{
	(void)state;
	ask_with(&other, TLS_VERIFY_OPTIONAL);
	await("not accepted here");
	assert_non_null(strstr(f.c.got, "HTTP/1.1 400 "));
	assert_int_equal(f.second.requests, 0);
}

/* ---- stopping ---- */

static void
a_stop_closes_silent_ones_and_lets_handshakes_end(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	test_server_open(&f.w.server, ends[0], &peer); /* never says a word */
	connect_it();
	assert_int_equal(test_tls_push(&f.c, 100), 100);
	turn(2);
	connections_stop(&f.w.server.g);
	connections_stop(&f.second.g);
	turn(20);
	assert_true(test_tls_is_ready(&f.c));
	put("a", 5, 5);
	await("HTTP/1.1 201 ");
	assert_non_null(strstr(f.c.got, "Connection: close"));
	hang_up();
	assert_true(test_loop_await(&f.w.l, no_connection, 30));
	close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_upload_is_stored_and_read_back),
	    TEST(requests_in_one_record_are_all_answered),
	    TEST(a_head_and_its_body_in_records_of_one_receive),
	    TEST(an_early_answer_arrives_with_the_end_behind_it),
	    TEST(a_download_that_is_cut_has_no_close_notify),
	    TEST(a_client_that_sends_no_more_is_answered),
	    TEST(plain_requests_are_told_to_use_https),
	    TEST(a_handshake_has_its_time),
	    TEST(handshakes_come_one_in_each_iteration),
	    TEST(a_handshake_that_waits_for_its_turn_is_not_late),
	    TEST(the_time_of_the_head_begins_after_the_handshake),
	    TEST(a_handshake_that_fails_ends_with_its_alert),
	    TEST(the_name_leads_to_its_server_block),
	    TEST(a_request_for_another_block_is_misdirected),
	    TEST(a_client_certificate_names_the_client),
	    TEST(without_one_a_request_is_refused_in_words),
	    TEST(a_bad_one_is_refused_also_where_none_is_needed),
	    TEST(a_stop_closes_silent_ones_and_lets_handshakes_end),
	};
	int failed;

	test_directory_make("test_tls_conn", dir, sizeof(dir));
	test_certificate_make(
	    dir, &(struct test_certificate_plan){.name = "ours"}, &ours);
	test_certificate_make(
	    dir, &(struct test_certificate_plan){.name = "other"}, &other);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ca", .authority = true},
	    &ca);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ann", .issuer = &ca},
	    &ann);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)test_directory_remove(dir);
	return failed;
}
