/*
 * max_connections_per_ip: who is served, who is told that there are too many, and
 * who is closed; over all workers, and given back by each that leaves.
 */
#include "http/admission.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "set_clock.h"

enum {
	THINGS = 1000,
	MAX = 3,
	CHUNK = 4096,
	TURNS = 2000,
	TICK_NS = 10000000, /* an iteration of the loop */
	CROWD = 20000,	    /* addresses: more than there is room for */
};

static struct fixture {
	struct shm *shm;
	struct limits *limits;
	struct conf_server conf;
	struct admission a, other; /* of two workers */
	struct test_loop l;
	struct test_server server;
	struct test_client clients[4];
} f;

/* The admission of worker `owner`. */
static struct admission
admission_of(unsigned owner)
{
	struct limits_scope whole = {.limits = f.limits, .owner = owner};

	return (struct admission){
	    .conf = &f.conf,
	    .served = limits_scope(&whole, "served", 6),
	    .rejected = limits_scope(&whole, "rejected", 8),
	};
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.shm = shm_new(limits_size(THINGS));
	assert_non_null(f.shm);
	f.limits = limits_new(f.shm, THINGS);
	f.conf.max_connections_per_ip = MAX;
	f.a = admission_of(0);
	f.other = admission_of(1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(f.shm, sizeof(*f.shm) + limits_size(THINGS));
	return 0;
}

/* From that address, by whatever port. */
static struct addr
from(const char *text)
{
	static uint16_t port;
	struct addr a = {.len = sizeof(a.ss.in)};

	port++;
	if (strchr(text, ':') == NULL) {
		a.ss.in.sin_family = AF_INET;
		a.ss.in.sin_port = htons(port);
		assert_int_equal(
		    inet_pton(AF_INET, text, &a.ss.in.sin_addr), 1);
	} else {
		a.ss.in6.sin6_family = AF_INET6;
		a.ss.in6.sin6_port = htons(port);
		a.len = sizeof(a.ss.in6);
		assert_int_equal(
		    inet_pton(AF_INET6, text, &a.ss.in6.sin6_addr), 1);
	}
	return a;
}

static enum admission_answer
enter(const struct admission *a, const char *text, limits_entry *ret)
{
	struct addr peer = from(text);

	*ret = 99;
	return admission_enter(a, &peer, ret);
}

static bool
retry(const struct admission *a, const char *text, limits_entry *place)
{
	struct addr peer = from(text);

	return admission_retry(a, &peer, place);
}

static unsigned
count(const struct limits_scope *in, const char *text)
{
	struct addr peer = from(text);
	unsigned char network[8];
	size_t len = addr_network(&peer, network);

	return (unsigned)limits_count(in, network, len);
}

/* So many are served and so many rejected. */
static void
assert_counts(const char *text, unsigned served, unsigned rejected)
{
	assert_int_equal(count(&f.a.served, text), served);
	assert_int_equal(count(&f.a.rejected, text), rejected);
}

/* One after the other comes by this worker and by the other. */
static void
some_are_served_as_many_told_and_the_rest_closed(void **state)
{
	limits_entry places[2 * MAX], none;

	(void)state;
	for (unsigned i = 0; i < 2 * MAX; i++)
		assert_int_equal(
		    enter(i % 2 ? &f.a : &f.other, "192.0.2.1", &places[i]),
		    i < MAX ? ADMISSION_SERVED : ADMISSION_REJECTED);
	assert_counts("192.0.2.1", MAX, MAX);
	assert_int_equal(enter(&f.a, "192.0.2.1", &none), ADMISSION_CLOSED);
	assert_int_equal(none, 0);
	assert_int_equal(enter(&f.other, "192.0.2.1", &none), ADMISSION_CLOSED);
	assert_counts("192.0.2.1", MAX, MAX);
	/* Its neighbour has as many of its own. */
	assert_int_equal(enter(&f.a, "192.0.2.2", &none), ADMISSION_SERVED);
	assert_counts("192.0.2.2", 1, 0);
	for (unsigned i = 0; i < 2 * MAX; i++) {
		admission_leave(i % 2 ? &f.a : &f.other, &places[i]);
		assert_int_equal(places[i], 0);
	}
	assert_counts("192.0.2.1", 0, 0);
}

static void
a_place_is_given_back(void **state)
{
	limits_entry places[2 * MAX], more;

	(void)state;
	for (unsigned i = 0; i < 2 * MAX; i++)
		(void)!enter(&f.a, "192.0.2.1", &places[i]);
	/* Of one that was rejected: another is. */
	admission_leave(&f.a, &places[MAX]);
	assert_counts("192.0.2.1", MAX, MAX - 1);
	assert_int_equal(
	    enter(&f.other, "192.0.2.1", &more), ADMISSION_REJECTED);
	admission_leave(&f.other, &more);
	/* Of one that was served, once: another is. */
	admission_leave(&f.a, &places[0]);
	admission_leave(&f.a, &places[0]);
	assert_counts("192.0.2.1", MAX - 1, MAX - 1);
	assert_int_equal(enter(&f.other, "192.0.2.1", &more), ADMISSION_SERVED);
	assert_counts("192.0.2.1", MAX, MAX - 1);
}

static void
one_that_was_rejected_is_served_when_another_has_left(void **state)
{
	limits_entry places[MAX], late, later;

	(void)state;
	for (unsigned i = 0; i < MAX; i++)
		(void)!enter(&f.a, "192.0.2.1", &places[i]);
	assert_int_equal(
	    enter(&f.other, "192.0.2.1", &late), ADMISSION_REJECTED);
	assert_int_equal(
	    enter(&f.other, "192.0.2.1", &later), ADMISSION_REJECTED);
	assert_false(retry(&f.other, "192.0.2.1", &late));
	assert_int_not_equal(late, 0);
	assert_counts("192.0.2.1", MAX, 2);
	admission_leave(&f.a, &places[0]); /* in another worker */
	assert_true(retry(&f.other, "192.0.2.1", &late));
	assert_counts("192.0.2.1", MAX, 1);
	assert_false(retry(&f.other, "192.0.2.1", &later));
	/* And its place is one of those that are served. */
	admission_leave(&f.other, &late);
	assert_counts("192.0.2.1", MAX - 1, 1);
}

/* A client has a whole network of them. */
static void
ipv6_is_counted_by_its_first_64_bits(void **state)
{
	limits_entry place;

	(void)state;
	f.conf.max_connections_per_ip = 1;
	assert_int_equal(
	    enter(&f.a, "2001:db8:0:1::1", &place), ADMISSION_SERVED);
	assert_int_equal(
	    enter(&f.a, "2001:db8:0:1:ffff:ffff:ffff:ffff", &place),
	    ADMISSION_REJECTED);
	assert_int_equal(
	    enter(&f.a, "2001:db8:0:1::2", &place), ADMISSION_CLOSED);
	assert_int_equal(
	    enter(&f.a, "2001:db8:0:2::1", &place), ADMISSION_SERVED);
}

/* As a socket for both says it. */
static void
ipv4_within_ipv6_is_ipv4(void **state)
{
	limits_entry place;

	(void)state;
	f.conf.max_connections_per_ip = 1;
	assert_int_equal(enter(&f.a, "192.0.2.1", &place), ADMISSION_SERVED);
	assert_int_equal(
	    enter(&f.a, "::ffff:192.0.2.1", &place), ADMISSION_REJECTED);
	assert_int_equal(
	    enter(&f.a, "::ffff:192.0.2.2", &place), ADMISSION_SERVED);
}

/* A proxy is behind it, and behind that many clients. */
static void
unix_sockets_are_not_counted(void **state)
{
	struct addr peer = {
	    .ss.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};
	limits_entry place = 99;

	(void)state;
	for (unsigned i = 0; i < 3 * MAX; i++) {
		assert_int_equal(
		    admission_enter(&f.a, &peer, &place), ADMISSION_SERVED);
		assert_int_equal(place, 0);
	}
	admission_leave(&f.a, &place); /* nothing */
}

static void
zero_is_no_limit(void **state)
{
	limits_entry place;

	(void)state;
	f.conf.max_connections_per_ip = 0;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(
		    enter(&f.a, "192.0.2.1", &place), ADMISSION_SERVED);
		assert_int_equal(place, 0);
	}
	assert_counts("192.0.2.1", 0, 0);
}

/* More addresses than can be counted: what is not counted is served. */
static void
one_that_cannot_be_counted_is_served(void **state)
{
	unsigned not_counted = 0;

	(void)state;
	for (unsigned i = 0; i < CROWD; i++) {
		struct addr peer = from("10.0.0.0");
		limits_entry place;

		peer.ss.in.sin_addr.s_addr = htonl(0x0a000000U + i);
		assert_int_equal(
		    admission_enter(&f.a, &peer, &place), ADMISSION_SERVED);
		not_counted += place == 0;
	}
	assert_in_range(not_counted, 1, CROWD - THINGS);
}

/* ---- connections ---- */

static struct exchange *held; /* is answered later */

static enum outcome
forget_held(void *owner)
{
	(void)owner;
	held = NULL;
	return OUTCOME_STOPPED;
}

static void
answer(struct exchange *x)
{
	static const struct exchange_ops ops = {.on_gone = forget_held};
	struct response r = {.status = 204};

	if (exchange_head(x)->path.len == strlen("/hold")) {
		held = x;
		exchange_drop_head(x);
		exchange_take(x, &ops, NULL);
		return;
	}
	exchange_respond(x, &r);
}

static int
set_up_server(void **state)
{
	set_up(state);
	test_loop_begin(&f.l, CHUNK, 16);
	test_server_begin(&f.server, &f.l, answer);
	f.server.conf.max_connections_per_ip = 1;
	f.server.g.admission.served = f.a.served;
	f.server.g.admission.rejected = f.a.rejected;
	for (size_t i = 0; i < COUNT_OF(f.clients); i++)
		f.clients[i].fd = -1;
	return 0;
}

static int
tear_down_server(void **state)
{
	for (size_t i = 0; i < COUNT_OF(f.clients); i++)
		test_client_hang_up(&f.clients[i]);
	test_server_end(&f.server);
	assert_counts("192.0.2.1", 0, 0);
	test_loop_end(&f.l);
	return tear_down(state);
}

static void
connect_from(unsigned i, const char *text)
{
	struct addr peer = from(text);

	test_client_connect_from(&f.clients[i], &f.server, &peer);
}

static void
let_time_pass(unsigned turns)
{
	while (turns-- > 0) {
		test_loop_turn(&f.l, 1);
		for (size_t i = 0; i < COUNT_OF(f.clients); i++)
			test_client_hear(&f.clients[i]);
		set_clock_pass(TICK_NS);
	}
}

static void
ask(unsigned i)
{
	test_client_say(&f.clients[i], "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void
await_answer(unsigned i, const char *status)
{
	for (int n = 0; n < TURNS && f.clients[i].len == 0; n++)
		let_time_pass(1);
	assert_true(test_client_has_heard(&f.clients[i], status));
}

static void
connections_are_served_told_or_closed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		connect_from(i, "192.0.2.1");
	connect_from(3, "192.0.2.2");
	assert_counts("192.0.2.1", 1, 1);
	for (unsigned i = 0; i < 4; i++)
		if (i != 2)
			ask(i);
	await_answer(0, "HTTP/1.1 204 ");
	await_answer(1, "HTTP/1.1 503 ");
	assert_true(
	    test_client_has_heard(&f.clients[1], "max_connections_per_ip"));
	await_answer(3, "HTTP/1.1 204 ");
	let_time_pass(1);
	assert_int_equal(f.clients[2].len, 0);
	assert_true(f.clients[2].ended);
	assert_int_equal(f.server.requests, 2);
	assert_false(f.clients[0].ended);
}

/* It is not read for a moment, in which the one before it may leave. */
static void
a_connection_is_served_when_another_closes(void **state)
{
	(void)state;
	connect_from(0, "192.0.2.1");
	connect_from(1, "192.0.2.1");
	ask(1);
	let_time_pass(3);
	assert_int_equal(f.clients[1].len, 0);
	test_client_hang_up(&f.clients[0]);
	await_answer(1, "HTTP/1.1 204 ");
	assert_counts("192.0.2.1", 1, 0);
	/* It has the place of one that is served, for good. */
	ask(1);
	f.clients[1].len = 0;
	await_answer(1, "HTTP/1.1 204 ");
	test_client_hang_up(&f.clients[1]);
	let_time_pass(3);
	assert_counts("192.0.2.1", 0, 0);
}

/* `client`, by the proxy to which connection `i` belongs, asks for `path`. */
static void
pass_on(unsigned i, const char *client, const char *path)
{
	char text[200];

	f.clients[i].len = 0;
	snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: %s\r\n\r\n", path,
	    client);
	test_client_say(&f.clients[i], text);
	let_time_pass(3);
}

/* The proxy's connections are many; what counts are its clients' requests. */
static void
behind_a_proxy_requests_are_counted(void **state)
{
	struct response r = {.status = 204};
	const char *why;

	(void)state;
	assert_int_equal(networks_add(&f.server.conf.trusted_proxies,
			     "10.0.0.1", true, &why),
	    0);
	f.server.conf.real_ip_header = REAL_IP_X_FORWARDED_FOR;
	for (unsigned i = 0; i < 4; i++)
		connect_from(i, "10.0.0.1");
	assert_counts("10.0.0.1", 0, 0);
	pass_on(0, "192.0.2.1", "/hold");
	assert_counts("192.0.2.1", 1, 0);
	pass_on(1, "192.0.2.1", "/");
	await_answer(1, "HTTP/1.1 503 ");
	pass_on(2, "192.0.2.2", "/");
	await_answer(2, "HTTP/1.1 204 ");
	assert_counts("192.0.2.1", 1, 0);
	exchange_respond(held, &r);
	let_time_pass(3);
	assert_counts("192.0.2.1", 0, 0);
	pass_on(3, "192.0.2.1", "/");
	await_answer(3, "HTTP/1.1 204 ");
	assert_counts("192.0.2.1", 0, 0);
	networks_clear(&f.server.conf.trusted_proxies);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SERVER(name)                                                           \
	cmocka_unit_test_setup_teardown(name, set_up_server, tear_down_server)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(some_are_served_as_many_told_and_the_rest_closed),
	    TEST(a_place_is_given_back),
	    TEST(one_that_was_rejected_is_served_when_another_has_left),
	    TEST(ipv6_is_counted_by_its_first_64_bits),
	    TEST(ipv4_within_ipv6_is_ipv4),
	    TEST(unix_sockets_are_not_counted),
	    TEST(zero_is_no_limit),
	    TEST(one_that_cannot_be_counted_is_served),
	    SERVER(connections_are_served_told_or_closed),
	    SERVER(behind_a_proxy_requests_are_counted),
	    SERVER(a_connection_is_served_when_another_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
