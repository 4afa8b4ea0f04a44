/*
 * Hosts and origins: which of two ways to write one are the same, which text is
 * none, and which names lead to this machine.
 */
#include "base/host.h"
#include "base/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LEN(s) (s), strlen(s)

static void
hosts_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: it is none */
		int port;
	} rows[] = {
	    {"a", "a", HOST_NO_PORT},
	    {"a:", "a", HOST_NO_PORT},
	    {"A.b-c_d:0", "A.b-c_d", 0},
	    {"a:65535", "a", 65535},
	    {"a.:80", "a.", 80},
	    {"192.0.2.1:8000", "192.0.2.1", 8000},
	    {"[::1]", "[::1]", HOST_NO_PORT},
	    {"[::1]:", "[::1]", HOST_NO_PORT},
	    {"[2001:DB8::1]:8000", "[2001:DB8::1]", 8000},
	    {"", NULL, 0},
	    {":80", NULL, 0},
	    {"a:65536", NULL, 0},
	    {"a:8o", NULL, 0},
	    {"a:+1", NULL, 0},
	    {"a:1:2", NULL, 0},
	    {"a b", NULL, 0},
	    {"a/b", NULL, 0},
	    {"u@a", NULL, 0},
	    {"%61", NULL, 0},
	    {"a,b", NULL, 0},
	    {"\xc3\xa9", NULL, 0},
	    {"::1", NULL, 0},
	    {"[::1", NULL, 0},
	    {"[::1]80", NULL, 0},
	    {"[::g]", NULL, 0},
	    {"[]", NULL, 0},
	    {"[1.2.3.4]", NULL, 0},
	};
	struct host_port at;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool is = host_split(LEN(rows[i].text), &at);

		if (is != (rows[i].host != NULL))
			fail_msg("%s", rows[i].text);
		if (!is)
			continue;
		assert_int_equal(at.len, strlen(rows[i].host));
		assert_memory_equal(at.host, rows[i].host, at.len);
		assert_int_equal(at.port, rows[i].port);
	}
}

static void
the_same_host_may_be_written_otherwise(void **state)
{
	(void)state;
	assert_true(host_equal(LEN("a.B"), LEN("A.b")));
	assert_true(host_equal(LEN("[::1]"), LEN("[0:0::0001]")));
	assert_true(host_equal(LEN("[2001:DB8::a]"), LEN("[2001:db8:0::A]")));
	assert_false(host_equal(LEN("a"), LEN("a.")));
	assert_false(host_equal(LEN("a"), LEN("ab")));
	assert_false(host_equal(LEN("[::1]"), LEN("[::2]")));
	assert_false(host_equal(LEN("[::1]"), LEN("127.0.0.1")));
}

/* No foreign name server says where they lead. */
static void
names_that_cannot_be_rebound(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "192.0.2.1",
	    "127.0.0.1.", "127.1", "2130706433", "0x7f000001", "0X7F.1",
	    "a.b.1", "[::1]", "[::ffff:127.0.0.1]", "1.2.3.0x"};
	static const char *const locals[] = {
	    "localhost", "LocalHost.", "a.localhost", "a.b.LOCALHOST."};
	static const char *const others[] = {"localhost.example", "xlocalhost",
	    ".", "", "a", "1.a", "127.0.0.1.nip.io", "0x7f.x", "a.1b",
	    "localhost..", "[::g]", "127.0.0.1 ", "127.0.0.1\0x"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		if (!host_is_address(LEN(addresses[i])))
			fail_msg("%s", addresses[i]);
	for (size_t i = 0; i < COUNT_OF(locals); i++)
		if (!host_is_localhost(LEN(locals[i])) ||
		    host_is_address(LEN(locals[i])))
			fail_msg("%s", locals[i]);
	for (size_t i = 0; i + 1 < COUNT_OF(others); i++)
		if (host_is_localhost(LEN(others[i])) ||
		    host_is_address(LEN(others[i])))
			fail_msg("%s", others[i]);
	assert_false(host_is_address("127.0.0.1\0x", 11));
}

static void
names_are_matched_as_nginx_does(void **state)
{
	(void)state;
	assert_true(host_matches("a.example", LEN("A.Example.")));
	assert_true(host_matches("*.example.org", LEN("a.example.org")));
	assert_true(host_matches("*.example.org", LEN("a.b.EXAMPLE.org.")));
	assert_false(host_matches("*.example.org", LEN("example.org")));
	assert_false(host_matches("*.example.org", LEN(".example.org")));
	assert_false(host_matches("*.example.org", LEN("aexample.org")));
	assert_false(host_matches("a.example", LEN("b.a.example")));
	assert_false(host_matches("a.example", LEN("a.example.evil")));
	assert_true(host_matches("[::1]", LEN("[0::1]")));
}

static void
patterns_are_read(void **state)
{
	static const struct {
		const char *text, *as; /* NULL: refused */
	} rows[] = {
	    {"A.Example.", "a.example"},
	    {"*.X.y", "*.x.y"},
	    {"192.0.2.1", "192.0.2.1"},
	    {"[::1]", "[::1]"},
	    {"x_y", "x_y"},
	    {"", NULL},
	    {"*", NULL},
	    {"*.", NULL},
	    {"*.*.a", NULL},
	    {"a.*", NULL},
	    {".a", NULL},
	    {"a..b", NULL},
	    {"_", NULL},
	    {"a:80", NULL},
	    {"[::1]:80", NULL},
	    {"http://a", NULL},
	    {"a/", NULL},
	    {"~^a", NULL},
	    {"b\xc3\xbc", NULL},
	};
	char got[HOST_NAME_MAX_BYTES + 3], name[300];
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int err = host_read_pattern(rows[i].text, got, &why);

		if ((err == 0) != (rows[i].as != NULL))
			fail_msg("%s", rows[i].text);
		if (err == 0)
			assert_string_equal(got, rows[i].as);
	}
	memset(name, 'a', sizeof(name));
	memcpy(name, "*.", 2);
	name[2 + HOST_NAME_MAX_BYTES] = '\0';
	assert_int_equal(host_read_pattern(name, got, &why), 0);
	name[2 + HOST_NAME_MAX_BYTES] = 'a';
	name[3 + HOST_NAME_MAX_BYTES] = '\0';
	assert_true(host_read_pattern(name, got, &why) < 0);
}

/* As a browser sends it; NULL: it is none. */
static const struct {
	const char *text, *as;
} origins[] = {
    {"http://a", "http://a"},
    {"HTTP://A.B:80", "http://a.b"},
    {"https://a:443", "https://a"},
    {"https://a:80", "https://a:80"},
    {"http://a:0", "http://a:0"},
    {"http://[::0001]:8000", "http://[::1]:8000"},
    {"http://127.0.0.1:8000", "http://127.0.0.1:8000"},
    {"moz-extension://0a-1", "moz-extension://0a-1"},
    {"capacitor://localhost", "capacitor://localhost"},
    {"app+x.1://a:5", "app+x.1://a:5"},
    {"null", NULL},
    {"NULL", NULL},
    {"", NULL},
    {"a", NULL},
    {"//a", NULL},
    {"://a", NULL},
    {"http:/a", NULL},
    {"http://", NULL},
    {"http://a/", NULL},
    {"http://a/b", NULL},
    {"http://a?b", NULL},
    {"http://a#b", NULL},
    {"http://u@a", NULL},
    {"http://a:", NULL},
    {"http://a:65536", NULL},
    {"http://*.a", NULL},
    {"http://a http://b", NULL},
    {"http://a, http://b", NULL},
    {" http://a", NULL},
    {"http://a ", NULL},
    {"1x://a", NULL},
    {"h\xc3\xa9://a", NULL},
    {"http://b\xc3\xbc", NULL},
    {"http://::1", NULL},
};

static void
origins_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(origins); i++) {
		struct origin o, again;
		struct str text = {0};
		const char *why = NULL;
		int err = origin_parse(LEN(origins[i].text), &o, &why);

		if ((err == 0) != (origins[i].as != NULL))
			fail_msg("%s", origins[i].text);
		if (err < 0) {
			assert_non_null(why);
			continue;
		}
		origin_format(&o, &text);
		assert_string_equal(text.s, origins[i].as);
		assert_int_equal(
		    origin_parse(text.s, text.len, &again, &why), 0);
		assert_true(origin_equal(&o, &again));
		str_fini(&text);
	}
}

static bool
are_equal(const char *a, const char *b)
{
	struct origin x, y;
	const char *why;

	assert_int_equal(origin_parse(LEN(a), &x, &why), 0);
	assert_int_equal(origin_parse(LEN(b), &y, &why), 0);
	return origin_equal(&x, &y);
}

static void
origins_differ_by_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(are_equal("http://a", "HTTP://A:80"));
	assert_true(are_equal("https://[::1]", "https://[0::1]:443"));
	assert_false(are_equal("http://a", "https://a"));
	assert_false(are_equal("http://a:443", "https://a"));
	assert_false(are_equal("http://a", "http://a:8080"));
	assert_false(are_equal("http://a", "http://a."));
	assert_false(are_equal("http://a", "http://aa"));
}

static void
origins_are_where_a_host_says(void **state)
{
	static const struct {
		const char *origin, *authority;
		bool is;
	} rows[] = {
	    {"http://a", "a", true},
	    {"http://a", "A:80", true},
	    {"https://a", "a", true},
	    {"https://a", "a:443", true},
	    {"http://a:8000", "a:8000", true},
	    {"http://[::1]:8000", "[0:0::1]:8000", true},
	    {"https://a:8443", "a", false},
	    {"http://a", "a:443", false},
	    {"https://a", "a:80", false},
	    {"http://a:8001", "a:8000", false},
	    {"http://a", "a.b", false},
	    {"http://a", "", false},
	    {"http://a", "a b", false},
	    {"http://a", "a:", true},
	    {"http://a", "a:80:", false},
	    {"capacitor://localhost", "localhost", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct origin o;
		const char *why;

		assert_int_equal(
		    origin_parse(LEN(rows[i].origin), &o, &why), 0);
		if (origin_is_at(&o, LEN(rows[i].authority)) != rows[i].is)
			fail_msg("%s at %s", rows[i].origin, rows[i].authority);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts_are_taken_apart),
	    cmocka_unit_test(the_same_host_may_be_written_otherwise),
	    cmocka_unit_test(names_that_cannot_be_rebound),
	    cmocka_unit_test(names_are_matched_as_nginx_does),
	    cmocka_unit_test(patterns_are_read),
	    cmocka_unit_test(origins_are_read),
	    cmocka_unit_test(origins_differ_by_scheme_host_and_port),
	    cmocka_unit_test(origins_are_where_a_host_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
