/*
 * PROXY lines, of both versions, whole and in pieces; what is none; and that not a byte
 * of what follows is taken.
 */
#include "net/proxy_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "http/proxied.h"
#include "set_clock.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(command, family, len) SIGNATURE command family len
#define TCP4 "\x11"
#define TCP6 "\x21"
#define FOUR "\xc0\x00\x02\x01\x0a\x00\x00\x01\xdc\x04\x01\xbb"
#define SIX                                                                    \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                           \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb"

#define TEXT(s) s, sizeof(s) - 1

/* `client`: NULL: it is bad; "own": the proxy's. */
static const struct {
	const char *bytes;
	size_t len;
	const char *client;
} rows[] = {
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n"), "192.0.2.1:56324"},
    {TEXT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	"255.255.255.255:65535"},
    {TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"), "[2001:db8::1]:1"},
    {TEXT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:10.0.0.1 1 2\r\n"),
	"192.0.2.1:1"},
    {TEXT("PROXY UNKNOWN\r\n"), "?"},
    {TEXT("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"),
	"?"},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 56324 0\r\n"), "192.0.2.1:56324"},
    {TEXT("PROXY\r\n"), NULL},
    {TEXT("PROXY \r\n"), NULL},
    {TEXT("PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY tcp4 192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n"), NULL},
    {TEXT("PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n"), NULL},
    {TEXT("PROXY TCP4 2001:db8::1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 x 1 2\r\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n"), NULL},
    {TEXT("PROXY TCP4 192.0.2.1 10.0.0.1 1 \0\r\n"), NULL},
    {TEXT("PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
	NULL},
    {TEXT("GET / HTTP/1.1\r\n\r\n"), NULL},
    {TEXT("\x16\x03\x01"), NULL},
    {TEXT(V2("\x21", TCP4, "\x00\x0c") FOUR), "192.0.2.1:56324"},
    {TEXT(V2("\x21", TCP6, "\x00\x24") SIX), "[2001:db8::1]:56324"},
    {TEXT(V2("\x21", TCP4, "\x00\x10") FOUR "\x04\0\x01\0"), "192.0.2.1:56324"},
    {TEXT(V2("\x21", TCP6, "\x00\x28") SIX "\x04\0\x01\0"),
	"[2001:db8::1]:56324"},
    {TEXT(V2("\x20", "\0", "\0\0")), "own"},
    {TEXT(V2("\x20", TCP4, "\x00\x0c") FOUR), "own"},
    {TEXT(V2("\x21", "\0", "\0\0")), "?"},
    {TEXT(V2("\x21", "\0", "\0\x02") "xx"), "?"},
    {TEXT(V2("\x21", "\x12", "\x00\x0c") FOUR), "?"},
    {TEXT(V2("\x21", TCP4, "\x00\x0b") "12345678901"), NULL},
    {TEXT(V2("\x21", TCP6, "\x00\x0c") FOUR), NULL},
    {TEXT(V2("\x11", TCP4, "\x00\x0c") FOUR), NULL},
    {TEXT(V2("\x22", TCP4, "\x00\x0c") FOUR), NULL},
    {TEXT("\r\n\r\n\0\r\nQUIT\r"), NULL},
};

static const char *
client_of(const struct proxy_protocol *p)
{
	static char text[ADDR_TEXT_MAX];
	struct addr a;

	if (p->status == PROXY_PROTOCOL_BAD)
		return NULL;
	if (p->status == PROXY_PROTOCOL_PART)
		return "part";
	if (!proxy_protocol_client(p, &a))
		return "own";
	addr_format(&a, text);
	return text;
}

static void
assert_client(size_t row, const char *is)
{
	const char *is_to_be = rows[row].client;

	if ((is == NULL) != (is_to_be == NULL) ||
	    (is != NULL && strcmp(is, is_to_be) != 0))
		fail_msg("row %zu: %s instead of %s", row, is ? is : "bad",
		    is_to_be ? is_to_be : "bad");
}

static void
each_line_tells_its_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_protocol p = {0};
		unsigned char bytes[200] = {0};
		size_t n;

		memcpy(bytes, rows[i].bytes, rows[i].len);
		memcpy(bytes + rows[i].len, "PUT /", 5);
		n = proxy_protocol_take(&p, bytes, rows[i].len + 5);
		assert_client(i, client_of(&p));
		if (p.status == PROXY_PROTOCOL_DONE)
			assert_int_equal(n, rows[i].len);
	}
}

static void
its_pieces_do_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t piece = 1; piece < 20; piece++) {
			struct proxy_protocol p = {0};
			size_t at = 0;

			while (at < rows[i].len &&
			       p.status == PROXY_PROTOCOL_PART) {
				size_t len = rows[i].len - at;

				assert_string_equal(client_of(&p), "part");
				at += proxy_protocol_take(&p,
				    (const unsigned char *)rows[i].bytes + at,
				    len < piece ? len : piece);
			}
			assert_client(i, client_of(&p));
		}
	}
}

/* More than 64 KiB cannot follow, whatever is in it. */
static void
what_is_not_known_is_passed_over(void **state)
{
	static unsigned char bytes[16 + 65535 + 1];
	struct proxy_protocol p = {0};
	size_t at = 0;

	(void)state;
	memcpy(bytes, V2("\x21", TCP4, "\xff\xff") FOUR, 28);
	while (p.status == PROXY_PROTOCOL_PART)
		at += proxy_protocol_take(
		    &p, bytes + at, at + 1000 < sizeof(bytes) ? 1000 : 537);
	assert_string_equal(client_of(&p), "192.0.2.1:56324");
	assert_int_equal(at, 16 + 65535);
}

/* ---- on a server ---- */

enum {
	CHUNK = 4096,
	TICK_NS = 10000000,
};

static struct fixture {
	struct test_loop l;
	struct test_server server;
	int fd; /* the proxy's end */
	char got[4096];
	char client[ADDR_TEXT_MAX]; /* of the last request */
} f;

static void
answer(struct exchange *x)
{
	struct response r = {.status = 204};

	addr_format(exchange_client(x), f.client);
	exchange_respond(x, &r);
}

static int
set_up(void **state)
{
	const char *why;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.fd = -1;
	test_loop_begin(&f.l, CHUNK, 16);
	test_server_begin(&f.server, &f.l, answer);
	return networks_add(
	    &f.server.conf.trusted_proxies, "10.0.0.0/8", true, &why);
}

static int
tear_down(void **state)
{
	(void)state;
	if (f.fd != -1)
		close(f.fd);
	proxied_drop(&f.server.g);
	connections_drop(&f.server.g);
	assert_true(list_is_empty(&f.server.g.proxied));
	assert_int_equal(atomic_load(&f.server.slot.connections), 0);
	networks_clear(&f.server.conf.trusted_proxies);
	test_loop_end(&f.l);
	return 0;
}

static void
let_turns_pass(unsigned turns)
{
	while (turns-- > 0) {
		test_loop_turn(&f.l, 1);
		set_clock_pass(TICK_NS);
	}
}

static void
connect_from(const char *text)
{
	const char *why;
	struct addr peer;
	int ends[2];

	assert_int_equal(addr_parse(text, &peer, &why), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
	f.fd = ends[1];
	proxied_open(&f.server.g, ends[0], &peer, &f.server.door);
}

static void
say(const char *text)
{
	assert_int_equal(
	    send(f.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	let_turns_pass(4);
}

/* What was heard; NULL: it is closed, and nothing was heard. */
static const char *
hear(void)
{
	ssize_t n = recv(f.fd, f.got, sizeof(f.got) - 1, 0);

	if (n == 0 || (n == -1 && errno == ECONNRESET))
		return NULL;
	f.got[n > 0 ? n : 0] = '\0';
	return f.got;
}

#define ASK "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void
a_request_behind_a_line_is_its_clients(void **state)
{
	(void)state;
	connect_from("10.0.0.1:1");
	assert_int_equal(atomic_load(&f.server.slot.connections), 1);
	say("PROXY TCP4 192.0.2.1 10.0.0.2 56324 443\r\n" ASK);
	assert_non_null(strstr(hear(), "204"));
	assert_string_equal(f.client, "192.0.2.1:56324");
	say(ASK);
	assert_non_null(strstr(hear(), "204"));
	assert_int_equal(atomic_load(&f.server.slot.connections), 1);
}

static void
a_line_may_come_in_pieces(void **state)
{
	(void)state;
	connect_from("10.0.0.1:1");
	say("PROXY TC");
	say("P4 192.0.2.1 10.0.0.2 56324 443");
	say("\r");
	assert_string_equal(hear(), "");
	say("\n" ASK);
	assert_non_null(strstr(hear(), "204"));
	assert_string_equal(f.client, "192.0.2.1:56324");
}

static void
a_stranger_is_closed(void **state)
{
	(void)state;
	connect_from("192.0.2.7:1");
	let_turns_pass(2);
	assert_null(hear());
	assert_int_equal(f.server.requests, 0);
	assert_int_equal(atomic_load(&f.server.slot.connections), 0);
}

static void
one_without_a_line_is_closed(void **state)
{
	(void)state;
	connect_from("10.0.0.1:1");
	say(ASK);
	assert_null(hear());
	assert_int_equal(f.server.requests, 0);
}

static void
a_line_that_is_late_is_not_waited_for(void **state)
{
	(void)state;
	connect_from("10.0.0.1:1");
	say("PROXY TCP4 ");
	let_turns_pass(5800);
	assert_string_equal(hear(), "");
	let_turns_pass(300);
	assert_null(hear());
}

static void
a_graceful_stop_gives_it_a_second(void **state)
{
	(void)state;
	connect_from("10.0.0.1:1");
	proxied_stop(&f.server.g);
	let_turns_pass(90);
	assert_string_equal(hear(), "");
	let_turns_pass(20);
	assert_null(hear());
}

int
main(void)
{
#define SERVER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_line_tells_its_client),
	    cmocka_unit_test(its_pieces_do_not_matter),
	    cmocka_unit_test(what_is_not_known_is_passed_over),
	    SERVER(a_request_behind_a_line_is_its_clients),
	    SERVER(a_line_may_come_in_pieces),
	    SERVER(a_stranger_is_closed),
	    SERVER(one_without_a_line_is_closed),
	    SERVER(a_line_that_is_late_is_not_waited_for),
	    SERVER(a_graceful_stop_gives_it_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
