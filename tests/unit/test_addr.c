/*
 * Whom a limit per address counts as one.
 */
#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The network of `text`, as addr_parse() reads it; its length. */
static size_t
network(const char *text, unsigned char ret[8])
{
	const char *why = NULL;
	struct addr a = {0};

	if (addr_parse(text, &a, &why) < 0)
		fail_msg("%s: %s", text, why);
	memset(ret, 0, 8);
	return addr_network(&a, ret);
}

static bool
are_one(const char *a, const char *b)
{
	unsigned char one[8], other[8];

	return network(a, one) == network(b, other) &&
	       memcmp(one, other, 8) == 0;
}

static void
an_address_is_one(void **state)
{
	(void)state;
	assert_true(are_one("192.0.2.1:1", "192.0.2.1:65535"));
	assert_false(are_one("192.0.2.1:1", "192.0.2.2:1"));
	/* As a socket for both families shows it. */
	assert_true(are_one("192.0.2.1:1", "[::ffff:192.0.2.1]:2"));
	assert_false(are_one("192.0.2.1:1", "[::ffff:192.0.2.2]:1"));
	/* Two users of IPv6 never share a /64; one has all of it. */
	assert_true(are_one("[2001:db8::1]:1", "[2001:db8::ffff:1:2:3]:9"));
	assert_false(are_one("[2001:db8::1]:1", "[2001:db8:0:1::1]:1"));
}

static void
unix_is_exempt(void **state)
{
	unsigned char bytes[8];

	(void)state;
	assert_int_equal(network("unix:/run/x", bytes), 0);
}

static void
all_that_are_not_known_are_one(void **state)
{
	struct addr a = {.ss.ss_family = AF_UNSPEC};
	unsigned char bytes[8], none[4] = {0};

	(void)state;
	assert_int_equal(addr_network(&a, bytes), 4);
	assert_memory_equal(bytes, none, 4);
}

static bool
is_loopback(const char *text)
{
	const char *why = NULL;
	struct addr a = {0};

	if (addr_parse(text, &a, &why) < 0)
		fail_msg("%s: %s", text, why);
	return addr_is_loopback(&a);
}

static void
loopback_is_what_only_this_machine_reaches(void **state)
{
	(void)state;
	assert_true(is_loopback("127.0.0.1:80"));
	assert_true(is_loopback("127.255.0.9:80"));
	assert_true(is_loopback("localhost:80"));
	assert_true(is_loopback("[::1]:80"));
	assert_true(is_loopback("[::ffff:127.0.0.1]:80"));
	assert_false(is_loopback("80"));
	assert_false(is_loopback("[::]:80"));
	assert_false(is_loopback("192.0.2.1:80"));
	assert_false(is_loopback("[::ffff:192.0.2.1]:80"));
	assert_false(is_loopback("unix:/run/x"));
}

static void
mapped_addresses_are_those_of_ipv4(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
	    {"[::ffff:0:1]:80", "0.0.0.1:80"},
	    {"[2001:db8::1]:80", "[2001:db8::1]:80"},
	    {"192.0.2.1:80", "192.0.2.1:80"},
	    {"unix:/s", "unix:/s"},
	};
	char text[ADDR_TEXT_MAX];
	const char *why;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(addr_parse(cases[i].from, &a, &why), 0);
		addr_unmap(&a);
		addr_format(&a, text);
		assert_string_equal(text, cases[i].to);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_one),
	    cmocka_unit_test(mapped_addresses_are_those_of_ipv4),
	    cmocka_unit_test(unix_is_exempt),
	    cmocka_unit_test(all_that_are_not_known_are_one),
	    cmocka_unit_test(loopback_is_what_only_this_machine_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
