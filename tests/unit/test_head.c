/*
 * The head of a request: every row of what http-parser lets through or
 * refuses, what becomes of each field, and that the answer does not depend
 * on how the bytes were cut.
 */
#include "http/head.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H "Host: h\r\n"
#define GET(fields) "GET /a HTTP/1.1\r\n" H fields "\r\n"
#define PUT(fields) "PUT /a HTTP/1.1\r\n" H fields "\r\n"
#define TARGET(target) "GET " target " HTTP/1.1\r\n" H "\r\n"
#define HOST(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define TEXT(s) s, sizeof(s) - 1

enum {
	LINE_MAX = 8192,
	BYTES_MAX = 32768,
	FIELDS_MAX = 100,
};

static const struct head_limits limits = {LINE_MAX, BYTES_MAX, FIELDS_MAX};

/* Scan `text`, of which `cut` bytes come first; then parse.  The status. */
static int
answer(const char *text, size_t len, size_t cut, struct head *ret)
{
	struct head_scan scan = {0};
	enum head_result got;
	const char *why = NULL;
	char *first = malloc(cut + 1), *whole = malloc(len + 1);
	int status;

	/* Other memory each time, and of the exact size, for ASan. */
	assert_non_null(first);
	assert_non_null(whole);
	memcpy(first, text, cut);
	memcpy(whole, text, len);
	got = head_scan(&scan, &limits, first, cut, &why);
	if (got == HEAD_INCOMPLETE)
		got = head_scan(&scan, &limits, whole, len, &why);
	free(first);

	switch (got) {
	case HEAD_COMPLETE:
		memset(ret, 0xa5, sizeof(*ret));
		status = head_parse(whole, scan.at, ret, &why);
		break;
	case HEAD_LINE_LONG:
		status = 414;
		break;
	case HEAD_LARGE:
	case HEAD_MANY:
		status = 431;
		break;
	case HEAD_MALFORMED:
		status = 400;
		break;
	case HEAD_INCOMPLETE:
	default:
		status = -1;
		break;
	}
	if (status > 0 && got != HEAD_LINE_LONG && got != HEAD_LARGE &&
	    got != HEAD_MANY)
		assert_non_null(why);
	/* What points into `whole` is looked at by look() only. */
	free(whole);
	return status;
}

/* Parse in place: what *ret points to stays. */
static void
look(const char *text, struct head *ret)
{
	struct head_scan scan = {0};
	const char *why = "";

	assert_int_equal(
	    head_scan(&scan, &limits, text, strlen(text), &why), HEAD_COMPLETE);
	if (head_parse(text, scan.at, ret, &why) != 0)
		fail_msg("%s: %s", text, why);
}

static void
assert_span(struct span got, const char *want)
{
	if (want == NULL) {
		assert_null(got.s);
		return;
	}
	assert_non_null(got.s);
	if (got.len != strlen(want) || memcmp(got.s, want, got.len) != 0)
		fail_msg("got %.*s, want %s", (int)got.len, got.s, want);
}

/* What a head says, in few words: of texts their lengths. */
static void
sum_up(const struct head *h, char out[256])
{
	snprintf(out, 256,
	    "%zu %d %d %d %" PRIu64 " %d %d %zu %d %u %zu %u %zu %zu %zu %zu "
	    "%zu %zu %zu %zu %zu %zu %zu %u %zu",
	    h->host.len, h->keep_alive, h->has_length, h->chunked,
	    h->content_length, h->expect_continue, h->expect_unknown,
	    h->content_range.len, h->content_coded, h->content_digest.count,
	    h->content_digest.line[0].len, h->repr_digest.count,
	    h->repr_digest.line[0].len, h->content_md5.len, h->if_match.len,
	    h->if_none_match.len, h->if_modified_since.len,
	    h->if_unmodified_since.len, h->if_range.len, h->range.len,
	    h->origin.len, h->sec_fetch_site.len, h->sec_fetch_mode.len,
	    h->forwarded_host.count, h->forwarded_host.line[0].len);
}

/* The sum of a PUT with this field, and white space around its value and that
 * of Host. */
static void
sum_with(const char *const field[2], const char *left, const char *right,
    char out[256])
{
	char text[256];
	struct head h;

	snprintf(text, sizeof(text),
	    "PUT /a HTTP/1.1\r\nHost:%sh%s\r\n%s:%s%s%s\r\n\r\n", left, right,
	    field[0], left, field[1], right);
	if (answer(text, strlen(text), 0, &h) != 0)
		fail_msg("%s", text);
	sum_up(&h, out);
}

/* clang-format off */
static const struct row {
	int status; /* -1: the end of the head does not come */
	const char *text;
	size_t len;
} rows[] = {
	/* plain */
	{ 0,   TEXT(GET("")) },
	{ 0,   TEXT(GET("Empty:\r\n")) },
	{ 0,   TEXT(GET("Odd!#$%&'*+-.^_`|~0: \xff\x80\t x \t\r\n")) },
	{ 0,   TEXT("\r\n\r\n" GET("")) },
	{ 0,   TEXT("\r\n\r\n\r\n\r\n" GET("")) },
	{ 400, TEXT("\r\n\r\n\r\n\r\n\r\n" GET("")) },
	{ 400, TEXT("\n" GET("")) },
	{ 0,   TEXT("GET / HTTP/1.0\r\n\r\n") },
	{ 0,   TEXT(GET("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
	           "HTTP2-Settings: AAMAAABk\r\n")) },
	{ 0,   TEXT(PUT("Upgrade: h2c\r\nConnection: Upgrade\r\n"
	           "Content-Length: 5\r\n")) },
	{ -1,  TEXT("GET /a HTTP/1.1\r\n" H) },
	{ -1,  TEXT("GET /a HTTP/1.1\r\n" H "\r") },
	{ -1,  TEXT("") },

	/* request line */
	{ 400, TEXT("GET  /a HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a  HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a b HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a HTTP/1.1 \r\n" H "\r\n") },
	{ 400, TEXT("GET\t/a HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT(" GET /a HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a\r\n\r\n") },
	{ 400, TEXT("GET /a \r\n\r\n") },
	{ 400, TEXT("GET\r\n\r\n") },
	{ 400, TEXT("GET \r\n\r\n") },
	{ 400, TEXT("GET  HTTP/1.1\r\n" H "\r\n") },
	{ 505, TEXT("GET /a HTTP/2.0\r\n" H "\r\n") },
	{ 505, TEXT("GET /a HTTP/1.9\r\n" H "\r\n") },
	{ 505, TEXT("GET /a HTTP/1.2\r\n" H "\r\n") },
	{ 505, TEXT("GET /a HTTP/0.9\r\n\r\n") },
	{ 400, TEXT("GET /a HTTP/1.10\r\n" H "\r\n") },
	{ 400, TEXT("GET /a HTTP/11\r\n" H "\r\n") },
	{ 400, TEXT("GET /a http/1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a HXXPx1.1\r\n" H "\r\n") },
	{ 400, TEXT("GET /a HTTPx1.1\r\n" H "\r\n") },
	{ 400, TEXT("SOURCE /a ICE/1.0\r\n\r\n") },
	{ 505, TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") },
	{ 501, TEXT("PRI / HTTP/2.0\r\n\r\n") },
	{ 400, TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" GET("")) },
	{ 400, TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" GET("")) },
	{ 400, TEXT("PROXY UNKNOWN\r\n" GET("")) },
	{ 501, TEXT("PROXY /a HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11") },
	{ 501, TEXT("get / HTTP/1.1\r\n" H "\r\n") },
	{ 501, TEXT("GETS / HTTP/1.1\r\n" H "\r\n") },
	{ 501, TEXT("GE / HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("G(T / HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("\x16\x03\x01\x02\x00\x01\x00") }, /* TLS */

	/* target */
	{ 0,   TEXT(TARGET("/a%20b?c=d/e?f")) },
	{ 0,   TEXT(TARGET("/\"<>\\^`{|}[]")) },
	{ 400, TEXT(TARGET("/a#b")) },
	{ 400, TEXT(TARGET("/\x80")) },
	{ 400, TEXT(TARGET("/\x7f")) },
	{ 400, TEXT(TARGET("/a\tb")) },
	{ 400, TEXT(TARGET("/a\x0c")) },
	{ 400, TEXT(TARGET("a")) },
	{ 400, TEXT(TARGET("*")) },
	{ 400, TEXT(TARGET("?a")) },
	{ 400, TEXT(TARGET("ftp://h/a")) },
	{ 400, TEXT(TARGET("http:/h/a")) },
	{ 400, TEXT(TARGET("http:///a")) },
	{ 400, TEXT(TARGET("http://u@h/a")) },
	{ 400, TEXT(TARGET("http://h:x/a")) },
	{ 0,   TEXT(TARGET("http://h:80/a")) },
	{ 0,   TEXT(TARGET("HTTPS://[::1]:443/a")) },
	{ 400, TEXT("GET http://h/a HTTP/1.1\r\n\r\n") },
	{ 0,   TEXT("OPTIONS * HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("OPTIONS ** HTTP/1.1\r\n" H "\r\n") },
	{ 0,   TEXT("CONNECT h:443 HTTP/1.1\r\n" H "\r\n") },
	{ 400, TEXT("CONNECT /a HTTP/1.1\r\n" H "\r\n") },

	/* lines and names */
	{ 400, TEXT(PUT("Content-Length : 5\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding : chunked\r\n")) },
	{ 400, TEXT("GET /a HTTP/1.1\r\n Host: h\r\n\r\n") },
	{ 400, TEXT("GET /a HTTP/1.1\r\n\tHost: h\r\n\r\n") },
	{ 400, TEXT(GET("X Y: 1\r\n")) },
	{ 400, TEXT(GET("X\xc3\xa4: 1\r\n")) },
	{ 400, TEXT(GET("X(: 1\r\n")) },
	{ 400, TEXT(GET(": 1\r\n")) },
	{ 400, TEXT(GET("NoColon\r\n")) },
	{ 400, TEXT(GET("X: a\r\n folded\r\n")) },
	{ 400, TEXT(GET("X: a\r\n\tfolded\r\n")) },
	{ 400, TEXT(GET("X:\r\n \r\n")) },
	{ 400, TEXT(PUT("Foo:\rXTransfer-Encoding: chunked\r\n")) },
	{ 400, TEXT("GET /a HTTP/1.1\r\n" H "X: y\r\n\rX") },
	{ 400, TEXT("GET /a HTTP/1.1\r\n" H "\rX\r\n") },
	{ 400, TEXT("GET /a HTTP/1.1\n" H "\r\n") },
	{ 400, TEXT("GET /a HTTP/1.1\r\nHost: h\n\r\n") },
	{ 400, TEXT("GET /a HTTP/1.1\r\n" H "\n") },
	{ 400, TEXT("GET /a HTTP/1.1\n\n") },
	{ 400, TEXT("GET /a HTTP/1.1\r\r\n" H "\r\n") },
	{ 400, TEXT(GET("X: a\r\r\n")) },
	{ 400, TEXT(GET("X-A: \0abc\r\n")) },
	{ 400, TEXT(GET("X-A: a\0bc\r\n")) },
	{ 400, TEXT(GET("X\0A: abc\r\n")) },
	{ 400, TEXT(GET("X-A: \x01\r\n")) },
	{ 400, TEXT(GET("X-A: a\x0b\r\n")) },
	{ 400, TEXT(GET("X-A: a\x7f\r\n")) },
	{ 400, TEXT(GET("X-A: \x1b[31m\r\n")) },

	/* Host */
	{ 400, TEXT("GET / HTTP/1.1\r\n\r\n") },
	{ 400, TEXT(GET(H)) },
	{ 400, TEXT(GET("host: other\r\n")) },
	{ 400, TEXT("GET / HTTP/1.0\r\n" H H "\r\n") },
	{ 0,   TEXT(HOST("example.com:8000")) },
	{ 0,   TEXT(HOST("127.0.0.1:")) },
	{ 0,   TEXT(HOST("[::1]:8000")) },
	{ 0,   TEXT(HOST("[fe80::1]")) },
	{ 0,   TEXT(HOST("a%C3%a4_b")) },
	{ 400, TEXT(HOST("")) },
	{ 400, TEXT(HOST(":80")) },
	{ 400, TEXT(HOST("h:65536")) },
	{ 400, TEXT(HOST("h:8x")) },
	{ 400, TEXT(HOST("h:-1")) },
	{ 400, TEXT(HOST("h:1:2")) },
	{ 400, TEXT(HOST("h h")) },
	{ 400, TEXT(HOST("h/a")) },
	{ 400, TEXT(HOST("u@h")) },
	{ 400, TEXT(HOST("h%4")) },
	{ 400, TEXT(HOST("h%zz")) },
	{ 400, TEXT(HOST("h\xc3\xa4")) },
	{ 400, TEXT(HOST("::1")) },
	{ 400, TEXT(HOST("[::1")) },
	{ 400, TEXT(HOST("[]")) },
	{ 400, TEXT(HOST("[x]:1")) },
	{ 400, TEXT(HOST("[::1]x")) },
	{ 400, TEXT(HOST("x[::1]")) },
	{ 400, TEXT(HOST("<script>")) },

	/* framing */
	{ 0,   TEXT(PUT("Content-Length: 0\r\n")) },
	{ 0,   TEXT(PUT("Content-Length: 00012\r\n")) },
	{ 0,   TEXT(PUT("Content-Length: 9223372036854775807\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 9223372036854775808\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 18446744073709551616\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 99999999999999999999999\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5\r\nContent-Length: 5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5\r\nContent-Length: 6\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5, 5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5 5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: +5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: -5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 0x5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5a\r\n")) },
	{ 400, TEXT(PUT("Content-Length:\r\n")) },
	{ 400, TEXT(PUT("Content-Length: \r\n")) },
	{ 0,   TEXT(PUT("Transfer-Encoding: chunked\r\n")) },
	{ 0,   TEXT(PUT("transfer-encoding:CHUNKED \r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")) },
	{ 400, TEXT(PUT("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked\r\n"
	                "Transfer-Encoding: chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked\r\n"
	                "Transfer-Encoding: identity\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: identity\r\n"
	                "Transfer-Encoding: chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked, chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked,,chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked, identity\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: ,chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked,\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding:\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chunked;a=b\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: \"chunked\"\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: chun ked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: \x0b" "chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding:\r\n chunked\r\n")) },
	{ 400, TEXT(PUT("Transfer-Encoding: identity,\r\n chunked\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: identity\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: xchunked\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: gzip\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: gzip, chunked\r\n")) },
	{ 501, TEXT(PUT("Transfer-Encoding: gzip;q=1, chunked\r\n")) },
	{ 400, TEXT("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") },

	/* twice */
	{ 400, TEXT(GET("If-Match: \"a\"\r\nif-match: \"b\"\r\n")) },
	{ 400, TEXT(GET("If-None-Match: \"a\"\r\nIf-None-Match: *\r\n")) },
	{ 400, TEXT(GET("Range: bytes=0-\r\nRange: bytes=1-\r\n")) },
	{ 400, TEXT(GET("Origin: null\r\nOrigin: http://a\r\n")) },
	{ 400, TEXT(GET("Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n")) },
	{ 0,   TEXT(GET("X: 1\r\nX: 2\r\nAccept: a\r\nAccept: b\r\n")) },
};
/* clang-format on */

/* A row's text, with every byte behind it cut off and put back again. */
static void
each_row_has_its_answer_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		for (size_t cut = 0; cut <= r->len; cut++) {
			struct head h;
			int got = answer(r->text, r->len, cut, &h);

			if (got != r->status)
				fail_msg("row %zu cut at %zu: %d, not %d: %s",
				    i, cut, got, r->status, r->text);
		}
	}
}

static void
byte_by_byte_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct head_scan scan = {0}, whole = {0};
		enum head_result got = HEAD_INCOMPLETE, want;
		const char *why = "", *whole_why = "";

		want = head_scan(&whole, &limits, r->text, r->len, &whole_why);
		for (size_t n = 1; n <= r->len && got == HEAD_INCOMPLETE; n++)
			got = head_scan(&scan, &limits, r->text, n, &why);
		assert_int_equal(got, want);
		assert_int_equal(scan.at, whole.at);
		if (got > HEAD_COMPLETE)
			assert_string_equal(why, whole_why);
	}
}

/* head_parse() alone refuses what head_scan() would have: it does not trust it. */
static void
the_parse_refuses_by_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		char *copy = malloc(r->len + 1);
		struct head h;
		const char *why = NULL;
		int got;

		assert_non_null(copy);
		memcpy(copy, r->text, r->len);
		copy = realloc(copy, r->len > 0 ? r->len : 1);
		assert_non_null(copy);
		got = head_parse(copy, r->len, &h, &why);
		/* Five empty lines are one too many for the scan only. */
		if (r->status != 0 && strncmp(r->text, "\r\n", 2) != 0) {
			if (got == 0)
				fail_msg("row %zu: taken", i);
			assert_non_null(why);
		}
		free(copy);
	}
}

static void
what_follows_the_head_is_left_alone(void **state)
{
	static const char text[] = PUT("Content-Length: 3\r\n") "abcGET";
	struct head_scan scan = {0};
	struct head h;
	const char *why;

	(void)state;
	assert_int_equal(
	    head_scan(&scan, &limits, text, sizeof(text) - 1, &why),
	    HEAD_COMPLETE);
	assert_int_equal(scan.at, strlen(text) - 6);
	assert_int_equal(head_parse(text, scan.at, &h, &why), 0);
	assert_true(h.has_length);
	assert_int_equal(h.content_length, 3);
	/* With a byte too many it is not the head that was scanned. */
	assert_int_equal(head_parse(text, scan.at + 1, &h, &why), 400);
}

static void
methods_are_told_apart(void **state)
{
	static const struct {
		const char *line;
		enum head_method method;
	} m[] = {
	    {"GET / ", METHOD_GET},
	    {"HEAD / ", METHOD_HEAD},
	    {"POST / ", METHOD_POST},
	    {"PUT / ", METHOD_PUT},
	    {"OPTIONS / ", METHOD_OPTIONS},
	    {"CONNECT h:1 ", METHOD_CONNECT},
	    {"DELETE / ", METHOD_DELETE},
	    {"PATCH / ", METHOD_PATCH},
	    {"M-SEARCH / ", METHOD_OTHER},
	    {"SOURCE / ", METHOD_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		char text[64];
		struct head h;

		snprintf(
		    text, sizeof(text), "%sHTTP/1.1\r\n" H "\r\n", m[i].line);
		look(text, &h);
		assert_int_equal(h.method, m[i].method);
		assert_int_equal(h.method_text.len, strcspn(m[i].line, " "));
	}
}

static void
targets_give_path_and_host(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line, *path, *host;
	} t[] = {
		{ "GET /a/b%20c",              "/a/b%20c",  "h" },
		{ "GET /a?b?c",                "/a",        "h" },
		{ "GET /?b",                   "/",         "h" },
		{ "GET //x/y",                 "//x/y",     "h" },
		{ "GET http://o:81/a?b=/c",    "/a",        "o:81" },
		{ "GET HTTP://o",              "/",         "o" },
		{ "GET http://o?b",            "/",         "o" },
		{ "GET https://[::1]/a//b",    "/a//b",     "[::1]" },
		{ "OPTIONS *",                 "*",         "h" },
		{ "OPTIONS http://o",          "*",         "o" },
		{ "OPTIONS http://o/",         "/",         "o" },
		{ "CONNECT o:443",             "",          "h" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char text[128];
		struct head h;

		snprintf(
		    text, sizeof(text), "%s HTTP/1.1\r\n" H "\r\n", t[i].line);
		look(text, &h);
		assert_span(h.path, t[i].path);
		assert_span(h.host, t[i].host);
		assert_span(h.target, strchr(t[i].line, ' ') + 1);
	}
}

static void
fields_are_found(void **state)
{
	struct head h;

	(void)state;
	look(GET(""), &h);
	assert_true(h.minor == 1 && h.keep_alive);
	assert_false(h.has_length || h.chunked || h.expect_continue);
	assert_false(h.expect_unknown || h.content_coded);
	assert_span(h.if_match, NULL);
	assert_span(h.range, NULL);

	look(GET("If-Match: \"a\" ,\"b\" \r\nIF-NONE-MATCH:*\r\n"
		 "If-Modified-Since: x\r\nIf-Unmodified-Since: y\r\n"
		 "If-Range:\r\nRange: \tbytes=0-\t\r\n"),
	    &h);
	assert_span(h.if_match, "\"a\" ,\"b\"");
	assert_span(h.if_none_match, "*");
	assert_span(h.if_modified_since, "x");
	assert_span(h.if_unmodified_since, "y");
	assert_span(h.if_range, "");
	assert_span(h.range, "bytes=0-");

	look(PUT("Content-MD5: x\r\nContent-Digest: a=1, b \r\n"
		 "Repr-Digest:\r\nCONTENT-DIGEST:c\r\n"),
	    &h);
	assert_span(h.content_md5, "x");
	assert_int_equal(h.content_digest.count, 2);
	assert_span(h.content_digest.line[0], "a=1, b");
	assert_span(h.content_digest.line[1], "c");
	assert_int_equal(h.repr_digest.count, 1);
	assert_span(h.repr_digest.line[0], "");

	look(PUT("Content-Range: bytes 0-1/2\r\nOrigin: null\r\n"
		 "Content-Type: a/b\r\ncontent-type: c/d; e=f \r\n"
		 "Sec-Fetch-Mode:cors\r\nX-HTTP-Method-Override: PATCH\r\n"
		 "Tus-Resumable: 1.0.0\r\nUpload-Complete: ?1\r\n"
		 "Upload-Incomplete: ?0\r\nUpload-Length: 3\r\n"
		 "Upload-Offset: 4\r\nUpgrade-Insecure-Requests: 1\r\n"),
	    &h);
	assert_span(h.upgrade_insecure, "1");
	assert_span(h.content_range, "bytes 0-1/2");
	assert_span(h.origin, "null");
	assert_span(h.content_type, "c/d; e=f");
	assert_span(h.sec_fetch_mode, "cors");
	assert_span(h.method_override, "PATCH");
	assert_span(h.tus_resumable, "1.0.0");
	assert_span(h.upload_complete, "?1");
	assert_span(h.upload_incomplete, "?0");
	assert_span(h.upload_length, "3");
	assert_span(h.upload_offset, "4");

	look(PUT("Upload-Metadata: a YQ==\r\nUpload-Checksum: sha1 x\r\n"
		 "Upload-Concat: partial\r\nUpload-Defer-Length: 1\r\n"
		 "Upload-Draft-Interop-Version: 8\r\nIncremental: ?1\r\n"
		 "Trailer: a\r\nWant-Repr-Digest: sha-256=1\r\n"
		 "X-Forwarded-Proto: https\r\n"),
	    &h);
	assert_span(h.upload_metadata, "a YQ==");
	assert_span(h.upload_checksum, "sha1 x");
	assert_span(h.upload_concat, "partial");
	assert_span(h.upload_defer_length, "1");
	assert_span(h.upload_version, "8");
	assert_span(h.incremental, "?1");
	assert_span(h.trailer, "a");
	assert_span(h.want_repr_digest, "sha-256=1");
	assert_span(h.forwarded_proto, "https");
	assert_true(h.forwarded);
	/* Of two nobody knows which is right. */
	look(
	    PUT("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n"), &h);
	assert_span(h.forwarded_proto, "");

	look(PUT("Content-Length: 9223372036854775807\r\n"), &h);
	assert_true(h.has_length && !h.chunked);
	assert_true(h.content_length == INT64_MAX);
	look(PUT("Transfer-Encoding: Chunked\r\n"), &h);
	assert_true(h.chunked && !h.has_length);

	look(PUT("ORIGIN: http://a:1 \r\nSec-Fetch-Site:cross-site\r\n"
		 "Sec-Fetch-Mode: cors\r\nX-Forwarded-Host: a, b\r\n"
		 "Access-Control-Request-Method: PUT\r\n"
		 "Access-Control-Request-Headers: a, b\r\n"
		 "Access-Control-Request-Private-Network: true\r\n"
		 "X-Forwarded-Host: c\r\n"),
	    &h);
	assert_span(h.origin, "http://a:1");
	assert_span(h.sec_fetch_site, "cross-site");
	assert_span(h.sec_fetch_mode, "cors");
	assert_span(h.preflight_method, "PUT");
	assert_span(h.preflight_fields, "a, b");
	assert_span(h.preflight_private, "true");
	assert_int_equal(h.forwarded_host.count, 2);
	assert_span(h.forwarded_host.line[0], "a, b");
	assert_span(h.forwarded_host.line[1], "c");

	look("GET / HTTP/1.0\r\n\r\n", &h);
	assert_int_equal(h.minor, 0);
	assert_span(h.host, NULL);
}

/* Also where no head is, or not yet. */
static void
an_origin_is_glimpsed(void **state)
{
	static const struct {
		const char *text, *origin;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nOrigin: http://a\r\n\r\n", "http://a"},
	    {"x\nORIGIN:\thttp://a \r\n", "http://a"},
	    {"x\nA: b\nOrigin:http://a\nOrigin: http://b\n", "http://a"},
	    {"x\nOrigin: \r\n", ""},
	    {"x\nOrigin:\r\n", ""},
	    {"x\nOrigin:\n", NULL},
	    {"x\nOrigin: http://a", NULL},
	    {"x\nOrigin: http://a\r", NULL},
	    {"Origin: http://a\r\n", NULL},
	    {"x\nX-Origin: http://a\r\n", NULL},
	    {"x\nOrigins: http://a\r\n", NULL},
	    {"\n", NULL},
	    {"", NULL},
	};
	static const char brew[] =
	    "BREW / HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n\r\n";
	const char *why = NULL;
	struct head h;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_span(
		    head_glimpse_origin(cases[i].text, strlen(cases[i].text)),
		    cases[i].origin);
	assert_int_equal(head_parse(brew, sizeof(brew) - 1, &h, &why), 501);
	assert_span(h.origin, "http://a");
}

static void
connections_are_kept_or_closed(void **state)
{
	/* clang-format off */
	static const struct {
		const char *head;
		bool keep;
	} c[] = {
		{ GET("Connection: close\r\n"), false },
		{ GET("Connection: x, Close\r\n"), false },
		{ GET("Connection: keep-alive\r\nConnection: close\r\n"), false },
		{ GET("Connection: closed\r\n"), true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct head h;

		look(c[i].head, &h);
		assert_int_equal(h.keep_alive, c[i].keep);
	}
}

static void
expectations_and_codings_are_reported(void **state)
{
	struct head h;

	(void)state;
	look(PUT("Expect: 100-Continue\r\n"), &h);
	assert_true(h.expect_continue && !h.expect_unknown);
	look(PUT("Expect: 100-continue, \r\n"), &h);
	assert_true(h.expect_continue && !h.expect_unknown);
	look(PUT("Expect: 100-continue, 200-ok\r\n"), &h);
	assert_true(h.expect_continue && h.expect_unknown);
	look(PUT("Expect: 100-continue\r\nExpect: x\r\n"), &h);
	assert_true(h.expect_unknown);
	look(PUT("Expect: 100-continue;a=b\r\n"), &h);
	assert_true(!h.expect_continue && h.expect_unknown);
	look("PUT / HTTP/1.0\r\nExpect: 100-continue, x\r\n\r\n", &h);
	assert_true(!h.expect_continue && !h.expect_unknown);

	look(PUT("Content-Encoding: identity\r\n"), &h);
	assert_false(h.content_coded);
	look(PUT("Content-Encoding: identity, GZIP\r\n"), &h);
	assert_true(h.content_coded);
	look(PUT("Content-Encoding: br\r\nContent-Encoding: identity\r\n"), &h);
	assert_true(h.content_coded);
}

/* A head with a request line of `line` bytes and `fields` field lines of
 * `each` bytes, with a cut in front of its last byte; its answer. */
static int
sized(size_t line, size_t fields, size_t each, size_t *ret_len)
{
	size_t len = 0, size = line + fields * (each + 2) + 64;
	char *text = malloc(size);
	struct head h;
	int status;

	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, "GET /", 5);
	/* 1.0 needs no Host, which may not be as long as other fields. */
	memcpy(text + line - 9, " HTTP/1.0\r\n", 11);
	len = line + 2;
	for (size_t i = 0; i < fields; i++) {
		memcpy(text + len, "Xost:", 5);
		len += each;
		memcpy(text + len, "\r\n", 2);
		len += 2;
	}
	memcpy(text + len, "\r\n", 2);
	len += 2;
	*ret_len = len;
	status = answer(text, len, len - 1, &h);
	assert_int_equal(answer(text, len, len, &h), status);
	free(text);
	return status;
}

/*
 * White space around a value is spaces and TABs, before and behind, in any
 * number (RFC 9110 5.6.3): whatever the field, it says the same.
 */
static void
white_space_around_a_value_is_none_of_it(void **state)
{
	static const char *const fields[][2] = {{"Connection", "close"},
	    {"Connection", "x \t,\t close"}, {"Content-Digest", "x=:eA==:"},
	    {"Content-Encoding", "identity"}, {"Content-Encoding", "gzip"},
	    {"Content-Length", "12"}, {"Content-MD5", "eA=="},
	    {"Content-Range", "bytes 0-1/2"}, {"Expect", "100-continue"},
	    {"Expect", "x\t,\t100-continue"}, {"If-Match", "\"x\""},
	    {"If-Modified-Since", "x"}, {"If-None-Match", "*"},
	    {"If-Range", "\"x\""}, {"If-Unmodified-Since", "x"},
	    {"Origin", "null"}, {"Range", "bytes=0-1"},
	    {"Repr-Digest", "x=:eA==:"}, {"Sec-Fetch-Mode", "cors"},
	    {"Sec-Fetch-Site", "same-origin"}, {"Transfer-Encoding", "chunked"},
	    {"X-Forwarded-Host", "x"}};
	static const char *const white[] = {
	    " ", "\t", "  ", " \t", "\t ", "\t\t", " \t \t \t", ""};

	(void)state;
	for (size_t f = 0; f < COUNT_OF(fields); f++) {
		char plain[256], got[256];

		sum_with(fields[f], "", "", plain);
		for (size_t i = 0; i < COUNT_OF(white); i++) {
			for (size_t k = 0; k < COUNT_OF(white); k++) {
				sum_with(fields[f], white[i], white[k], got);
				assert_string_equal(got, plain);
			}
		}
	}
}

/* Each has its word for the log, wherever it was recognised. */
static void
other_protocols_have_their_words(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *word;
	} others[] = {
	    {TEXT("\x16\x03\x01"), "tls-on-plain-port"},
	    {TEXT("\r\n\r\n\0\r\nQUIT\n"), "proxy-protocol"},
	    {TEXT("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n\r\n"), "proxy-protocol"},
	    {TEXT("PROXY TCP6 \x01"), "proxy-protocol"},
	    {TEXT("PRI * HTTP/2.0\r\n\r\n"), "http2"},
	    {TEXT("PRI * HTTP/1.1\r\n\r\n"), "refused"},
	    {TEXT("x\x16\x03\x01"), "refused"},
	    {TEXT("\r\n\x16\x03\x01"), "refused"},
	    {TEXT("PUT /a HTTP/1.1\r\n\r\n"), "refused"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct head_scan scan = {0};
		const char *why = NULL;
		struct head h;

		if (head_scan(&scan, &limits, others[i].text, others[i].len,
			&why) == HEAD_COMPLETE)
			assert_int_not_equal(
			    head_parse(others[i].text, scan.at, &h, &why), 0);
		assert_non_null(why);
		assert_string_equal(
		    outcome_word(head_refusal_outcome(why)), others[i].word);
	}
}

static void
browsers_are_told_by_their_fields(void **state)
{
	struct head h;

	(void)state;
	look(PUT("Origin: null\r\n"), &h);
	assert_true(head_is_from_browser(&h));
	look(PUT("sec-fetch-mode: cors\r\n"), &h);
	assert_true(head_is_from_browser(&h));
	look(PUT("Sec-Fetch-Site:\r\n"), &h);
	assert_true(head_is_from_browser(&h));
	/* Of these others say as much. */
	look(PUT("User-Agent: Mozilla/5.0\r\nReferer: http://x/\r\n"
		 "X-Origin: x\r\nSec-Fetch: x\r\n"),
	    &h);
	assert_false(head_is_from_browser(&h));
}

static void
limits_are_exact(void **state)
{
	size_t len;

	(void)state;
	assert_int_equal(sized(LINE_MAX, 1, 10, &len), 0);
	assert_int_equal(sized(LINE_MAX + 1, 1, 10, &len), 414);
	assert_int_equal(sized(14, FIELDS_MAX, 10, &len), 0);
	assert_int_equal(sized(14, FIELDS_MAX + 1, 10, &len), 431);
	/* 16 for the request line, 2 for the empty line. */
	assert_int_equal(sized(14, 1, BYTES_MAX - 20, &len), 0);
	assert_int_equal(len, BYTES_MAX);
	assert_int_equal(sized(14, 1, BYTES_MAX - 19, &len), 431);
	assert_int_equal(sized(200000, 1, 10, &len), 414);
	assert_int_equal(sized(14, 1, 200000, &len), 431);
}

/* Change, drop and double bytes of good heads: nothing may break, and what
 * is still taken is consistent. */
static void
mangled_heads_do_no_harm(void **state)
{
	static const char good[] =
	    "PUT http://h:1/a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n"
	    "Connection: keep-alive\r\nExpect: 100-continue\r\n"
	    "If-None-Match: \"x\", W/\"y\"\r\n\r\n";
	static const char swap[] = {'\0', '\r', '\n', ' ', '\t', ':', ',',
	    '\x7f', '\xff', '/', '9', '['};

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (size_t k = 0; k < sizeof(swap); k++) {
			char text[sizeof(good)];
			struct head h;

			memcpy(text, good, sizeof(good));
			text[i] = swap[k];
			if (answer(text, sizeof(good) - 1, i, &h) != 0)
				continue;
			assert_false(h.has_length && h.chunked);
			assert_true(h.minor <= 1);
			assert_true(h.content_length <= INT64_MAX);
		}
	}
}

/* A copy has its own bytes: all texts are as they were when the first are gone. */
static void
a_copy_needs_the_first_no_longer(void **state)
{
	static const char text[] =
	    "OPTIONS http://h.example:80/a%20b?q HTTP/1.1\r\nHost: "
	    "h.example\r\n"
	    "Access-Control-Request-Headers: a1\r\n"
	    "Access-Control-Request-Method: a2\r\n"
	    "Access-Control-Request-Private-Network: a3\r\n"
	    "Content-MD5: a4\r\nContent-Range: a5\r\nContent-Type: a6\r\n"
	    "If-Match: a7\r\nIf-Modified-Since: a8\r\nIf-None-Match: a9\r\n"
	    "If-Range: b1\r\nIf-Unmodified-Since: b2\r\nOrigin: b3\r\n"
	    "Range: b4\r\nSec-Fetch-Mode: b5\r\nSec-Fetch-Site: b6\r\n"
	    "Tus-Resumable: b7\r\nUpgrade-Insecure-Requests: b8\r\n"
	    "Upload-Complete: b9\r\nUpload-Incomplete: c1\r\n"
	    "Upload-Length: c2\r\nUpload-Offset: c3\r\n"
	    "X-Amz-Copy-Source: c4\r\nX-Amz-Decoded-Content-Length: c5\r\n"
	    "X-HTTP-Method-Override: c6\r\n"
	    "Content-Digest: d1\r\nContent-Digest: d2\r\nRepr-Digest: d3\r\n"
	    "X-Forwarded-Host: d4\r\n\r\n";
	char *bytes = malloc(sizeof(text) - 1);
	struct head h, *copy;
	const char *why;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, text, sizeof(text) - 1);
	assert_int_equal(head_parse(bytes, sizeof(text) - 1, &h, &why), 0);
	copy = head_copy(&h, bytes, sizeof(text) - 1);
	assert_non_null(copy);
	memset(bytes, '?', sizeof(text) - 1);
	free(bytes);
	memset(&h, '?', sizeof(h));
#define SAME(member, text)                                                     \
	do {                                                                   \
		assert_int_equal(copy->member.len, sizeof(text) - 1);          \
		assert_memory_equal(copy->member.s, text, sizeof(text) - 1);   \
	} while (0)
	SAME(method_text, "OPTIONS");
	SAME(target, "http://h.example:80/a%20b?q");
	SAME(path, "/a%20b");
	SAME(host, "h.example:80");
	SAME(preflight_fields, "a1");
	SAME(preflight_method, "a2");
	SAME(preflight_private, "a3");
	SAME(content_md5, "a4");
	SAME(content_range, "a5");
	SAME(content_type, "a6");
	SAME(if_match, "a7");
	SAME(if_modified_since, "a8");
	SAME(if_none_match, "a9");
	SAME(if_range, "b1");
	SAME(if_unmodified_since, "b2");
	SAME(origin, "b3");
	SAME(range, "b4");
	SAME(sec_fetch_mode, "b5");
	SAME(sec_fetch_site, "b6");
	SAME(tus_resumable, "b7");
	SAME(upgrade_insecure, "b8");
	SAME(upload_complete, "b9");
	SAME(upload_incomplete, "c1");
	SAME(upload_length, "c2");
	SAME(upload_offset, "c3");
	SAME(amz_copy_source, "c4");
	SAME(amz_decoded_length, "c5");
	SAME(method_override, "c6");
	SAME(content_digest.line[0], "d1");
	SAME(content_digest.line[1], "d2");
	SAME(repr_digest.line[0], "d3");
	SAME(forwarded_host.line[0], "d4");
#undef SAME
	free(copy);
}

/* What is no part of the bytes stays where it is, and what is absent, absent. */
static void
a_copy_has_what_is_static(void **state)
{
	static const char text[] =
	    "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n";
	const char *why;
	struct head h, *copy;

	(void)state;
	assert_int_equal(head_parse(text, sizeof(text) - 1, &h, &why), 0);
	copy = head_copy(&h, text, sizeof(text) - 1);
	assert_non_null(copy);
	assert_true(copy->path.len == 1 && copy->path.s[0] == '*');
	assert_ptr_equal(copy->path.s, h.path.s);
	assert_null(copy->if_match.s);
	assert_int_equal(copy->content_digest.count, 0);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_has_its_answer_however_it_is_cut),
	    cmocka_unit_test(byte_by_byte_gives_the_same),
	    cmocka_unit_test(the_parse_refuses_by_itself),
	    cmocka_unit_test(what_follows_the_head_is_left_alone),
	    cmocka_unit_test(methods_are_told_apart),
	    cmocka_unit_test(a_copy_needs_the_first_no_longer),
	    cmocka_unit_test(a_copy_has_what_is_static),
	    cmocka_unit_test(targets_give_path_and_host),
	    cmocka_unit_test(fields_are_found),
	    cmocka_unit_test(an_origin_is_glimpsed),
	    cmocka_unit_test(connections_are_kept_or_closed),
	    cmocka_unit_test(expectations_and_codings_are_reported),
	    cmocka_unit_test(white_space_around_a_value_is_none_of_it),
	    cmocka_unit_test(other_protocols_have_their_words),
	    cmocka_unit_test(browsers_are_told_by_their_fields),
	    cmocka_unit_test(limits_are_exact),
	    cmocka_unit_test(mangled_heads_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
