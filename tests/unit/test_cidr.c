#include "base/cidr.h"

#include <errno.h>
#include <string.h>

#include "lib/cmocka_with.h"

static bool
is_in(const char *network, const char *address)
{
	const char *why = NULL;
	struct cidr c;
	struct addr a;

	assert_int_equal(cidr_parse(network, &c, &why), 0);
	assert_int_equal(addr_parse(address, &a, &why), 0);
	return cidr_contains(&c, &a);
}

static void
a_network_has_the_addresses_of_its_bits(void **state)
{
	(void)state;
	assert_true(is_in("192.0.2.7", "192.0.2.7:80"));
	assert_false(is_in("192.0.2.7", "192.0.2.6:80"));
	assert_true(is_in("192.0.2.0/24", "192.0.2.255:80"));
	assert_false(is_in("192.0.2.0/24", "192.0.3.0:80"));
	assert_true(is_in("10.128.0.0/9", "10.255.0.1:80"));
	assert_false(is_in("10.128.0.0/9", "10.127.255.255:80"));
	assert_true(is_in("0.0.0.0/0", "255.255.255.255:80"));
	assert_true(is_in("2001:db8::/33", "[2001:db8:7fff::1]:80"));
	assert_false(is_in("2001:db8::/33", "[2001:db8:8000::1]:80"));
	assert_true(is_in("::1", "[::1]:80"));
	assert_true(is_in("::/0", "[2001:db8::1]:80"));
}

static void
families_are_apart(void **state)
{
	(void)state;
	assert_false(is_in("::/0", "127.0.0.1:80"));
	assert_false(is_in("0.0.0.0/0", "[::1]:80"));
	assert_false(is_in("0.0.0.0/0", "unix:/run/a"));
	assert_true(is_in("unix:", "unix:/run/a"));
	assert_false(is_in("unix:", "127.0.0.1:80"));
	assert_true(is_in("all", "unix:/run/a"));
	assert_true(is_in("all", "127.0.0.1:80"));
	assert_true(is_in("all", "[::1]:80"));
}

static void
an_ipv4_address_mapped_into_ipv6_is_ipv4(void **state)
{
	(void)state;
	assert_true(is_in("192.0.2.0/24", "[::ffff:192.0.2.9]:80"));
	assert_false(is_in("192.0.2.0/24", "[::ffff:192.0.3.9]:80"));
	assert_false(is_in("::/0", "[::ffff:192.0.2.9]:80"));
	assert_true(is_in("::ffff:192.0.2.0/120", "192.0.2.9:80"));
	assert_true(is_in("::ffff:0:0/96", "192.0.2.9:80"));
	assert_false(is_in("::ffff:192.0.2.9", "[::1]:80"));
}

static void
what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "/24", "192.0.2", "host",
	    "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/ 8",
	    "192.0.2.7/24", "2001:db8::1/32", "::/129", "192.0.2.0/24/8",
	    "[::1]", "127.0.0.1:80", "unix:/run/a", "ALL", "0192.0.2.1",
	    "fe80::1%lo", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *why = NULL;
		struct cidr c;

		assert_int_equal(cidr_parse(bad[i], &c, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void
what_is_printed_is_read_as_the_same(void **state)
{
	static const char *const texts[][2] = {{"192.0.2.7", "192.0.2.7"},
	    {"192.0.2.7/32", "192.0.2.7"}, {"192.0.2.0/24", "192.0.2.0/24"},
	    {"::ffff:192.0.2.0/120", "192.0.2.0/24"}, {"::/0", "::/0"},
	    {"2001:DB8::/32", "2001:db8::/32"}, {"unix:", "unix:"},
	    {"all", "all"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		char text[CIDR_TEXT_MAX];
		const char *why;
		struct cidr c, again;

		assert_int_equal(cidr_parse(texts[i][0], &c, &why), 0);
		cidr_format(&c, text);
		assert_string_equal(text, texts[i][1]);
		assert_int_equal(cidr_parse(text, &again, &why), 0);
		assert_true(cidr_equal(&c, &again));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_network_has_the_addresses_of_its_bits),
	    cmocka_unit_test(families_are_apart),
	    cmocka_unit_test(an_ipv4_address_mapped_into_ipv6_is_ipv4),
	    cmocka_unit_test(what_is_no_network_is_refused),
	    cmocka_unit_test(what_is_printed_is_read_as_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
