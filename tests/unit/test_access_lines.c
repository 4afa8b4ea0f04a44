/*
 * The access log as JSON and as nginx writes it: whatever a client sends, a line is one object,
 * or one line of that form, and no longer than a journal takes.
 */
#include "http/access_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "config/config.h"
#include "http/access.h"
#include "log/journal.h"

static const struct access_worker worker = {3, 7};

/* ---- a reader of JSON that takes nothing else ---- */

/* Behind the string at `s`; NULL: it is none.  Raw controls, bytes that are no UTF-8, and other
 * escapes than those of str_escape() are refused. */
static const char *
skip_string(const char *s)
{
	const char *end = s + strlen(s);
	unsigned code;

	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		size_t n = str_utf8(
		    (const unsigned char *)s, (size_t)(end - s), &code);

		if (n == 0 || str_is_control(code) || code == 0x7f)
			return NULL;
		if (*s == '\\') {
			s++;
			if (*s == 'u' && strspn(s + 1, "0123456789abcdef") >= 4)
				s += 5;
			else if (*s == '"' || *s == '\\')
				s++;
			else
				return NULL;
			continue;
		}
		s += n;
	}
	return s + 1;
}

static const char *skip_object(const char *s);

static const char *
skip_value(const char *s)
{
	size_t digits;

	if (*s == '"')
		return skip_string(s);
	if (*s == '{')
		return skip_object(s);
	digits = strspn(s, "0123456789");
	if (digits == 0 || (digits > 1 && *s == '0'))
		return NULL;
	s += digits;
	if (*s != '.')
		return s;
	digits = strspn(++s, "0123456789");
	return digits > 0 ? s + digits : NULL;
}

static const char *
skip_object(const char *s)
{
	do {
		s = skip_string(s + 1);
		if (s == NULL || *s++ != ':')
			return NULL;
		s = skip_value(s);
	} while (s != NULL && *s == ',');
	return s != NULL && *s == '}' ? s + 1 : NULL;
}

static void
assert_json(const struct str *line)
{
	const char *end = skip_object(line->s);

	if (end == NULL)
		print_message("no JSON: %s\n", line->s);
	assert_non_null(end);
	assert_string_equal(end, "\n");
	assert_in_range(line->len, 1, JOURNAL_LINE_MAX);
}

/* As nginx's consumers take it apart. */
static void
assert_combined(const struct str *line)
{
	size_t quotes = 0;

	for (size_t i = 0; i + 1 < line->len; i++) {
		assert_in_range(line->s[i], ' ', '~');
		quotes += line->s[i] == '"';
	}
	assert_int_equal(line->s[line->len - 1], '\n');
	assert_int_equal(quotes, 6);
	assert_in_range(line->len, 1, JOURNAL_LINE_MAX);
}

/* ---- records ---- */

static const struct addr peer = {
    .len = sizeof(struct sockaddr_in), .ss.in.sin_family = AF_INET};

static struct exchange_ended
ended(const struct access *a)
{
	return (struct exchange_ended){.record = a, .peer = &peer};
}

static void
format(const struct access *a, struct str *json, struct str *combined)
{
	struct exchange_ended e = ended(a);

	str_clear(json);
	str_clear(combined);
	access_add_json(&e, &worker, json);
	access_add_combined(&e, combined);
	assert_false(str_failed(json) || str_failed(combined));
}

/* `text` wherever a client has its say. */
static void
note_all(struct access *a, const char *text, size_t len)
{
	struct head h = {.method_text = {text, len},
	    .target = {text, len},
	    .user_agent = {text, len},
	    .referer = {text, len}};

	access_note_more(a, &h);
	access_note_head(a, &h);
}

static void
each_byte_leaves_both_forms_whole(void **state)
{
	struct str json = {0}, combined = {0};

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t len = 1; len < 2000; len = len * 3 + 1) {
			struct access a = {.id = 1};
			char text[2000];

			memset(text, (int)byte, sizeof(text));
			text[len / 2] = 'x';
			note_all(&a, text, len);
			format(&a, &json, &combined);
			assert_json(&json);
			assert_combined(&combined);
			access_note_start(&a, text, len);
			format(&a, &json, &combined);
			assert_json(&json);
			assert_combined(&combined);
			access_fini(&a);
		}
	}
	str_fini(&json);
	str_fini(&combined);
}

static void
bytes_that_are_made_up(void **state)
{
	static const char *const pieces[] = {"\xc3\xa9", "\xe2\x80\xae", "\xff",
	    "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\"", "\\", "\\u", "\n", "a",
	    "\xc2\x85"};
	struct str json = {0}, combined = {0};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct access a = {.id = 1};
		struct str text = {0};

		for (int i = 0; i < round % 300; i++) {
			seed = seed * 1664525U + 1013904223U;
			str_puts(
			    &text, pieces[(seed >> 16) % COUNT_OF(pieces)]);
		}
		note_all(&a, text.s != NULL ? text.s : "", text.len);
		assert_true(access_note_user(&a, text.s != NULL ? text.s : ""));
		format(&a, &json, &combined);
		assert_json(&json);
		assert_combined(&combined);
		access_fini(&a);
		str_fini(&text);
	}
	str_fini(&json);
	str_fini(&combined);
}

/* All members at once, each as long as it gets. */
static void
the_longest_line_fits_into_a_journal(void **state)
{
	static char many[4000], name[1024 + 1], prefix[300];
	struct conf_location location = {.prefix = prefix};
	struct access a = {.id = UINT64_MAX,
	    .ended_ns = UINT64_MAX,
	    .status = 999,
	    .answered = true,
	    .minor = 2,
	    .cut = ACCESS_CONNECTION_CUT,
	    .in = UINT64_MAX,
	    .out = UINT64_MAX,
	    .location = &location};
	struct str json = {0}, combined = {0};
	struct exchange_ended e = ended(&a);
	struct digest *d = NULL;
	struct meter m;

	(void)state;
	memset(&m, 0x7f, sizeof(m));
	memset(name, '"', sizeof(name) - 1);
	memset(prefix, '"', sizeof(prefix) - 1);
	memset(many, '\x01', sizeof(many) - 1);
	for (int o = 0; o < OUTCOME_COUNT; o++)
		if (strlen(outcome_word((enum outcome)o)) >
		    strlen(outcome_word(a.outcome)))
			a.outcome = (enum outcome)o;
	note_all(&a, many, sizeof(many) - 1);
	assert_true(access_note_user(&a, many));
	access_measured(&a, &m, true, name);
	access_note_part(&a, UINT64_MAX - 2, UINT64_MAX - 1, UINT64_MAX - 1);
	assert_int_equal(digest_new(digest_start(), &d), 0);
	assert_int_equal(digest_finish(d), 0);
	access_note_stored(&a, "data-and-name-as-far-as-is-known", d);
	e.certificate = many;
	e.tls = "TLSv1.3";
	access_add_json(&e, &worker, &json);
	access_add_combined(&e, &combined);
	assert_json(&json);
	assert_combined(&combined);
	/* Of the name nothing is left out, and all members are there. */
	assert_null(strstr(strstr(json.s, "\"name\":"), "...\",\"verdict\""));
	assert_non_null(strstr(json.s, "\"generation\":7}"));
	assert_non_null(strstr(json.s, "\"sha-512\":"));
	digest_free(&d);
	access_fini(&a);
	str_fini(&json);
	str_fini(&combined);
}

static void
combined_has_what_nginx_would_have(void **state)
{
	struct head h = {.method_text = {"PUT", 3},
	    .target = {"/a\"\\\xc3\x7f", 6},
	    .user_agent = {"curl/7.88.1", 11}};
	struct access a = {
	    .status = 201, .answered = true, .out = 5, .minor = 2};
	struct str json = {0}, combined = {0};

	(void)state;
	access_note_more(&a, &h);
	access_note_head(&a, &h);
	assert_true(access_note_user(&a, "ann"));
	format(&a, &json, &combined);
	assert_int_equal(strncmp(combined.s, "0.0.0.0 - ann [", 15), 0);
	assert_non_null(strstr(combined.s,
	    " +0000] \"PUT /a\\x22\\x5C\\xC3\\x7F HTTP/1.1\" 201 5 \"-\" "
	    "\"curl/7.88.1\"\n"));
	a.answered = false;
	a.cut = ACCESS_CLIENT_GONE;
	format(&a, &json, &combined);
	assert_non_null(strstr(combined.s, "\" 499 5 \"-\""));
	a.cut = ACCESS_STOPPED;
	format(&a, &json, &combined);
	assert_non_null(strstr(combined.s, "\" 000 5 \"-\""));
	access_fini(&a);
	str_fini(&json);
	str_fini(&combined);
}

static void
no_secret_is_in_a_referer(void **state)
{
	static const char url[] = "http://a/b?x=1&sig=abc&y=2";
	struct head h = {.method_text = {"GET", 3},
	    .target = {"/?sig=abc", 9},
	    .referer = {url, sizeof(url) - 1}};
	struct access a = {0};
	struct str json = {0}, combined = {0};

	(void)state;
	access_note_more(&a, &h);
	access_note_head(&a, &h);
	format(&a, &json, &combined);
	assert_non_null(
	    strstr(json.s, "\"referer\":\"http://a/b?x=1&sig=***&y=2\""));
	assert_non_null(
	    strstr(combined.s, "\"http://a/b?x=1&sig=***&y=2\" \"-\""));
	assert_null(strstr(json.s, "abc"));
	assert_null(strstr(combined.s, "abc"));
	access_fini(&a);
	str_fini(&json);
	str_fini(&combined);
}

/* Nothing of what is not there: no null, no empty text. */
static void
a_line_of_nothing_has_the_members_that_are_always_there(void **state)
{
	struct access a = {0};
	struct str json = {0}, combined = {0};
	const char *behind;

	(void)state;
	format(&a, &json, &combined);
	assert_json(&json);
	behind = strstr(json.s, "\"id\":");
	assert_non_null(behind);
	assert_string_equal(behind,
	    "\"id\":0,\"client\":\"0.0.0.0\",\"status\":0,\"outcome\":\"-\","
	    "\"in\":0,\"out\":0,\"duration_ms\":0.000,\"worker\":3,"
	    "\"generation\":7}\n");
	assert_non_null(strstr(combined.s, "] \"-\" 000 0 \"-\" \"-\"\n"));
	str_fini(&json);
	str_fini(&combined);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_byte_leaves_both_forms_whole),
	    cmocka_unit_test(bytes_that_are_made_up),
	    cmocka_unit_test(the_longest_line_fits_into_a_journal),
	    cmocka_unit_test(no_secret_is_in_a_referer),
	    cmocka_unit_test(combined_has_what_nginx_would_have),
	    cmocka_unit_test(
		a_line_of_nothing_has_the_members_that_are_always_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
