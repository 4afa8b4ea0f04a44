/*
 * Tokens: what a line allows, what is no line, and that the file does not help to make one.
 */
#include "auth/bearer.h"

#include <stdio.h>
#include <string.h>

#include "base/method_set.h"
#include "lib/cmocka_with.h"

static struct bearer b;
static struct str token, hash;

static void
parse(const char *text, const char *expected)
{
	struct str errors = {0};

	bearer_fini(&b);
	assert_int_equal(bearer_parse(&b, text, strlen(text), &errors), 0);
	assert_string_equal(errors.s ? errors.s : "", expected);
	str_fini(&errors);
}

static int
set_up(void **state)
{
	(void)state;
	str_clear(&token);
	str_clear(&hash);
	return bearer_make(&token, &hash) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	bearer_fini(&b);
	return 0;
}

/* One line, with these limits, for the token. */
static void
allow(const char *limits)
{
	struct str line = {0};

	str_printf(&line, "# a comment\n\n  ci\t%s  %s \r\n", hash.s, limits);
	parse(line.s, "");
	assert_int_equal(b.count, 1);
	str_fini(&line);
}

static enum bearer_answer
judge(const char *method, const char *path, uint64_t now_s)
{
	const struct bearer_token *found = NULL;
	enum bearer_answer a =
	    bearer_judge(&b, (struct span){token.s, token.len},
		method_set_of_request(method, strlen(method)),
		(struct span){path, strlen(path)}, now_s, &found);

	if (a == BEARER_GRANTED)
		assert_string_equal(found->name, "ci");
	return a;
}

static void
a_line_without_limits_allows_all(void **state)
{
	(void)state;
	allow("");
	assert_int_equal(judge("PUT", "/file/a", 1), BEARER_GRANTED);
	assert_int_equal(judge("BREW", "/", UINT64_MAX), BEARER_GRANTED);
	assert_int_equal(b.tokens[0].max_size, 0);
}

static void
another_token_is_unknown(void **state)
{
	const struct bearer_token *found;
	struct str more = {0};

	(void)state;
	allow("");
	for (size_t i = 0; i < token.len; i++) {
		token.s[i] ^= 1;
		assert_int_equal(judge("PUT", "/file/a", 1), BEARER_UNKNOWN);
		token.s[i] ^= 1;
	}
	assert_int_equal(judge("PUT", "/file/a", 1), BEARER_GRANTED);
	/* Neither a part, nor more, nor nothing, nor what the file has. */
	assert_int_equal(bearer_judge(&b, (struct span){token.s, token.len - 1},
			     1, (struct span){"/", 1}, 1, &found),
	    BEARER_UNKNOWN);
	assert_int_equal(bearer_judge(&b, (struct span){"", 0}, 1,
			     (struct span){"/", 1}, 1, &found),
	    BEARER_UNKNOWN);
	assert_int_equal(bearer_judge(&b, (struct span){hash.s, hash.len}, 1,
			     (struct span){"/", 1}, 1, &found),
	    BEARER_UNKNOWN);
	for (size_t i = 0; i <= BEARER_TOKEN_MAX; i++)
		str_puts(&more, "a");
	assert_int_equal(bearer_judge(&b, (struct span){more.s, more.len}, 1,
			     (struct span){"/", 1}, 1, &found),
	    BEARER_UNKNOWN);
	str_fini(&more);
}

static void
methods_are_those_of_the_line(void **state)
{
	(void)state;
	allow("methods=PUT,GET");
	assert_int_equal(judge("PUT", "/file/a", 1), BEARER_GRANTED);
	assert_int_equal(judge("GET", "/file/a", 1), BEARER_GRANTED);
	assert_int_equal(judge("HEAD", "/file/a", 1), BEARER_GRANTED);
	assert_int_equal(judge("POST", "/file/a", 1), BEARER_METHOD);
	assert_int_equal(judge("put", "/file/a", 1), BEARER_METHOD);
	allow("methods=HEAD");
	assert_int_equal(judge("GET", "/file/a", 1), BEARER_METHOD);
	assert_int_equal(judge("HEAD", "/file/a", 1), BEARER_GRANTED);
}

static void
a_prefix_ends_where_a_part_ends(void **state)
{
	(void)state;
	allow("prefix=/file/a");
	assert_int_equal(judge("PUT", "/file/a", 1), BEARER_GRANTED);
	assert_int_equal(judge("PUT", "/file/a/b", 1), BEARER_GRANTED);
	assert_int_equal(judge("PUT", "/file/ab", 1), BEARER_PATH);
	assert_int_equal(judge("PUT", "/file", 1), BEARER_PATH);
	assert_int_equal(judge("PUT", "/file/A", 1), BEARER_PATH);
	assert_int_equal(judge("PUT", "/", 1), BEARER_PATH);
	allow("prefix=/");
	assert_int_equal(judge("PUT", "/file", 1), BEARER_GRANTED);
}

static void
it_expires_when_its_time_comes(void **state)
{
	(void)state;
	allow("expires=2027-01-01T00:00:10Z");
	assert_int_equal(b.tokens[0].expires_s, 1798761610);
	assert_int_equal(judge("PUT", "/file", 1798761609), BEARER_GRANTED);
	assert_int_equal(judge("PUT", "/file", 1798761610), BEARER_UNKNOWN);
}

static void
of_several_lines_each_has_its_limits(void **state)
{
	struct str text = {0};

	(void)state;
	for (int i = 0; i < 9; i++)
		str_printf(&text, "x%d sha256:%064d\n", i, i);
	str_printf(&text, "ci %s methods=PUT\n", hash.s);
	parse(text.s, "");
	assert_int_equal(b.count, 10);
	assert_int_equal(judge("PUT", "/", 1), BEARER_GRANTED);
	assert_int_equal(judge("GET", "/", 1), BEARER_METHOD);
	str_fini(&text);
}

static void
mistakes_are_told_without_what_they_are_in(void **state)
{
#define ZEROS "00000000000000000000000000000000"
#define HASH " sha256:" ZEROS ZEROS
	static const char name[] = "the name has 1 to 64 letters, digits, and "
				   "- . _ @ +\n";
	static const char line[] = "behind the name stands sha256: and 64 "
				   "hexadecimal digits: let `penstock token` "
				   "make the line\n";
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"a\"b" HASH, name},
	    {"a\x80" HASH, name},
	    {"1234567890123456789012345678901234567890123456789012345678901234"
	     "5" HASH,
		name},
	    {"ci", line},
	    {"ci secret", line},
	    {"ci sha256:" ZEROS, line},
	    {"ci sha256:" ZEROS ZEROS "0", line},
	    {"ci sha256:" ZEROS "0000000000000000000000000000000g", line},
	    {"ci" HASH " methods=", "methods= takes methods with commas "
				    "between, such as PUT,POST\n"},
	    {"ci" HASH " methods=PUT,", "methods= takes methods with commas "
					"between, such as PUT,POST\n"},
	    {"ci" HASH " methods=put", "methods= takes methods with commas "
				       "between, such as PUT,POST\n"},
	    {"ci" HASH " prefix=file", "prefix= takes a path that begins with "
				       "a slash and ends without, such as "
				       "/file/ci (without %-escapes)\n"},
	    {"ci" HASH " prefix=/file/", "prefix= takes a path that begins "
					 "with a slash and ends without, such "
					 "as /file/ci (without %-escapes)\n"},
	    {"ci" HASH " expires=2027-02-29", "expires= takes a time such as "
					      "2027-01-01 or "
					      "2027-01-01T12:00:00Z\n"},
	    {"ci" HASH " expires=2027-01-01T24:00:00Z",
		"expires= takes a time such as 2027-01-01 or "
		"2027-01-01T12:00:00Z\n"},
	    {"ci" HASH " prefix=/a prefix=/b",
		"a limit stands there twice: one "
		"line has each once\n"},
	    {"ci" HASH " max_size=0", "max_size= takes a size such as 100m\n"},
	    {"ci" HASH " admin=yes", "behind name and hash may stand "
				     "methods=, prefix=, expires= and "
				     "max_size=\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str expected = {0}, text = {0};

		str_printf(&text, "\n%s\n", rows[i].text);
		str_printf(&expected, "line 2: %s", rows[i].why);
		parse(text.s, expected.s);
		assert_int_equal(b.count, 0);
		str_fini(&expected);
		str_fini(&text);
	}
}

/* However many there are, each one is found, and is its own. */
static void
of_many_tokens_each_is_known(void **state)
{
	enum { MANY = 100 };
	static struct str tokens[MANY];
	struct str text = {0};

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		str_clear(&hash);
		assert_true(bearer_make(&tokens[i], &hash));
		str_printf(&text, "t%u %s\n", i, hash.s);
	}
	parse(text.s, "");
	assert_int_equal(b.count, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		const struct bearer_token *found = NULL;
		struct span one = {tokens[i].s, tokens[i].len};
		char name[16];

		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(
		    bearer_judge(&b, one, method_set_find("PUT", 3),
			(struct span){"/", 1}, 1, &found),
		    BEARER_GRANTED);
		assert_string_equal(found->name, name);
		one.len--;
		assert_int_equal(
		    bearer_judge(&b, one, method_set_find("PUT", 3),
			(struct span){"/", 1}, 1, &found),
		    BEARER_UNKNOWN);
		str_fini(&tokens[i]);
	}
	str_fini(&text);
}

/* Which of the two lines holds would be a guess. */
static void
a_token_has_one_line(void **state)
{
	(void)state;
	parse("ci" HASH " prefix=/a\nci" HASH " prefix=/b\n",
	    "line 2: this hash stands in an earlier line: one line says all "
	    "that a token may\n");
	assert_int_equal(b.count, 1);
}

static void
times_are_read_as_they_are_written(void **state)
{
	static const uint64_t times[] = {
	    0, 951782399, 951782400, 1709164800, 1798761600, 4102444799};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct str text = {0};
		uint64_t s = 1;

		bearer_format_time(times[i], &text);
		assert_true(
		    bearer_read_time((struct span){text.s, text.len}, &s));
		assert_int_equal(s, times[i]);
		str_fini(&text);
	}
}

static int
end(void **state)
{
	(void)state;
	str_fini(&token);
	str_fini(&hash);
	return 0;
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_line_without_limits_allows_all),
	    TEST(another_token_is_unknown),
	    TEST(methods_are_those_of_the_line),
	    TEST(a_prefix_ends_where_a_part_ends),
	    TEST(it_expires_when_its_time_comes),
	    TEST(of_several_lines_each_has_its_limits),
	    TEST(mistakes_are_told_without_what_they_are_in),
	    TEST(of_many_tokens_each_is_known),
	    TEST(a_token_has_one_line),
	    TEST(times_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
