/*
 * A line of the access log says what was done, from a record of values: a status
 * only for an answer of which something was sent, and why one was cut.
 */
#include "http/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "log/journal.h"

enum {
	WORD_MAX = 40, /* bytes of an outcome's word */
};

/* What stands behind the time and the peer, which is a UNIX socket's. */
static const char *
line_of(const struct access *a)
{
	static struct str line;
	const struct addr peer = {.ss = {.ss_family = AF_UNIX}};
	const char *at;

	str_clear(&line);
	access_format(a, &peer, NULL, &line);
	assert_false(str_failed(&line));
	assert_int_equal(line.s[line.len - 1], '\n');
	line.s[line.len - 1] = '\0';
	at = strchr(line.s, ' ');
	assert_non_null(at);
	at = strchr(at + 1, ' ');
	assert_non_null(at);
	return at + 1;
}

static void
an_answer_that_was_sent(void **state)
{
	struct access a = {
	    .id = 7,
	    .began_ns = 1000000,
	    .ended_ns = 13340000,
	    .status = 204,
	    .answered = true,
	};

	(void)state;
	str_puts(&a.asked, "OPTIONS *");
	assert_string_equal(
	    line_of(&a), "7 \"OPTIONS *\" 204 in=0 out=0 ms=12.3 -");
	access_fini(&a);
	assert_null(a.asked.s);
}

static void
an_answer_of_which_nothing_was_sent_has_no_status(void **state)
{
	static const struct {
		enum access_cut cut;
		const char *word;
	} rows[] = {
	    {ACCESS_CLIENT_GONE, "client-gone"},
	    {ACCESS_NOT_TAKEN, "send-timeout"},
	    {ACCESS_STOPPED, "stopped"},
	    {ACCESS_NO_MEMORY, "no-memory"},
	    {ACCESS_CONNECTION_CUT, "connection-cut"},
	};
	struct access a = {.status = 201, .in = 5, .outcome = OUTCOME_STORED};

	(void)state;
	assert_int_equal(COUNT_OF(rows), ACCESS_CUT_COUNT - 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str want = {0};

		a.cut = rows[i].cut;
		str_printf(&want,
		    "0 \"-\" 0 in=5 out=0 ms=0.0 stored answer=%s",
		    rows[i].word);
		assert_string_equal(line_of(&a), want.s);
		str_fini(&want);
	}
}

static void
one_that_was_sent_in_part_has_both(void **state)
{
	struct access a = {
	    .status = 200,
	    .answered = true,
	    .out = 12,
	    .cut = ACCESS_CLIENT_GONE,
	    .outcome = OUTCOME_REPLACED,
	};

	(void)state;
	assert_string_equal(line_of(&a),
	    "0 \"-\" 200 in=0 out=12 ms=0.0 replaced answer=client-gone");
}

/* The name cannot make fields, or lines, of its own. */
static void
what_was_measured_of_an_upload(void **state)
{
	struct access a = {
	    .status = 201,
	    .answered = true,
	    .outcome = OUTCOME_STORED,
	};
	struct meter m = {.start = 1, .end = 5000001};

	(void)state;
	m.reader_ns[READER_NETWORK] = 4500000;
	m.writer_ns[WRITER_WRITE] = 1250000;
	m.hash_ns = 3000;
	access_measured(&a, &m, false, "a\" answer=\n");
	assert_string_equal(line_of(&a),
	    "0 \"-\" 201 in=0 out=0 ms=0.0 stored balanced network=4.500 "
	    "queue=0.000 memory=0.000 data=0.000 write=1.250 sync=0.000 "
	    "saved=0.750 name=\"a\\\" answer=\\u000a\"");
	access_measured(&a, &m, true, "a");
	assert_non_null(strstr(line_of(&a), " sync=0.000 hash=0.003 saved="));
	access_note_part(&a, 5, 10, 20);
	assert_non_null(strstr(line_of(&a), " part=5-10/20 name=\"a\""));
	access_note_part(&a, 0, 10, UINT64_MAX);
	assert_non_null(strstr(line_of(&a), " part=0-10/* name="));
	access_fini(&a);
}

/* No word is longer than WORD_MAX. */
static enum outcome
outcome_with_longest_word(void)
{
	enum outcome longest = OUTCOME_NONE;

	for (int e = 0; e < OUTCOME_COUNT; e++)
		if (strlen(outcome_word((enum outcome)e)) >
		    strlen(outcome_word(longest)))
			longest = (enum outcome)e;
	assert_in_range(strlen(outcome_word(longest)), 1, WORD_MAX);
	return longest;
}

/* Workers share a pipe, which keeps lines apart only up to PIPE_BUF; and a name,
 * which tells what was stored, is never clipped. */
static void
no_line_is_longer_than_a_pipe_takes_as_one(void **state)
{
	static char target[8192], method[300], name[1024 + 1];
	static const char bad[] = {'"', '\x01', '\xff', 'x'};
	const struct addr peer = {.ss = {.ss_family = AF_INET6}};
	struct head h = {.method_text = {method, sizeof(method)},
	    .target = {target, sizeof(target)}};
	struct access a = {
	    .id = UINT64_MAX,
	    .ended_ns = UINT64_MAX,
	    .status = 999,
	    .answered = true,
	    .cut = ACCESS_CONNECTION_CUT,
	    .in = UINT64_MAX,
	    .out = UINT64_MAX,
	    .outcome = outcome_with_longest_word(),
	};
	struct str line = {0};
	struct meter m;

	(void)state;
	memset(&m, 0x7f, sizeof(m));
	memset(name, '"', sizeof(name) - 1);
	access_measured(&a, &m, true, name);
	for (size_t i = 0; i < sizeof(bad); i++) {
		memset(target, bad[i], sizeof(target));
		memset(method, bad[i], sizeof(method));
		str_clear(&line);
		access_note_head(&a, &h);
		access_format(&a, &peer, NULL, &line);
		assert_false(str_failed(&line));
		assert_in_range(line.len, 3000,
		    JOURNAL_LINE_MAX - 128 - WORD_MAX +
			strlen(outcome_word(a.outcome)));
		assert_null(memchr(line.s, '\n', line.len - 1));
		assert_non_null(strstr(line.s, "...\" 999 in="));
		assert_null(strstr(strstr(line.s, " name="), "..."));
	}
	str_fini(&line);
	access_fini(&a);
}

/* Method and target are values of their own, and not escaped yet. */
static void
what_was_asked_is_kept_as_it_came(void **state)
{
	struct head h = {
	    .method_text = {"PUT", 3},
	    .target = {"/a\"b", 4},
	};
	struct access a = {0};
	struct str out = {0};

	(void)state;
	access_note_head(&a, &h);
	assert_int_equal(a.method_len, 3);
	assert_int_equal(a.asked.len, 7);
	assert_memory_equal(a.asked.s, "PUT/a\"b", 7);
	access_format_asked(&a, &out);
	assert_string_equal(out.s, "PUT /a\\\"b");
	str_fini(&out);
	access_fini(&a);
}

/* One byte, two or three before the limit: no sequence is cut, and what is clipped
 * is what would have been with all of the target at hand. */
static void
a_long_target_is_clipped_between_characters(void **state)
{
	char target[2000];
	struct head h = {.method_text = {"GET", 3}, .target = {target, 0}};
	struct access a = {0};

	(void)state;
	for (size_t lead = 0; lead < 6; lead++) {
		struct str out = {0}, all = {0};
		size_t len = lead;

		memset(target, 'x', lead);
		while (len + 3 <= sizeof(target)) {
			memcpy(target + len, "\xe2\x82\xac", 3);
			len += 3;
		}
		h.target.len = len;
		access_note_head(&a, &h);
		access_format_asked(&a, &out);
		str_puts(&all, "GET ");
		str_escape_within(&all, target, len, 1024);
		assert_string_equal(out.s, all.s);
		str_fini(&out);
		str_fini(&all);
	}
	access_fini(&a);
}

/* Neither of a request, nor of what is none. */
static void
no_secret_is_shown(void **state)
{
	static const struct {
		const char *target, *shown;
	} rows[] = {
	    {"/a?sig=abc", "GET /a?sig=***"},
	    {"/a?x=1&sig=abc&y=2", "GET /a?x=1&sig=***&y=2"},
	    {"/a?SIG=abc&sig=d", "GET /a?SIG=***&sig=*"},
	    {"/a?asig=abc&sig=", "GET /a?asig=abc&sig="},
	    {"/sig=abc", "GET /sig=abc"},
	    {"/a?sig=a?b&", "GET /a?sig=***&"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct head h = {.method_text = {"GET", 3},
		    .target = {rows[i].target, strlen(rows[i].target)}};
		struct str out = {0}, line = {0};
		struct access a = {0};

		access_note_head(&a, &h);
		access_format_asked(&a, &out);
		assert_string_equal(out.s, rows[i].shown);
		str_printf(&line, "GET %s HTTP/9\r\n", rows[i].target);
		access_note_start(&a, line.s, line.len);
		str_clear(&out);
		access_format_asked(&a, &out);
		assert_int_equal(
		    strncmp(out.s, rows[i].shown, strlen(rows[i].shown)), 0);
		access_fini(&a);
		str_fini(&out);
		str_fini(&line);
	}
}

static void
no_field_with_a_password_is_shown(void **state)
{
	static const char line[] = "authorization: Basic abc\r\n";
	struct str out = {0};
	struct access a = {0};

	(void)state;
	access_note_start(&a, line, sizeof(line) - 1);
	access_format_asked(&a, &out);
	assert_string_equal(out.s, "authorization:**********");
	access_fini(&a);
	str_fini(&out);
}

static void
who_it_was_is_in_the_line(void **state)
{
	struct addr peer = {
	    .ss.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};
	struct addr client = {
	    .ss.in.sin_family = AF_INET, .len = sizeof(struct sockaddr_in)};
	struct str out = {0};
	struct access a = {.outcome = OUTCOME_STORED};

	(void)state;
	assert_true(access_note_user(&a, "ann"));
	access_format(&a, &peer, NULL, &out);
	assert_non_null(strstr(out.s, " unix: "));
	assert_non_null(strstr(out.s, " stored user=\"ann\"\n"));
	access_fini(&a);
	str_clear(&out);
	client.ss.in.sin_addr.s_addr = htonl(0xc0000201);
	assert_true(access_note_client(&a, &client));
	assert_true(access_note_user(&a, "a\"b"));
	assert_true(access_note_user(&a, "a\"c"));
	access_format(&a, &peer, NULL, &out);
	assert_non_null(strstr(out.s, " 192.0.2.1 "));
	assert_non_null(strstr(out.s, " user=\"a\\\"c\"\n"));
	access_fini(&a);
	str_fini(&out);
}

/* Of what is no request: a line alone, a long one clipped, or a few bytes. */
static void
what_is_no_request_is_shown_by_its_start(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *shown;
	} rows[] = {
	    {"x y", 3, "x y"},
	    {"x\ty\r\nsecret", 11, "x\\u0009y"},
	    {"x\r", 2, "x\\u000d"},
	    {"\r\n\0", 3, "\\u000d\\u000a\\u0000"},
	    {"\x16\x03\"\\\xff", 5, "\\u0016\\u0003\\\"\\\\\\u00ff"},
	};
	char many[1000];
	struct str out = {0};
	struct access a = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		str_clear(&out);
		access_note_start(&a, rows[i].bytes, rows[i].len);
		access_format_asked(&a, &out);
		assert_string_equal(out.s, rows[i].shown);
	}
	memset(many, 'x', sizeof(many));
	str_clear(&out);
	access_note_start(&a, many, sizeof(many));
	access_format_asked(&a, &out);
	assert_int_equal(out.len, 128 + 3);
	assert_string_equal(out.s + 126, "xx...");
	many[40] = '\0';
	str_clear(&out);
	access_note_start(&a, many, sizeof(many));
	access_format_asked(&a, &out);
	assert_int_equal(out.len, 32 + 3);
	str_fini(&out);
	access_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_that_was_sent),
	    cmocka_unit_test(what_was_asked_is_kept_as_it_came),
	    cmocka_unit_test(a_long_target_is_clipped_between_characters),
	    cmocka_unit_test(an_answer_of_which_nothing_was_sent_has_no_status),
	    cmocka_unit_test(one_that_was_sent_in_part_has_both),
	    cmocka_unit_test(what_was_measured_of_an_upload),
	    cmocka_unit_test(no_line_is_longer_than_a_pipe_takes_as_one),
	    cmocka_unit_test(no_secret_is_shown),
	    cmocka_unit_test(no_field_with_a_password_is_shown),
	    cmocka_unit_test(who_it_was_is_in_the_line),
	    cmocka_unit_test(what_is_no_request_is_shown_by_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
