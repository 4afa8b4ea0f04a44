/*
 * Names: what is taken, what is refused and how, and that a name that is
 * written into a URL comes back as it was.
 */
#include "upload/names.h"

#include "http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s) s, sizeof(s) - 1
#define P15 "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"

/* clang-format off */
static const struct row {
	const char *raw;
	size_t len;
	int status, with_dots; /* without and with `dotfiles` */
	const char *name;      /* what a taken one becomes */
} rows[] = {
	{ TEXT("a"), 0, 0, "a" },
	{ TEXT("a/b.bin"), 0, 0, "a/b.bin" },
	{ TEXT("a%20b%2Ec"), 0, 0, "a b.c" },
	{ TEXT("%61%2D"), 0, 0, "a-" },
	{ TEXT("a+b"), 0, 0, "a+b" },
	{ TEXT("%C3%a4"), 0, 0, "\xc3\xa4" },
	{ TEXT("\xc3\xa4"), 0, 0, "\xc3\xa4" },
	{ TEXT("%F0%9F%98%80"), 0, 0, "\xf0\x9f\x98\x80" },
	{ TEXT("-rf"), 0, 0, "-rf" },
	{ TEXT("a~"), 0, 0, "a~" },
	{ TEXT("~"), 0, 0, "~" },
	{ TEXT("a:b*?\"<>|"), 0, 0, "a:b*?\"<>|" },
	{ TEXT("CON"), 0, 0, "CON" },
	{ TEXT("a."), 0, 0, "a." },
	{ TEXT("a%20"), 0, 0, "a " },
	{ TEXT("a.."), 0, 0, "a.." },
	{ TEXT("a..b/c"), 0, 0, "a..b/c" },
	{ TEXT("%252e%252e"), 0, 0, "%2e%2e" },
	{ TEXT("%2525"), 0, 0, "%25" },
	{ TEXT("%252f"), 0, 0, "%2f" },
	{ TEXT(P15 "a"), 0, 0, P15 "a" },
	/* empty parts */
	{ TEXT(""), 400, 400, NULL },
	{ TEXT("/"), 400, 400, NULL },
	{ TEXT("/a"), 400, 400, NULL },
	{ TEXT("a/"), 400, 400, NULL },
	{ TEXT("a//b"), 400, 400, NULL },
	{ TEXT(P15 "a/"), 400, 400, NULL },
	/* dots */
	{ TEXT("."), 400, 400, NULL },
	{ TEXT(".."), 400, 400, NULL },
	{ TEXT("../a"), 400, 400, NULL },
	{ TEXT("a/../b"), 400, 400, NULL },
	{ TEXT("a/.."), 400, 400, NULL },
	{ TEXT("a/./b"), 400, 400, NULL },
	{ TEXT("%2e"), 400, 400, NULL },
	{ TEXT("%2e%2E"), 400, 400, NULL },
	{ TEXT(".%2e/a"), 400, 400, NULL },
	{ TEXT(".a"), 400, 0, ".a" },
	{ TEXT("a/.b"), 400, 0, "a/.b" },
	{ TEXT("%2ea"), 400, 0, ".a" },
	{ TEXT("..."), 400, 0, "..." },
	{ TEXT("..a"), 400, 0, "..a" },
	{ TEXT(".penstock"), 400, 400, NULL },
	{ TEXT(".penstock/a"), 400, 400, NULL },
	{ TEXT("a/.penstock"), 400, 400, NULL },
	{ TEXT("%2epenst%6fck/a"), 400, 400, NULL },
	{ TEXT(".penstocks"), 400, 0, ".penstocks" },
	{ TEXT(".penstock.conf"), 400, 0, ".penstock.conf" },
	{ TEXT("a/.penstock-0123456789abcdef.part"), 400, 400, NULL },
	{ TEXT(".Penstock"), 400, 400, NULL },
	{ TEXT(".PENSTOCK-x"), 400, 400, NULL },
	{ TEXT(".penstock. ."), 400, 400, NULL },
	{ TEXT("penstock"), 0, 0, "penstock" },
	/* escapes */
	{ TEXT("%"), 400, 400, NULL },
	{ TEXT("a%"), 400, 400, NULL },
	{ TEXT("a%2"), 400, 400, NULL },
	{ TEXT("%zz"), 400, 400, NULL },
	{ TEXT("%0x"), 400, 400, NULL },
	{ TEXT("% 1"), 400, 400, NULL },
	{ TEXT("%+1"), 400, 400, NULL },
	{ TEXT("%u0041"), 400, 400, NULL },
	{ TEXT("%%41"), 400, 400, NULL },
	{ TEXT("a%2fb"), 400, 400, NULL },
	{ TEXT("..%2Fa"), 400, 400, NULL },
	/* bytes */
	{ TEXT("%00"), 400, 400, NULL },
	{ TEXT("a%00b"), 400, 400, NULL },
	{ TEXT("a\0b"), 400, 400, NULL },
	{ TEXT("a%0ab"), 400, 400, NULL },
	{ TEXT("a%0D"), 400, 400, NULL },
	{ TEXT("a%1b"), 400, 400, NULL },
	{ TEXT("a\tb"), 400, 400, NULL },
	{ TEXT("%7f"), 400, 400, NULL },
	{ TEXT("%C2%80"), 400, 400, NULL },
	{ TEXT("%C2%9f"), 400, 400, NULL },
	{ TEXT("%E2%80%A8"), 400, 400, NULL }, /* U+2028 */
	{ TEXT("%E2%80%AE"), 400, 400, NULL }, /* U+202E */
	{ TEXT("%E2%81%A6"), 400, 400, NULL }, /* U+2066 */
	{ TEXT("%EF%BB%BF"), 400, 400, NULL }, /* U+FEFF */
	{ TEXT("a\\b"), 400, 400, NULL },
	{ TEXT("..%5ca"), 400, 400, NULL },
	/* not UTF-8 */
	{ TEXT("%ff"), 400, 400, NULL },
	{ TEXT("%80"), 400, 400, NULL },
	{ TEXT("%C3"), 400, 400, NULL },
	{ TEXT("%C3/%A4"), 400, 400, NULL },
	{ TEXT("%C0%AE"), 400, 400, NULL },
	{ TEXT("%E0%80%AE"), 400, 400, NULL },
	{ TEXT("%ED%A0%80"), 400, 400, NULL },
	{ TEXT("%F4%90%80%80"), 400, 400, NULL },
	/* depth */
	{ TEXT(P15 "a/a"), 400, 400, NULL },
};
/* clang-format on */

static int
decode(const char *raw, size_t len, bool dotfiles, char *name)
{
	char *copy = malloc(len > 0 ? len : 1);
	const char *why = NULL;
	int status;

	assert_non_null(copy);
	memcpy(copy, raw, len);
	status = answer_status(names_decode(copy, len, dotfiles, name, &why));
	if (status != 0)
		assert_non_null(why);
	free(copy);
	return status;
}

static void
names_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];
		char name[FILE_NAME_SIZE];
		int plain = decode(r->raw, r->len, false, name);
		int dots = decode(r->raw, r->len, true, name);

		if (plain != r->status || dots != r->with_dots)
			fail_msg("%s: %d and %d, not %d and %d", r->raw, plain,
			    dots, r->status, r->with_dots);
		if (dots == 0)
			assert_string_equal(name, r->name);
	}
}

static void
lengths_are_exact(void **state)
{
	char raw[4 * FILE_NAME_MAX], name[FILE_NAME_SIZE];

	(void)state;
	memset(raw, 'a', sizeof(raw));
	assert_int_equal(decode(raw, FILE_NAME_PART_MAX, false, name), 0);
	assert_int_equal(decode(raw, FILE_NAME_PART_MAX + 1, false, name), 400);
	assert_int_equal(decode(raw, FILE_NAME_MAX + 1, false, name), 414);
	for (size_t i = 200; i < sizeof(raw); i += 200)
		raw[i] = '/';
	assert_int_equal(decode(raw, FILE_NAME_MAX, false, name), 0);
	assert_int_equal(strlen(name), FILE_NAME_MAX);
	assert_int_equal(decode(raw, FILE_NAME_MAX + 1, false, name), 414);

	/* What counts is the name, not how it was written. */
	for (size_t i = 0; i < FILE_NAME_PART_MAX; i++)
		memcpy(raw + 3 * i, "%61", 3);
	assert_int_equal(decode(raw, 3 * FILE_NAME_PART_MAX, false, name), 0);
	assert_int_equal(strlen(name), FILE_NAME_PART_MAX);
	for (size_t i = 0; i <= FILE_NAME_MAX; i++)
		memcpy(raw + 3 * i, i % 200 == 199 ? "//b" : "%61", 3);
	assert_int_equal(
	    decode(raw, 3 * (FILE_NAME_MAX + 1), false, name), 414);
}

static void
the_reason_says_what_to_change(void **state)
{
	char name[FILE_NAME_SIZE];
	static const char slash[] =
	    "the path ends in a slash, as a directory's does: add a name after "
	    "the slash (curl -T adds the file's own), or leave out the slash";
	/* clang-format off */
	static const struct {
		const char *name, *why;
	} signs[] = {
		{ "a\x1f", "the name has U+001F, a control character" },
		{ "a\x7f", "the name has U+007F, a control character" },
		{ "a\xc2\x85", "the name has U+0085, a control character" },
		{ "a\xe2\x80\xa9", "the name has U+2029, a separator of lines" },
		{ "a\xe2\x80\xaa", "the name has U+202A, which changes the direction" },
		{ "a\xe2\x81\xa9", "the name has U+2069, which changes the direction" },
		{ "a\xef\xbb\xbf", "the name has U+FEFF, a byte order mark" },
	};
	/* clang-format on */
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(signs); i++) {
		assert_int_equal(answer_status(names_decode(signs[i].name,
				     strlen(signs[i].name), true, name, &why)),
		    400);
		assert_ptr_equal(strstr(why, signs[i].why), why);
	}
	assert_int_equal(
	    answer_status(names_decode("", 0, false, name, &why)), 400);
	assert_string_equal(why, slash);
	assert_int_equal(
	    answer_status(names_decode("a/", 2, false, name, &why)), 400);
	assert_string_equal(why, slash);
}

static void
generated_names_are_names_and_differ(void **state)
{
	char a[NAMES_GENERATED + 1], b[NAMES_GENERATED + 1];
	char name[FILE_NAME_SIZE];

	(void)state;
	names_generate(a);
	names_generate(b);
	assert_int_equal(strlen(a), NAMES_GENERATED);
	assert_int_equal(decode(a, strlen(a), false, name), 0);
	assert_string_equal(a, name);
	assert_true(a[8] == 'T' && a[18] == 'Z' && a[19] == '-');
	assert_int_equal(strspn(a + 20, "0123456789abcdef"), 16);
	assert_string_not_equal(a + 20, b + 20);
	assert_true(strncmp(a, b, 19) <= 0);
}

static void
encoded_names_come_back(void **state)
{
	struct str out = {0};
	char all[2 * 256], name[FILE_NAME_SIZE];
	size_t n = 0;

	(void)state;
	names_encode("a/b c%20\"<#?>\xc3\xa4-._~!$&'()*+,;=:@", &out);
	assert_string_equal(
	    out.s, "a/b%20c%2520%22%3C%23%3F%3E%C3%A4-._~!$&'()*+,;=:@");
	str_clear(&out);

	for (unsigned c = 0x20; c < 0x7f; c++)
		if (c != '\\' && c != '/')
			all[n++] = (char)c;
	all[n] = '\0';
	names_encode(all, &out);
	assert_false(str_failed(&out));
	assert_int_equal(decode(out.s, out.len, false, name), 0);
	assert_string_equal(name, all);
	str_fini(&out);
}

static void
a_path_leads_to_the_file(void **state)
{
	struct str out = {0};

	(void)state;
	names_add_path("/file", "a/b c", &out);
	assert_string_equal(out.s, "/file/a/b%20c");
	str_clear(&out);
	names_add_path("/", "x", &out);
	assert_string_equal(out.s, "/x");
	str_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_taken_or_refused),
	    cmocka_unit_test(lengths_are_exact),
	    cmocka_unit_test(the_reason_says_what_to_change),
	    cmocka_unit_test(generated_names_are_names_and_differ),
	    cmocka_unit_test(encoded_names_come_back),
	    cmocka_unit_test(a_path_leads_to_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
