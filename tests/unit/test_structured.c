/*
 * Structured fields: rows of what is a dictionary and what is none, and what
 * is taken out of it.
 */
#include "http/structured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

#define TEXT(s) s, sizeof(s) - 1
#define D3 "123"
#define D12 D3 D3 D3 D3
#define D15 D12 D3
#define A16 "abcdefghijklmnop"
#define A256 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16

enum {
	BAD = -1,
};

/* clang-format off */
static const struct row {
	int members; /* or BAD */
	const char *text;
	size_t len;
} rows[] = {
	/* the dictionary */
	{ 0,   TEXT("") },
	{ 0,   TEXT("   ") },
	{ 1,   TEXT("a=1") },
	{ 1,   TEXT("  a=1  ") },
	{ 2,   TEXT("a=1,b=2") },
	{ 2,   TEXT("a=1 \t,\t  b=2") },
	{ 3,   TEXT("a=1,b=2,a=3") },
	{ 2,   TEXT("a,b") },
	{ 1,   TEXT("a=1\t") },
	{ BAD, TEXT("\ta=1") },
	{ BAD, TEXT(",") },
	{ BAD, TEXT(",a=1") },
	{ BAD, TEXT("a=1,") },
	{ BAD, TEXT("a=1, ") },
	{ BAD, TEXT("a=1,,b=2") },
	{ BAD, TEXT("a=1 b=2") },
	{ BAD, TEXT("a=1;,b=2") },
	{ BAD, TEXT("a=1,b=2\0") },
	{ BAD, TEXT("a=1\0,b=2") },
	{ BAD, TEXT("a=1,\r\nb=2") },
	{ BAD, TEXT("a=1\v,b=2") },
	{ BAD, TEXT("a=1,\xa0" "b=2") },
	{ BAD, TEXT("1") },
	{ BAD, TEXT("\"a\"") },
	{ BAD, TEXT("=1") },

	/* keys */
	{ 1,   TEXT("sha-256=1") },
	{ 1,   TEXT("*") },
	{ 1,   TEXT("*a-._*0=1") },
	{ 1,   TEXT(A256 A256 "=1") },
	{ BAD, TEXT("A=1") },
	{ BAD, TEXT("aB=1") },
	{ BAD, TEXT("SHA-256=:aGVsbG8=:") },
	{ BAD, TEXT("0a=1") },
	{ BAD, TEXT("-a=1") },
	{ BAD, TEXT("_a=1") },
	{ BAD, TEXT(".a=1") },
	{ BAD, TEXT("a!=1") },
	{ BAD, TEXT("a\xe4=1") },
	{ BAD, TEXT("a =1") },
	{ BAD, TEXT("a= 1") },
	{ BAD, TEXT("a\t=1") },
	{ BAD, TEXT("a=") },
	{ BAD, TEXT("a=,b=1") },
	{ BAD, TEXT("a==1") },

	/* parameters */
	{ 1,   TEXT("a=1;b") },
	{ 1,   TEXT("a;b=1;c") },
	{ 1,   TEXT("a=1;   b=2;*c=?0") },
	{ 1,   TEXT("a=1;b=\"x;y,z\";b=:aGk=:;b=@5;b=%\"%c3%bc\"") },
	{ 2,   TEXT("a;b,c;d") },
	{ BAD, TEXT("a=1 ;b=2") },
	{ BAD, TEXT("a=1;\tb=2") },
	{ BAD, TEXT("a=1;B=2") },
	{ BAD, TEXT("a=1;b =2") },
	{ BAD, TEXT("a=1;b= 2") },
	{ BAD, TEXT("a=1;b=") },
	{ BAD, TEXT("a=1;") },
	{ BAD, TEXT("a=1;;b") },
	{ BAD, TEXT("a=1;b=(1)") },

	/* integers and decimals */
	{ 1,   TEXT("a=0") },
	{ 1,   TEXT("a=-0") },
	{ 1,   TEXT("a=007") },
	{ 1,   TEXT("a=" D15) },
	{ 1,   TEXT("a=-" D15) },
	{ 1,   TEXT("a=1.5") },
	{ 1,   TEXT("a=-" D12 ".123") },
	{ BAD, TEXT("a=" D15 "1") },
	{ BAD, TEXT("a=" D12 "1.1") },
	{ BAD, TEXT("a=1.1234") },
	{ BAD, TEXT("a=1.") },
	{ BAD, TEXT("a=.5") },
	{ BAD, TEXT("a=-.5") },
	{ BAD, TEXT("a=1.5.5") },
	{ BAD, TEXT("a=1.-5") },
	{ BAD, TEXT("a=-") },
	{ BAD, TEXT("a=--1") },
	{ BAD, TEXT("a=- 1") },
	{ BAD, TEXT("a=+1") },
	{ BAD, TEXT("a=1e3") },
	{ BAD, TEXT("a=0x1") },

	/* strings */
	{ 1,   TEXT("a=\"\"") },
	{ 1,   TEXT("a=\" , ; = ~\"") },
	{ 1,   TEXT("a=\"\\\"\\\\\"") },
	{ 1,   TEXT("a=\"" A256 A256 A256 A256 "\"") },
	{ BAD, TEXT("a=\"") },
	{ BAD, TEXT("a=\"x") },
	{ BAD, TEXT("a=\"x\"y") },
	{ BAD, TEXT("a=\"\\x\"") },
	{ BAD, TEXT("a=\"\\\"") },
	{ BAD, TEXT("a=\"\\") },
	{ BAD, TEXT("a=\"\t\"") },
	{ BAD, TEXT("a=\"\0\"") },
	{ BAD, TEXT("a=\"\x7f\"") },
	{ BAD, TEXT("a=\"\xc3\xbc\"") },
	{ BAD, TEXT("a='x'") },

	/* tokens */
	{ 1,   TEXT("a=Token") },
	{ 1,   TEXT("a=*") },
	{ 1,   TEXT("a=t!#$%&'*+-.^_`|~:/0Z") },
	{ BAD, TEXT("a=/") },
	{ BAD, TEXT("a=!") },
	{ BAD, TEXT("a=t=") },
	{ BAD, TEXT("a=t(") },
	{ BAD, TEXT("a=t\"x\"") },
	{ BAD, TEXT("a=t@") },
	{ BAD, TEXT("a=t\xfc") },
	{ BAD, TEXT("a=t\0") },
	/* what is written without its colons is one, or nothing */
	{ 1,   TEXT("sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg") },
	{ BAD, TEXT("sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=") },

	/* byte sequences */
	{ 1,   TEXT("a=::") },
	{ 1,   TEXT("a=:aGVsbG8=:") },
	{ 1,   TEXT("a=:aGVsbA==:") },
	{ 1,   TEXT("a=:+/AZ:") },
	/* the RFC asks to take these: no padding, bits left over */
	{ 1,   TEXT("a=:aGVsbG8:") },
	{ 1,   TEXT("a=:aGVsbA:") },
	{ 1,   TEXT("a=:iZ==:") },
	{ BAD, TEXT("a=:") },
	{ BAD, TEXT("a=:aGVsbG8=") },
	{ BAD, TEXT("a=:aGVsbG8=:x") },
	{ BAD, TEXT("a=:a:") },
	{ BAD, TEXT("a=:aGVsb:") },
	{ BAD, TEXT("a=:aGVsbG8==:") },
	{ BAD, TEXT("a=:aGVsbA=:") },
	{ BAD, TEXT("a=:aGVs====:") },
	{ BAD, TEXT("a=:=:") },
	{ BAD, TEXT("a=:====:") },
	{ BAD, TEXT("a=:=aGVsbG8:") },
	{ BAD, TEXT("a=:aG=sbG8=:") },
	{ BAD, TEXT("a=:aGVs bG8=:") },
	{ BAD, TEXT("a=: aGVsbG8=:") },
	{ BAD, TEXT("a=:aGVsbG8=\n:") },
	{ BAD, TEXT("a=:aGVs\0G8=:") },
	{ BAD, TEXT("a=:_-Ah:") },
	{ BAD, TEXT("a=:aGVsbG8\xbd:") },

	/* booleans */
	{ 1,   TEXT("a=?0") },
	{ 1,   TEXT("a=?1;b") },
	{ BAD, TEXT("a=?") },
	{ BAD, TEXT("a=?2") },
	{ BAD, TEXT("a=?T") },
	{ BAD, TEXT("a=?10") },
	{ BAD, TEXT("a=?true") },

	/* dates */
	{ 1,   TEXT("a=@1659578233") },
	{ 1,   TEXT("a=@-1659578233") },
	{ BAD, TEXT("a=@1.5") },
	{ BAD, TEXT("a=@") },
	{ BAD, TEXT("a=@" D15 "1") },
	{ BAD, TEXT("a=@x") },

	/* display strings */
	{ 1,   TEXT("a=%\"\"") },
	{ 1,   TEXT("a=%\"x \\ %22 %25 %00\"") },
	{ 1,   TEXT("a=%\"f%c3%bc%c3%bc\"") },
	{ 1,   TEXT("a=%\"%ef%bb%bf%f0%9f%92%a9\"") },
	{ BAD, TEXT("a=%") },
	{ BAD, TEXT("a=%x") },
	{ BAD, TEXT("a=%\"") },
	{ BAD, TEXT("a=%\"x") },
	{ BAD, TEXT("a=%\"%C3%BC\"") },
	{ BAD, TEXT("a=%\"%c3\"") },
	{ BAD, TEXT("a=%\"%c3%28\"") },
	{ BAD, TEXT("a=%\"%c3x\"") },
	{ BAD, TEXT("a=%\"%a0%a1\"") },
	{ BAD, TEXT("a=%\"%e2%28%a1xxxx\"") },
	{ BAD, TEXT("a=%\"%f0%9f%92\"") },
	{ BAD, TEXT("a=%\"%c0%80\"") },
	{ BAD, TEXT("a=%\"%ed%a0%80\"") },
	{ BAD, TEXT("a=%\"%f4%90%80%80\"") },
	{ BAD, TEXT("a=%\"%a\"") },
	{ BAD, TEXT("a=%\"%") },
	{ BAD, TEXT("a=%\"%g0\"") },
	{ BAD, TEXT("a=%\"%-1\"") },
	{ BAD, TEXT("a=%\"\xc3\xbc\"") },
	{ BAD, TEXT("a=%\"\t\"") },

	/* inner lists */
	{ 1,   TEXT("a=()") },
	{ 1,   TEXT("a=(  )") },
	{ 1,   TEXT("a=(1)") },
	{ 1,   TEXT("a=(  1  2.5 \"x\" t :aGk=: ?1 @5 %\"y\"  );q=1") },
	{ 1,   TEXT("a=(1;x=2;y 2);q") },
	{ 2,   TEXT("a=(\")\"),b=(1)") },
	{ BAD, TEXT("a=(") },
	{ BAD, TEXT("a=(1") },
	{ BAD, TEXT("a=(1 ") },
	{ BAD, TEXT("a=)") },
	{ BAD, TEXT("a=(1,2)") },
	{ BAD, TEXT("a=(1\t2)") },
	{ BAD, TEXT("a=(\"x\"\"y\")") },
	{ BAD, TEXT("a=((1))") },
	{ BAD, TEXT("a=(1)(2)") },
	{ BAD, TEXT("a=(1 ;x)") },
	{ BAD, TEXT("a=(b=1)") },
	{ BAD, TEXT("a=(1))") },
};

/* One member, taken apart. */
static const struct part {
	const char *text, *key;
	enum structured_type type;
	const char *value;
} parts[] = {
	{ "a",                  "a", STRUCTURED_BOOLEAN, "" },
	{ "a;b=:aGk=:",         "a", STRUCTURED_BOOLEAN, "" },
	{ "a=?0",               "a", STRUCTURED_BOOLEAN, "?0" },
	{ "*=-12",              "*", STRUCTURED_INTEGER, "-12" },
	{ "a=1.25;b",           "a", STRUCTURED_DECIMAL, "1.25" },
	{ "a=\"x\\\"\" ",       "a", STRUCTURED_STRING,  "\"x\\\"\"" },
	{ "a=t/x;y=z",          "a", STRUCTURED_TOKEN,   "t/x" },
	{ "sha-256=:aGk=:;q=1", "sha-256", STRUCTURED_BYTES, "aGk=" },
	{ "a=::",               "a", STRUCTURED_BYTES,   "" },
	{ "a=@-5",              "a", STRUCTURED_DATE,    "@-5" },
	{ "a=%\"%c3%bc\"",      "a", STRUCTURED_DISPLAY, "%\"%c3%bc\"" },
	{ "a=(1 2;x);y",        "a", STRUCTURED_LIST,    "(1 2;x)" },
};
/* clang-format on */

/* All members of a text, in memory of its own size, for ASan; or BAD. */
static int
count(const char *text, size_t len)
{
	char *copy = malloc(len);
	struct span rest = {copy, len};
	struct structured_member m;
	enum structured_result got;
	int n = 0;

	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, text, len);
	while ((got = structured_next(&rest, &m)) == STRUCTURED_MEMBER) {
		assert_true(m.type < STRUCTURED_TYPE_COUNT);
		assert_true(m.key.s >= copy && m.key.len > 0);
		assert_true(m.value.s >= m.key.s + m.key.len);
		assert_true(m.value.s + m.value.len <= copy + len);
		n++;
	}
	free(copy);
	return got == STRUCTURED_END ? n : BAD;
}

static void
dictionaries_are_told_from_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];
		int got = count(r->text, r->len);

		if (got != r->members)
			fail_msg("row %zu: %s: %d, not %d", i, r->text, got,
			    r->members);
	}
}

/* What is cut off is a shorter dictionary, or none: never read beyond. */
static void
every_beginning_is_read_safely(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t len = 0; len < rows[i].len; len++)
			assert_in_range(count(rows[i].text, len) + 1, 0, 4);
}

static void
members_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const struct part *p = &parts[i];
		struct span rest = {p->text, strlen(p->text)};
		struct structured_member m;

		assert_int_equal(structured_next(&rest, &m), STRUCTURED_MEMBER);
		assert_int_equal(m.type, p->type);
		assert_int_equal(m.key.len, strlen(p->key));
		assert_memory_equal(m.key.s, p->key, m.key.len);
		assert_int_equal(m.value.len, strlen(p->value));
		assert_memory_equal(m.value.s, p->value, m.value.len);
		assert_int_equal(structured_next(&rest, &m), STRUCTURED_END);
	}
}

static void
a_thousand_members_are_no_matter(void **state)
{
	char text[16 * 1024];
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 1024; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    i == 0 ? "k%u=%u" : ",k%u=%u", i, i);
	assert_int_equal(count(text, len), 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dictionaries_are_told_from_others),
	    cmocka_unit_test(every_beginning_is_read_safely),
	    cmocka_unit_test(members_are_taken_apart),
	    cmocka_unit_test(a_thousand_members_are_no_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
