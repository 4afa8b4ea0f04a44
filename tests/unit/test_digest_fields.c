/*
 * The checksums of a client: rows of field lines, and what is claimed by them.
 */
#include "http/digest_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/head.h"

/* Digests of {"hello": "world"}, without and with a line end. */
#define S256 "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="
#define OTHER "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define S512                                                                   \
	"WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyea" \
	"ldVLvRwEmTHWXvJwew=="
#define MD5 "Sd/dVLAcvNLSq16eXua5uQ=="
#define HEX "5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1"

#define C "Content-Digest: "
#define R "Repr-Digest: "
#define M "Content-MD5: "
#define LINE(s) s "\r\n"

enum {
	NONE = 0,
	BAD = -1,
	SHA256 = 1 << DIGEST_SHA256,
	SHA512 = 1 << DIGEST_SHA512,
	IS_MD5 = 1 << DIGEST_MD5,
};

/* clang-format off */
static const struct row {
	int set; /* what is claimed, always with the values above; or BAD */
	const char *lines, *why; /* and a part of the sentence */
} rows[] = {
	{ NONE,   "" },
	{ SHA256, LINE(C "sha-256=:" S256 ":") },
	{ SHA256, LINE(R "sha-256=:" S256 ":") },
	{ SHA512, LINE("repr-digest:sha-512=:" S512 ":") },
	{ IS_MD5, LINE(M MD5) },
	{ IS_MD5, LINE("CONTENT-MD5:\t" MD5 " \t") },

	/* lists, and lines of them */
	{ SHA256 | SHA512, LINE(C "sha-512=:" S512 ":,sha-256=:" S256 ":") },
	{ SHA256 | SHA512, LINE(C "sha-512=:" S512 ":") LINE(C "sha-256=:" S256 ":") },
	{ SHA256 | SHA512, LINE(C "sha-512=:" S512 ":") LINE(R "sha-256=:" S256 ":") },
	{ SHA256 | SHA512 | IS_MD5, LINE(M MD5) LINE(R "sha-256=:" S256 ":")
	    LINE(C "sha-512=:" S512 ":") },
	{ SHA256, LINE(C "a,b") LINE(C "c") LINE(C "d") LINE(C "e") LINE(C "f")
	    LINE(C "g") LINE(C "h") LINE(C "sha-256=:" S256 ":") },
	{ NONE,   LINE(C) },
	{ NONE,   LINE(C) LINE(R " \t ") },
	{ BAD,    LINE(C) LINE(C "sha-256=:" S256 ":"), "Content-Digest must be a list" },
	{ BAD,    LINE(C "sha-256=:" S256 ":") LINE(C), "Content-Digest must be a list" },
	{ BAD,    LINE(R) LINE(R), "Repr-Digest must be a list" },
	{ BAD,    LINE(R "sha-256=:" S256 ":,"), "Repr-Digest must be a list" },
	{ BAD,    LINE(R "sha-256=:" S256 ":,") LINE(R "a=1"), "Repr-Digest must be a list" },
	{ BAD,    LINE(R "sha-256=:" S256 ":") LINE(R ",a=1"), "Repr-Digest must be a list" },
	{ BAD,    LINE(C "a=\"x") LINE(C "y\""), "Content-Digest must be a list" },

	/* parameters do not matter */
	{ SHA256, LINE(C "sha-256=:" S256 ":;q=1; x=\"y,z\"") },
	{ NONE,   LINE(C "a;sha-256=:" S256 ":") },

	/* the last of its name counts, whatever the ones before it were */
	{ SHA256, LINE(C "sha-256=:" OTHER ":, sha-256=:" S256 ":") },
	{ SHA256, LINE(C "sha-256=:" OTHER ":") LINE(C "sha-256=:" S256 ":") },
	{ SHA256, LINE(C "sha-256=1, sha-256, sha-256=:" S256 ":") },
	{ BAD,    LINE(C "sha-256=:" S256 ":, sha-256"), "sha-256 must be 32 bytes" },
	{ BAD,    LINE(C "sha-256=:" S256 ":, sha-256=:aGk=:"), "sha-256 must be 32 bytes" },

	/* others are passed over, if they are well-formed */
	{ NONE,   LINE(C "md5=:" MD5 ":") },
	{ NONE,   LINE(C "sha=:aGk=:, unixsum=:AA==:, crc32c=:aGk=:, adler=::") },
	{ NONE,   LINE(C "sha-256-x=5, sha-25=6, sha-384=t, id-sha-256=:aGk=:") },
	{ NONE,   LINE(C "x=5, y=1.5, z=\"s\", t=to/ken, b=?0, d=@5, u=%\"%c3%bc\", l=(1 2)") },
	{ SHA256, LINE(C "x=5, sha-256=:" S256 ":, y=(a b);c") },
	{ BAD,    LINE(C "md5=:" MD5), "Content-Digest must be a list" },
	{ BAD,    LINE(C "sha-256=:" S256 ":, x=") },
	{ BAD,    LINE(C "sha-256=:" S256 ":, x=\xc3\xbc") },
	{ NONE,   LINE("Digest: SHA-256=" S256) },
	{ NONE,   LINE("Unencoded-Digest: ,,,") LINE("Want-Repr-Digest: ,") },
	{ NONE,   LINE("Repr-Digests: ,") LINE("X-Content-MD5: x") },

	/* a value that is none */
	{ BAD,    LINE(C "SHA-256=:" S256 ":"), "names in lower case" },
	{ BAD,    LINE(C "sha-256=" S256), "values between colons" },
	{ BAD,    LINE(C "sha-256:" S256 ":"), "Content-Digest must be a list" },
	{ BAD,    LINE(R "sha-256=\"" S256 "\""), "Repr-Digest: sha-256 must be 32 bytes" },
	{ BAD,    LINE(R "sha-256=" HEX), "Repr-Digest must be a list" },
	{ BAD,    LINE(R "sha-256=:" HEX ":"), "hexadecimal" },
	{ BAD,    LINE(R "sha-256"), "Repr-Digest: sha-256 must be" },
	{ BAD,    LINE(R "sha-256=?1"), "Repr-Digest: sha-256 must be" },
	{ BAD,    LINE(R "sha-256=(:" S256 ":)"), "Repr-Digest: sha-256 must be" },
	{ BAD,    LINE(R "sha-256=::"), "Repr-Digest: sha-256 must be" },
	{ BAD,    LINE(R "sha-256=:" S512 ":"), "Repr-Digest: sha-256 must be" },
	{ BAD,    LINE(R "sha-512=:" S256 ":"), "Repr-Digest: sha-512 must be 64" },
	{ BAD,    LINE(C "sha-512=5"), "Content-Digest: sha-512 must be 64" },
	/* base64: no padding, too much of it, bits behind the end, url-safe */
	{ BAD,    LINE(C "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE:"), "padded" },
	{ BAD,    LINE(C "sha-256=:" S256 "=:") },
	{ BAD,    LINE(C "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPF=:"), "padded" },
	{ BAD,    LINE(C "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:") },
	{ BAD,    LINE(C "sha-256=: " S256 ":") },
	{ BAD,    LINE(C "sha-256=:" S256 " :") },

	/* the two must agree, since they mean the same */
	{ SHA256, LINE(C "sha-256=:" S256 ":") LINE(R "sha-256=:" S256 ":") },
	{ BAD,    LINE(C "sha-256=:" S256 ":") LINE(R "sha-256=:" OTHER ":"),
	    "different values for sha-256" },
	{ SHA256, LINE(C "sha-256=:" OTHER ":,sha-256=:" S256 ":") LINE(R "sha-256=:" S256 ":") },

	/* Content-MD5 is base64 and nothing else */
	{ BAD,    LINE(M), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M ":" MD5 ":"), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M MD5 ", " MD5), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M MD5 ";q=1"), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M "\"" MD5 "\""), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M "Sd/dVLAcvNLSq16eXua5uQ"), "padded" },
	{ BAD,    LINE(M "Sd/dVLAcvNLSq16eXua5uR=="), "padded" },
	{ BAD,    LINE(M "49dfdd54b01cbcd2d2ab5e9e5ee6b9b9"), "hexadecimal" },
	{ BAD,    LINE(M S256), "Content-MD5 must be 16 bytes" },
	{ BAD,    LINE(M "Sd/dVLAcvNLSq16eXua5u\xd9=="), "Content-MD5 must be 16 bytes" },

	/* what the head itself refuses */
	{ BAD,    LINE(M MD5) LINE(M MD5), "Content-MD5 is given twice" },
	{ BAD,    LINE(C "a") LINE(C "b") LINE(C "c") LINE(C "d") LINE(C "e")
	    LINE(C "f") LINE(C "g") LINE(C "h") LINE(C "i"), "more than 8 lines" },
};
/* clang-format on */

/* The answer to a head with these lines: 0 or a status. */
static int
read_lines(const char *lines, struct digest_claims *ret, const char **ret_why)
{
	static const struct head_limits limits = {8192, 32768, 100};
	struct head_scan scan = {0};
	struct str text = {0};
	struct head h;
	char *copy;
	int status;

	str_printf(&text, "PUT /a HTTP/1.1\r\nHost: h\r\n%s\r\n", lines);
	assert_int_equal(head_scan(&scan, &limits, text.s, text.len, ret_why),
	    HEAD_COMPLETE);
	copy = malloc(text.len);
	assert_non_null(copy);
	memcpy(copy, text.s, text.len);
	status = head_parse(copy, text.len, &h, ret_why);
	if (status == 0)
		status = digest_fields_read(&h, ret, ret_why);
	free(copy);
	str_fini(&text);
	return status;
}

static void
expect_values(const struct digest_claims *claims)
{
	static const char *const want[DIGEST_COUNT] = {
	    [DIGEST_MD5] = "md5=:" MD5 ":",
	    [DIGEST_SHA256] = "sha-256=:" S256 ":",
	    [DIGEST_SHA512] = "sha-512=:" S512 ":",
	};

	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		struct str s = {0};

		if ((claims->set & digest_bit(a)) == 0)
			continue;
		digest_add_field(&s, a, claims->value[a]);
		assert_string_equal(s.s, want[a]);
		str_fini(&s);
	}
}

static void
claims_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];
		struct digest_claims claims;
		const char *why = NULL;
		int got;

		memset(&claims, 0xa5, sizeof(claims));
		got = read_lines(r->lines, &claims, &why);
		if (got != (r->set == BAD ? 400 : 0))
			fail_msg("row %zu: %s: %d, %s", i, r->lines, got,
			    why ? why : "fine");
		if (r->set == BAD) {
			assert_non_null(why);
			if (r->why != NULL && strstr(why, r->why) == NULL)
				fail_msg("row %zu: %s: %s", i, r->lines, why);
			continue;
		}
		if (claims.set != (unsigned)r->set)
			fail_msg("row %zu: %s: %x", i, r->lines, claims.set);
		expect_values(&claims);
	}
}

/* A list as long as a head may be is read, and its last member counts. */
static void
a_long_list_is_read_to_its_end(void **state)
{
	struct str lines = {0};
	struct digest_claims claims;
	const char *why = NULL;

	(void)state;
	str_puts(&lines, C);
	while (lines.len < 30000)
		str_puts(&lines, "sha-256=:" OTHER ":;x=(1, ");
	str_puts(&lines, "\r\n");
	assert_int_equal(read_lines(lines.s, &claims, &why), 400);

	str_clear(&lines);
	str_puts(&lines, C);
	while (lines.len < 30000)
		str_puts(&lines, "sha-256=:" OTHER ":;x=\"(\", ");
	str_puts(&lines, "sha-256=:" S256 ":\r\n");
	assert_int_equal(read_lines(lines.s, &claims, &why), 0);
	assert_int_equal(claims.set, SHA256);
	expect_values(&claims);
	str_fini(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(claims_are_read_or_refused),
	    cmocka_unit_test(a_long_list_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
