/*
 * The base layer's readers and writers: numbers, sizes, times, text made
 * safe, base64, addresses, dates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/un.h>

#include "base/addr.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/str.h"

#define UNTOUCHED UINT64_C(0xabcdef)

struct number {
	const char *text;
	int err;
	uint64_t n;
};

static void
expect_numbers(int (*parse)(const char *, size_t, uint64_t *),
    const struct number *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t n = UNTOUCHED;

		assert_int_equal(
		    parse(cases[i].text, strlen(cases[i].text), &n),
		    cases[i].err);
		assert_int_equal(n, cases[i].err ? UNTOUCHED : cases[i].n);
	}
}

static void
test_parse_u64(void **state)
{
	static const struct number cases[] = {
	    {"0", 0, 0},
	    {"007", 0, 7},
	    {"18446744073709551615", 0, UINT64_MAX},
	    {"18446744073709551616", -ERANGE, 0},
	    {"99999999999999999999999", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {"+1", -EINVAL, 0},
	    {"-1", -EINVAL, 0},
	    {" 1", -EINVAL, 0},
	    {"1 ", -EINVAL, 0},
	    {"0x1", -EINVAL, 0},
	    {"a", -EINVAL, 0},
	};
	uint64_t n;

	(void)state;
	expect_numbers(num_parse_u64, cases, COUNT_OF(cases));
	/* The length counts. */
	assert_int_equal(num_parse_u64("123", 2, &n), 0);
	assert_int_equal(n, 12);
}

static void
test_parse_hex(void **state)
{
	static const struct number cases[] = {
	    {"0", 0, 0},
	    {"aF", 0, 0xaf},
	    {"ffffffffffffffff", 0, UINT64_MAX},
	    {"10000000000000000", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {"g", -EINVAL, 0},
	    {"0x1", -EINVAL, 0},
	};

	(void)state;
	expect_numbers(num_parse_hex, cases, COUNT_OF(cases));
}

static void
test_parse_size(void **state)
{
	static const struct number cases[] = {
	    {"0", 0, 0},
	    {"4095", 0, 4095},
	    {"256k", 0, 256 << 10},
	    {"1M", 0, 1 << 20},
	    {"2g", 0, UINT64_C(2) << 30},
	    {"17179869183g", 0, UINT64_MAX - (1 << 30) + 1},
	    {"17179869184g", -ERANGE, 0},
	    {"18446744073709551616", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {"k", -EINVAL, 0},
	    {"1kb", -EINVAL, 0},
	    {"1.5k", -EINVAL, 0},
	    {"1t", -EINVAL, 0},
	    {"k1", -EINVAL, 0},
	};

	(void)state;
	expect_numbers(num_parse_size, cases, COUNT_OF(cases));
}

static void
test_parse_time(void **state)
{
	static const struct number cases[] = {
	    {"0", 0, 0},
	    {"15", 0, 15000},
	    {"15s", 0, 15000},
	    {"500ms", 0, 500},
	    {"5m", 0, 300000},
	    {"1h30m", 0, 5400000},
	    {"1d2h3m4s5ms", 0, 93784005},
	    {"0ms", 0, 0},
	    {"18446744073709551615ms", 0, UINT64_MAX},
	    {"18446744073709551616ms", -ERANGE, 0},
	    {"18446744073709552s", -ERANGE, 0},
	    {"1s18446744073709551615ms", -ERANGE, 0},
	    {"18446744073709552", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {"s", -EINVAL, 0},
	    {"1m1h", -EINVAL, 0},
	    {"1s1s", -EINVAL, 0},
	    {"1h30", -EINVAL, 0},
	    {"1.5s", -EINVAL, 0},
	    {"1 s", -EINVAL, 0},
	    {"1w", -EINVAL, 0},
	};

	(void)state;
	expect_numbers(num_parse_time, cases, COUNT_OF(cases));
}

static void
test_format(void **state)
{
	static const struct {
		uint64_t n;
		const char *size, *time;
	} cases[] = {
	    {0, "0", "0"},
	    {1, "1", "1ms"},
	    {1000, "1000", "1s"},
	    {1024, "1k", "1024ms"},
	    {15000, "15000", "15s"},
	    {262144, "256k", "262144ms"},
	    {5400000, "5400000", "90m"},
	    {86400000, "84375k", "1d"},
	    {UINT64_C(1) << 40, "1024g", "1099511627776ms"},
	    {UINT64_MAX, "18446744073709551615", "18446744073709551615ms"},
	};
	char text[NUM_TEXT_MAX];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		num_format_size(cases[i].n, text);
		assert_string_equal(text, cases[i].size);
		assert_int_equal(num_parse_size(text, strlen(text), &n), 0);
		assert_int_equal(n, cases[i].n);
		num_format_time(cases[i].n, text);
		assert_string_equal(text, cases[i].time);
		assert_int_equal(num_parse_time(text, strlen(text), &n), 0);
		assert_int_equal(n, cases[i].n);
	}
}

static void
test_str_grows(void **state)
{
	struct str b = {0};

	(void)state;
	assert_false(str_failed(&b));
	str_add(&b, "", 0);
	assert_string_equal(b.s, "");
	for (int i = 0; i < 1000; i++)
		str_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_memory_equal(b.s + 1990, "5,6,7,8,9,", 11);
	str_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.s, "");
	str_puts(&b, "again");
	assert_string_equal(b.s, "again");
	str_fini(&b);
	assert_null(b.s);
	str_fini(&b);
}

static void
test_escape(void **state)
{
	static const struct {
		const char *raw, *escaped;
	} cases[] = {
	    {"", ""}, {"plain text", "plain text"}, {"a\"b\\c", "a\\\"b\\\\c"},
	    {"\n\x1b[0m\x7f", "\\u000a\\u001b[0m\\u007f"},
	    {"\xc3\xa4 \xf0\x9f\x98\x80", "\xc3\xa4 \xf0\x9f\x98\x80"},
	    {"\xc3", "\\u00c3"},		       /* cut short */
	    {"\xff", "\\u00ff"},		       /* never valid */
	    {"\xc0\xaf", "\\u00c0\\u00af"},	       /* overlong */
	    {"\xed\xa0\x80", "\\u00ed\\u00a0\\u0080"}, /* surrogate */
	    {"\xf4\x90\x80\x80",
		"\\u00f4\\u0090\\u0080\\u0080"}, /* above U+10FFFF */
	    {"\xc2\x85", "\\u0085"},		 /* C1 */
	    {"\xe2\x80\xae", "\\u202e"},	 /* right-to-left override */
	    {"\xef\xbb\xbf", "\\ufeff"},	 /* BOM */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str b = {0};
		char buf[64];

		str_puts(&b, "");
		str_escape(&b, cases[i].raw, strlen(cases[i].raw));
		assert_string_equal(b.s, cases[i].escaped);
		assert_string_equal(str_quote(cases[i].raw,
					strlen(cases[i].raw), buf, sizeof(buf)),
		    cases[i].escaped);
		str_fini(&b);
	}
}

/* Clipping never leaves half of an escape or of a character. */
static void
test_quote_clips_at_whole_signs(void **state)
{
	static const struct {
		const char *raw;
		size_t size;
		const char *quoted;
	} cases[] = {
	    {"abcdefg", 8, "abcdefg"},
	    {"abcdefgh", 8, "abcd..."},
	    {"abc", 4, "abc"},
	    {"abcd", 4, "..."},
	    {"abc\n", 10, "abc\\u000a"},
	    {"abc\nd", 10, "abc..."},
	    {"abc\"defg", 8, "abc..."},
	    {"abc\xc3\xa4"
	     "def",
		8, "abc..."},
	    {"ab\xc3\xa4"
	     "defg",
		8, "ab\xc3\xa4..."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char buf[16];

		memset(buf, 'x', sizeof(buf));
		str_quote(
		    cases[i].raw, strlen(cases[i].raw), buf, cases[i].size);
		assert_string_equal(buf, cases[i].quoted);
		assert_int_equal(buf[cases[i].size], 'x');
	}
}

static void
test_ieq(void **state)
{
	(void)state;
	assert_true(str_ieq("Content-Length", 14, "content-length"));
	assert_true(str_ieq("", 0, ""));
	assert_false(str_ieq("abc", 2, "abc"));
	assert_false(str_ieq("@", 1, "`"));
	assert_true(str_ieq("abcx", 3, "ABC"));
}

static void
test_addr(void **state)
{
	static const struct {
		const char *text, *shown; /* NULL: no address */
	} cases[] = {
	    {"8000", "0.0.0.0:8000"},
	    {"*:8000", "0.0.0.0:8000"},
	    {"127.0.0.1:1", "127.0.0.1:1"},
	    {"localhost:80", "127.0.0.1:80"},
	    {"[::1]:65535", "[::1]:65535"},
	    {"[::]:80", "[::]:80"},
	    {"unix:/run/p.sock", "unix:/run/p.sock"},
	    {"", NULL},
	    {"*", NULL},
	    {":80", NULL},
	    {"0", NULL},
	    {"65536", NULL},
	    {"80a", NULL},
	    {"1.2.3:80", NULL},
	    {"1.2.3.4", NULL},
	    {"::1:80", NULL},
	    {"[::1]", NULL},
	    {"[x]:80", NULL},
	    {"example.com:80", NULL},
	    {"unix:", NULL},
	    {"unix:/1234567890123456789012345678901234567890123456789012"
	     "34567890123456789012345678901234567890123456789012345678",
		NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char shown[ADDR_TEXT_MAX];
		const char *why = NULL;
		struct addr a, again;

		if (cases[i].shown == NULL) {
			assert_int_equal(
			    addr_parse(cases[i].text, &a, &why), -EINVAL);
			assert_non_null(why);
			continue;
		}
		assert_int_equal(addr_parse(cases[i].text, &a, &why), 0);
		addr_format(&a, shown);
		assert_string_equal(shown, cases[i].shown);
		assert_int_equal(addr_parse(shown, &again, &why), 0);
		assert_true(addr_equal(&a, &again));
	}
}

static void
test_addr_of_a_peer(void **state)
{
	struct addr a = {.len = sizeof(sa_family_t)}, b;
	char shown[ADDR_TEXT_MAX];
	const char *why;

	(void)state;
	a.ss.ss_family = AF_UNIX;
	addr_format(&a, shown);
	assert_string_equal(shown, "unix:");
	assert_string_equal(addr_unix_path(&a), "");
	assert_int_equal(addr_parse("1.2.3.4:5", &a, &why), 0);
	assert_null(addr_unix_path(&a));
	assert_int_equal(addr_parse("1.2.3.4:6", &b, &why), 0);
	assert_false(addr_equal(&a, &b));
	assert_int_equal(addr_parse("[::1]:5", &b, &why), 0);
	assert_false(addr_equal(&a, &b));
}

static void
test_stamps(void **state)
{
	uint64_t ns = UINT64_C(1795348800123) * NS_PER_MS;
	char stamp[CLOCK_STAMP_MAX];

	(void)state;
	clock_stamp_iso(ns, stamp);
	assert_string_equal(stamp, "2026-11-22T12:00:00.123Z");
	clock_stamp_name(ns, stamp);
	assert_string_equal(stamp, "20261122T120000123Z");
	clock_stamp_http((time_t)(ns / NS_PER_S), stamp);
	assert_string_equal(stamp, "Sun, 22 Nov 2026 12:00:00 GMT");
	clock_stamp_iso(0, stamp);
	assert_string_equal(stamp, "1970-01-01T00:00:00.000Z");
}

static void
test_clocks_go(void **state)
{
	uint64_t before = clock_mono_ns();

	(void)state;
	assert_true(clock_mono_ns() >= before);
	/* Between 2020 and 2100. */
	assert_in_range(clock_wall_ns() / NS_PER_S, 1577836800, 4102444800);
}

static void
test_parse_http_date(void **state)
{
	static const struct {
		const char *text;
		int err;
		time_t s;
	} cases[] = {
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 0, 784111777},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 0, 784111777},
	    {"Sun Nov  6 08:49:37 1994", 0, 784111777},
	    {"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
	    {"Thu, 29 Feb 2024 23:59:60 GMT", 0, 1709251200},
	    {"Wed, 31 Dec 1969 23:59:59 GMT", 0, -1},
	    {"", -EINVAL, 0},
	    {"now", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:49:37", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:49:37 GMT ", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:49:37 UTC", -EINVAL, 0},
	    {"Xxx, 06 Nov 1994 08:49:37 GMT", -EINVAL, 0},
	    {"Sun, 06 Xxx 1994 08:49:37 GMT", -EINVAL, 0},
	    {"Sun, 00 Nov 1994 08:49:37 GMT", -EINVAL, 0},
	    {"Sun, 31 Nov 1994 08:49:37 GMT", -EINVAL, 0},
	    {"Wed, 29 Feb 2023 08:49:37 GMT", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 24:00:00 GMT", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:60:00 GMT", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:49:61 GMT", -EINVAL, 0},
	    {"Sun, 06 Nov 1994 08:49:-1 GMT", -EINVAL, 0},
	    {"Sun, 06 Nov 1600 08:49:37 GMT", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		time_t s = 4711;

		assert_int_equal(
		    clock_parse_http(cases[i].text, strlen(cases[i].text), &s),
		    cases[i].err);
		assert_int_equal(s, cases[i].err ? 4711 : cases[i].s);
	}
}

static void
test_base64(void **state)
{
	/* RFC 4648 section 10, and all bits set. */
	static const struct {
		const char *bytes, *text;
	} rows[] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"\xff\xff\xff\xfb\xf0", "////+/A="},
	    {"forty-nine bytes, one more than are encoded at once",
		"Zm9ydHktbmluZSBieXRlcywgb25lIG1vcmUgdGhhbiBhcmUgZW5jb2RlZCBhd"
		"CBvbmNl"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t len = strlen(rows[i].bytes);
		char got[64];
		struct str s = {0};

		str_puts(&s, "");
		base64_add(&s, rows[i].bytes, len);
		assert_string_equal(s.s, rows[i].text);
		assert_int_equal(s.len, BASE64_LEN(len));
		assert_int_equal(base64_decode(s.s, s.len, got, len), 0);
		assert_memory_equal(got, rows[i].bytes, len);
		assert_int_equal(
		    base64_decode(s.s, s.len, got, len + 1), -EINVAL);
		str_fini(&s);
	}
}

/* What libcrypto, or others, would take for "f", "fo" or "foo". */
static void
test_base64_has_one_form(void **state)
{
	static const struct {
		const char *text;
		size_t want;
	} rows[] = {
	    {"Zg=", 1},
	    {"Zg", 1},
	    {"Zg===", 1},
	    {"Zh==", 1},
	    {"Z===", 1},
	    {"Zg=a", 1},
	    {"====", 1},
	    {"Zm9v", 1},
	    {"Zm8", 2},
	    {"Zm9=", 2},
	    {"Zm==", 2},
	    {"=m8=", 2},
	    {"Z=8=", 2},
	    {"Zm9v=", 3},
	    {"Zm9=", 3},
	    {"Zm9-", 3},
	    {"Zm9_", 3},
	    {" m9v", 3},
	    {"Zm9 ", 3},
	    {"Zm 9", 3},
	    {"Zm9\n", 3},
	    {"Zm9v\n", 3},
	    {" Zm9v", 3},
	    {"Zm9\xf6", 3},
	    {"Zm9v\r\n\r\n", 3},
	    {"Zm9vZg==", 3},
	    {"Zg==Zm9v", 4},
	    {"Zg==Zg==", 2},
	    {"Zm9v    ", 3},
	    {"    Zm9v", 3},
	    {"-m9v", 3},
	};
	char got[8];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (base64_decode(rows[i].text, strlen(rows[i].text), got,
			rows[i].want) != -EINVAL)
			fail_msg("%s is taken", rows[i].text);
	assert_int_equal(base64_decode("Zm\0v", 4, got, 3), -EINVAL);
	assert_int_equal(base64_decode("\0\0\0\0", 4, got, 3), -EINVAL);
}

/* What is clipped ends with three points, and not inside of anything. */
static void
test_escape_within(void **state)
{
	static const struct {
		const char *raw, *shown;
	} cases[] = {
	    {"", ""},
	    {"12345678", "12345678"},
	    {"123456789", "12345..."},
	    {"1234\"678", "1234..."},
	    {"123\"567", "123\\\"567"},
	    {"\001\002", "..."},
	    {"12\001", "12\\u0001"},
	    {"1234\xc3\xa4\xc3\xa4", "1234\xc3\xa4\xc3\xa4"},
	    {"1234\xc3\xa4\xc3\xa4z", "1234..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str b = {0};

		str_puts(&b, "<");
		str_escape_within(&b, cases[i].raw, strlen(cases[i].raw), 8);
		assert_int_equal(b.s[0], '<');
		assert_string_equal(b.s + 1, cases[i].shown);
		assert_int_equal(b.len, strlen(b.s));
		str_fini(&b);
	}
}

/* As printf() writes them. */
static void
test_added_numbers(void **state)
{
	static const uint64_t numbers[] = {0, 1, 9, 10, 99, 100, 999, 1000,
	    1234567, 999999, 1000000, 12034567, 59999999999, UINT64_MAX - 1,
	    UINT64_MAX};
	struct str got = {0}, want = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		uint64_t n = numbers[i];

		str_add_u64(&got, n);
		str_puts(&got, " ");
		str_add_ms(&got, n);
		str_puts(&got, "\n");
		str_printf(&want, "%" PRIu64 " %" PRIu64 ".%03u\n", n,
		    n / 1000000, (unsigned)(n / 1000 % 1000));
	}
	assert_string_equal(got.s, want.s);
	str_fini(&got);
	str_fini(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_u64),
	    cmocka_unit_test(test_parse_hex),
	    cmocka_unit_test(test_parse_size),
	    cmocka_unit_test(test_parse_time),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_str_grows),
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_quote_clips_at_whole_signs),
	    cmocka_unit_test(test_ieq),
	    cmocka_unit_test(test_addr),
	    cmocka_unit_test(test_addr_of_a_peer),
	    cmocka_unit_test(test_stamps),
	    cmocka_unit_test(test_clocks_go),
	    cmocka_unit_test(test_parse_http_date),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_base64_has_one_form),
	    cmocka_unit_test(test_escape_within),
	    cmocka_unit_test(test_added_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
