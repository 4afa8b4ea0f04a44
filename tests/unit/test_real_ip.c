/*
 * Whose request it is, by what a proxy says, and by what others only claim.
 */
#include "http/real_ip.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "lib/cmocka_with.h"
#include "set_clock.h"

static struct config *conf;

static int
set_up(void **state)
{
	static const char text[] =
	    "server { listen 1; location /f { }"
	    "  trusted_proxies 10.0.0.0/8 ::1 unix:;"
	    "  real_ip_header X-Forwarded-For; }"
	    "server { listen 2; location /f { } trusted_proxies 10.0.0.0/8;"
	    "  real_ip_header Forwarded; }"
	    "server { listen 3; location /f { } trusted_proxies 10.0.0.0/8;"
	    "  real_ip_header X-Real-IP; }"
	    "server { listen 4; location /f { } trusted_proxies 10.0.0.0/8; }"
	    "server { listen 5; location /f { } }";
	struct str errors = {0};

	(void)state;
	if (config_parse_text("t", text, strlen(text), &errors, &conf) < 0)
		fail_msg("%s", errors.s);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	config_free(&conf);
	return 0;
}

/* The client of a request with these field lines, as the access log has it. */
static const char *
client_of(unsigned server, const char *peer, const char *fields)
{
	static char text[ADDR_TEXT_MAX];
	static char buf[8192];
	const char *why = NULL;
	struct addr at, client;
	struct head h = {0};
	int len;

	assert_int_equal(addr_parse(peer, &at, &why), 0);
	len = snprintf(
	    buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
	if (head_parse(buf, (size_t)len, &h, &why) != 0)
		fail_msg("%s: %s", fields, why);
	if (!real_ip_find(&conf->servers[server], &h, &at, &client))
		return "peer";
	addr_format(&client, text);
	return text;
}

#define PROXY "10.1.1.1:1"
#define XFF(text) "X-Forwarded-For: " text "\r\n"
#define FWD(text) "Forwarded: " text "\r\n"

/* clang-format off */
static const struct {
	unsigned server;
	const char *peer, *fields, *client;
} rows[] = {
	/* Strangers are not believed. */
	{ 0, "192.0.2.1:1", XFF("10.0.0.1"), "peer" },
	{ 0, "11.0.0.1:1", XFF("10.0.0.1"), "peer" },
	{ 4, PROXY, XFF("192.0.2.9"), "peer" },
	{ 3, PROXY, XFF("192.0.2.9"), "peer" },
	/* Proxies are. */
	{ 0, PROXY, XFF("192.0.2.9"), "192.0.2.9" },
	{ 0, "unix:/x", XFF("192.0.2.9"), "192.0.2.9" },
	{ 0, "[::ffff:10.0.0.1]:1", XFF("192.0.2.9"), "192.0.2.9" },
	{ 0, "[::1]:1", XFF("2001:db8::1"), "[2001:db8::1]" },
	{ 0, PROXY, XFF("192.0.2.9:88"), "192.0.2.9:88" },
	{ 0, PROXY, XFF("[2001:db8::1]:88"), "[2001:db8::1]:88" },
	{ 0, PROXY, XFF("[2001:db8::1]"), "[2001:db8::1]" },
	{ 0, PROXY, XFF("::ffff:192.0.2.9"), "192.0.2.9" },
	/* The last that is no proxy. */
	{ 0, PROXY, XFF("1.1.1.1, 192.0.2.9"), "192.0.2.9" },
	{ 0, PROXY, XFF("1.1.1.1, 192.0.2.9, 10.0.0.3"), "192.0.2.9" },
	{ 0, PROXY, XFF("1.1.1.1") XFF("192.0.2.9,10.0.0.3"), "192.0.2.9" },
	{ 0, PROXY, XFF("192.0.2.9") XFF("10.0.0.3"), "192.0.2.9" },
	{ 0, PROXY, XFF("10.0.0.4, 10.0.0.3"), "10.0.0.4" },
	{ 0, PROXY, XFF("10.0.0.4 ,, 192.0.2.9 ,"), "192.0.2.9" },
	{ 0, PROXY, XFF("1.1.1.1") XFF("1.1.1.2") XFF("1.1.1.3")
	  XFF("1.1.1.4") XFF("1.1.1.5") XFF("1.1.1.6") XFF("1.1.1.7")
	  XFF("1.1.1.8") XFF("192.0.2.9"), "192.0.2.9" },
	/* It says nothing: who has asked it is not known. */
	{ 0, PROXY, "", "?" },
	{ 0, "unix:/x", "", "?" },
	{ 0, PROXY, XFF(","), "?" },
	{ 1, PROXY, "", "?" },
	{ 1, PROXY, FWD(","), "?" },
	{ 2, PROXY, "", "?" },
	{ 0, "192.0.2.1:1", "", "peer" },
	{ 3, PROXY, "", "peer" },
	{ 4, PROXY, "", "peer" },
	/* What it says is not known, or is nonsense. */
	{ 0, PROXY, XFF("unknown"), "?" },
	{ 0, PROXY, XFF("10.0.0.4, unknown"), "?" },
	{ 0, PROXY, XFF("unknown, 192.0.2.9"), "192.0.2.9" },
	{ 0, PROXY, XFF("192.0.2.9 10.0.0.1"), "?" },
	{ 0, PROXY, XFF("192.0.2.9.1"), "?" },
	{ 0, PROXY, XFF("[2001:db8::1"), "?" },
	{ 0, PROXY, XFF("[2001:db8::1]x"), "?" },
	{ 0, PROXY, XFF("1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:"
	  "1111:1111:1111:1111:1111:1111"), "?" },
	{ 0, PROXY, XFF("unix:"), "?" },
	/* Another field than the one that counts. */
	{ 0, PROXY, "X-Real-IP: 192.0.2.9\r\n" FWD("for=192.0.2.9"), "?" },
	/* Forwarded */
	{ 1, PROXY, FWD("for=192.0.2.9"), "192.0.2.9" },
	{ 1, PROXY, FWD("For=192.0.2.9;proto=http;by=203.0.113.43"),
	  "192.0.2.9" },
	{ 1, PROXY, FWD("proto=https ; for=\"[2001:db8::1]:4711\""),
	  "[2001:db8::1]:4711" },
	{ 1, PROXY, FWD("for=1.1.1.1, for=192.0.2.9, for=10.0.0.3"),
	  "192.0.2.9" },
	{ 1, PROXY, FWD("for=1.1.1.1") FWD("for=\"192.0.2.9:_x\""),
	  "192.0.2.9" },
	{ 1, PROXY, FWD(",for=192.0.2.9, ,"), "192.0.2.9" },
	{ 1, PROXY, FWD("for=192.0.2.9, proto=https"), "?" },
	{ 1, PROXY, FWD("for=192.0.2.9, for=_hidden"), "?" },
	{ 1, PROXY, FWD("for=192.0.2.9, for=unknown"), "?" },
	{ 1, PROXY, FWD("192.0.2.9"), "?" },
	{ 1, PROXY, FWD("for="), "?" },
	{ 1, PROXY, FWD("for=192.0.2.9;"), "192.0.2.9" },
	{ 1, PROXY, FWD("for=192.0.2.9 for=10.0.0.1"), "?" },
	/* A quote that a client has opened swallows no proxy's address. */
	{ 1, PROXY, FWD("for=1.1.1.1;x=\", for=192.0.2.9"), "?" },
	{ 1, PROXY, FWD("for=1.1.1.1;x=\", for=\"[2001:db8::1]:1\""), "?" },
	{ 1, PROXY, FWD("for=1.1.1.1;x=\"\\\", for=192.0.2.9"), "?" },
	{ 1, PROXY, FWD("for=1.1.1.1;x=\"") FWD("for=192.0.2.9"),
	  "192.0.2.9" },
	/* X-Real-IP */
	{ 2, PROXY, "X-Real-IP: 192.0.2.9\r\n", "192.0.2.9" },
	{ 2, PROXY, "X-Real-IP: 1.1.1.1\r\nX-Real-IP: 192.0.2.9\r\n", "?" },
	{ 2, PROXY, "X-Real-IP: 1.1.1.1, 192.0.2.9\r\n", "?" },
	{ 2, PROXY, "X-Real-IP:\r\n", "?" },
	{ 2, "192.0.2.1:1", "X-Real-IP: 10.0.0.1\r\n", "peer" },
};
/* clang-format on */

static void
the_client_is_the_last_address_that_is_no_proxy(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *is =
		    client_of(rows[i].server, rows[i].peer, rows[i].fields);

		if (strcmp(is, rows[i].client) == 0)
			continue;
		print_error("%s of %s: %s instead of %s\n", rows[i].fields,
		    rows[i].peer, is, rows[i].client);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static char said[512];

static bool
hear(void *arg, enum log_level level, const char *message)
{
	(void)arg;
	assert_int_equal(level, LEVEL_WARN);
	snprintf(said, sizeof(said), "%s", message);
	return true;
}

static void
a_proxy_that_says_nothing_is_named_once_in_a_while(void **state)
{
	(void)state;
	set_clock_pass(UINT64_C(3600000000000));
	log_listen(hear, NULL);
	assert_string_equal(client_of(0, PROXY, ""), "?");
	assert_string_equal(said,
	    "real_ip_header: the proxy 10.1.1.1:1 has sent a request without "
	    "X-Forwarded-For: its client is not known; have the proxy send it "
	    "(nginx: proxy_set_header X-Forwarded-For $remote_addr;), or take "
	    "real_ip_header out");
	said[0] = '\0';
	assert_string_equal(client_of(2, PROXY, ""), "?");
	assert_string_equal(said, "");
	log_listen(NULL, NULL);
}

static void
the_host_that_a_stranger_was_asked_for_is_dropped(void **state)
{
	static const struct {
		unsigned server;
		const char *peer;
		unsigned left;
	} cases[] = {{0, PROXY, 1}, {0, "192.0.2.1:1", 0}, {4, PROXY, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct head h = {.forwarded_host.count = 1};
		const char *why;
		struct addr at;

		assert_int_equal(addr_parse(cases[i].peer, &at, &why), 0);
		real_ip_distrust(&conf->servers[cases[i].server], &h, &at);
		assert_int_equal(h.forwarded_host.count, cases[i].left);
	}
}

static void
a_field_that_nobody_is_believed_is_a_mistake(void **state)
{
	static const char text[] =
	    "server { location /f { } real_ip_header Forwarded; }";
	struct str errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_true(
	    config_parse_text("t", text, strlen(text), &errors, &c) < 0);
	assert_non_null(
	    strstr(errors.s, "t:1:26: real_ip_header: nobody is believed"));
	str_fini(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_client_is_the_last_address_that_is_no_proxy),
	    cmocka_unit_test(
		a_proxy_that_says_nothing_is_named_once_in_a_while),
	    cmocka_unit_test(the_host_that_a_stranger_was_asked_for_is_dropped),
	    cmocka_unit_test(a_field_that_nobody_is_believed_is_a_mistake),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
