/*
 * Checksums: the vectors that are published, cut in every way; what they are
 * written as; and what is not to be had.
 */
#include "base/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/str.h"

#define TEXT(s) s, sizeof(s) - 1

/* The messages of FIPS 180-4, which have 448 and 896 bits. */
#define BITS_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define BITS_896                                                               \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"             \
	"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
#define X8(s) s s s s s s s s

enum {
	ALL = (1U << DIGEST_COUNT) - 1,
};

/* clang-format off */
static const struct row {
	enum digest_algo algo;
	const char *text;
	size_t len;
	const char *hex;
} rows[] = {
	/* RFC 3720 B.4, and the check value of every CRC catalogue */
	{ DIGEST_CRC32C, TEXT(""), "00000000" },
	{ DIGEST_CRC32C, TEXT("123456789"), "e3069283" },
	{ DIGEST_CRC32C, TEXT(X8("\0\0\0\0")), "8a9136aa" },
	{ DIGEST_CRC32C, TEXT(X8("\377\377\377\377")), "62a8ab43" },
	{ DIGEST_CRC32C, TEXT("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23"
	    "\24\25\26\27\30\31\32\33\34\35\36\37"), "46dd794e" },
	{ DIGEST_CRC32C, TEXT("\37\36\35\34\33\32\31\30\27\26\25\24\23\22\21\20\17"
	    "\16\15\14\13\12\11\10\7\6\5\4\3\2\1\0"), "113fdb5c" },
	{ DIGEST_CRC32C, TEXT("\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0"
	    "\0\0\0\x14\0\0\0\x18\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"), "d9963a56" },
	/* RFC 1321 A.5 */
	{ DIGEST_MD5, TEXT(""), "d41d8cd98f00b204e9800998ecf8427e" },
	{ DIGEST_MD5, TEXT("a"), "0cc175b9c0f1b6a831c399e269772661" },
	{ DIGEST_MD5, TEXT("abc"), "900150983cd24fb0d6963f7d28e17f72" },
	{ DIGEST_MD5, TEXT("message digest"), "f96b697d7cb7938d525a2f31aaf161d0" },
	{ DIGEST_MD5, TEXT("abcdefghijklmnopqrstuvwxyz"),
	    "c3fcd3d76192e4007dfb496cca67e13b" },
	{ DIGEST_MD5, TEXT(X8("1234567890")), "57edf4a22be3c955ac49da2e2107b67a" },
	/* FIPS 180-4 */
	{ DIGEST_SHA1, TEXT(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ DIGEST_SHA1, TEXT("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ DIGEST_SHA1, TEXT(BITS_448),
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	{ DIGEST_SHA256, TEXT(""),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ DIGEST_SHA256, TEXT("abc"),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_SHA256, TEXT(BITS_448),
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ DIGEST_SHA512, TEXT(""),
	    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ DIGEST_SHA512, TEXT("abc"),
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ DIGEST_SHA512, TEXT(BITS_896),
	    "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	    "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
};

/* The million letters a of FIPS 180-4; the CRC and MD5 are other tools'. */
static const char *const million[DIGEST_COUNT] = {
	[DIGEST_CRC32C] = "436fe240",
	[DIGEST_MD5] = "7707d6ae4e027c70eea2a935c2296f21",
	[DIGEST_SHA1] = "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
	[DIGEST_SHA256] =
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	[DIGEST_SHA512] =
	    "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
	    "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
};

/* RFC 9530 appendix D: all of {"hello": "world"}. */
static const char *const fields[DIGEST_COUNT] = {
	[DIGEST_CRC32C] = "crc32c=:Q3lHIA==:",
	[DIGEST_MD5] = "md5=:Sd/dVLAcvNLSq16eXua5uQ==:",
	[DIGEST_SHA256] = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
	[DIGEST_SHA512] = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+"
	    "AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
};
/* clang-format on */

static struct digest *
begin(unsigned set)
{
	struct digest *d = NULL;

	assert_int_equal(digest_new(set, &d), 0);
	assert_int_equal(digest_set(d), set);
	return d;
}

static void
expect_hex(const struct digest *d, enum digest_algo a, const char *hex)
{
	struct str s = {0};

	digest_add_hex(&s, a, digest_value(d, a));
	assert_string_equal(s.s, hex);
	str_fini(&s);
}

/* Bytes at the very end, or start, of memory that may be read. */
struct guarded {
	unsigned char *map, *begin, *end;
	size_t page;
};

static void
guard(struct guarded *g)
{
	g->page = (size_t)sysconf(_SC_PAGESIZE);
	g->map = mmap(
	    NULL, 3 * g->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(g->map, MAP_FAILED);
	g->begin = g->map + g->page;
	g->end = g->begin + g->page;
	assert_int_equal(
	    mprotect(g->begin, g->page, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < g->page; i++)
		g->begin[i] = (unsigned char)(i * 7 + i / 256);
}

static void
published_vectors_come_out_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];

		for (size_t first = 0; first <= r->len; first++) {
			struct digest *d = begin(digest_bit(r->algo));
			size_t rest = r->len - first;

			assert_int_equal(digest_update(d, r->text, first), 0);
			assert_int_equal(
			    digest_update(d, r->text + first, rest), 0);
			assert_int_equal(digest_finish(d), 0);
			expect_hex(d, r->algo, r->hex);
			digest_free(&d);
			assert_null(d);
		}
	}
}

static void
several_are_computed_at_a_time(void **state)
{
	static const size_t pieces[] = {1, 63, 64, 65, 1000, 4096, 1000000};
	char *text = malloc(1000000);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', 1000000);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct digest *d = begin(ALL);
		size_t n;

		for (size_t at = 0; at < 1000000; at += n) {
			n = 1000000 - at;
			n = n < pieces[i] ? n : pieces[i];
			assert_int_equal(digest_update(d, text + at, n), 0);
		}
		assert_int_equal(digest_finish(d), 0);
		for (unsigned a = 0; a < DIGEST_COUNT; a++)
			expect_hex(d, a, million[a]);
		digest_free(&d);
	}
	free(text);
}

/* CRC-32C bit by bit, as RFC 3720 defines it. */
static uint32_t
plain_crc(const unsigned char *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

/* ISA-L has a path for each length and alignment, and none of them is seen by
 * the sanitizers. */
static void
crc_is_right_for_all_lengths_and_reads_no_further(void **state)
{
	struct guarded g;

	(void)state;
	guard(&g);
	for (size_t len = 0; len <= g.page; len += len < 1100 ? 1 : 61) {
		const unsigned char *at[] = {
		    g.begin, g.end - len, g.begin + (g.page - len) / 2};

		for (size_t i = 0; i < COUNT_OF(at); i++) {
			struct digest *d = begin(digest_bit(DIGEST_CRC32C));
			uint32_t want = plain_crc(at[i], len);
			const unsigned char *v;

			assert_int_equal(digest_update(d, at[i], len), 0);
			assert_int_equal(digest_finish(d), 0);
			v = digest_value(d, DIGEST_CRC32C);
			assert_int_equal((uint32_t)v[0] << 24 | v[1] << 16 |
					     v[2] << 8 | v[3],
			    want);
			digest_free(&d);
		}
	}
	munmap(g.map, 3 * g.page);
}

static void
fields_are_those_of_the_rfc(void **state)
{
	static const char text[] = "{\"hello\": \"world\"}";
	struct digest *d = begin(ALL);

	(void)state;
	assert_int_equal(digest_update(d, TEXT(text)), 0);
	assert_int_equal(digest_finish(d), 0);
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		struct str s = {0};

		if (a == DIGEST_SHA1) { /* it is in no field */
			assert_null(digest_kinds[a].name);
			continue;
		}
		digest_add_field(&s, a, digest_value(d, a));
		assert_string_equal(s.s, fields[a]);
		str_fini(&s);
	}
	digest_free(&d);
}

static void
a_claim_that_does_not_hold_is_named(void **state)
{
	struct digest_claims claims = {0};
	struct digest *d = begin(ALL);

	(void)state;
	assert_int_equal(digest_update(d, "x", 1), 0);
	assert_int_equal(digest_finish(d), 0);
	assert_int_equal(digest_differ(d, &claims), 0);
	claims.set = ALL;
	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		memcpy(
		    claims.value[a], digest_value(d, a), digest_kinds[a].len);
	assert_int_equal(digest_differ(d, &claims), 0);
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		unsigned char *v = claims.value[a];
		size_t last = digest_kinds[a].len - 1;

		v[last] ^= 1;
		assert_int_equal(digest_differ(d, &claims), digest_bit(a));
		v[last] ^= 1;
		v[0] ^= 0x80;
		assert_int_equal(digest_differ(d, &claims), digest_bit(a));
		claims.set = ALL & ~digest_bit(a);
		assert_int_equal(digest_differ(d, &claims), 0);
		claims.set = ALL;
		v[0] ^= 0x80;
	}
	digest_free(&d);
}

static void
one_that_is_not_finished_can_be_freed(void **state)
{
	struct digest *d = begin(ALL), *none = NULL;

	(void)state;
	assert_int_equal(digest_update(d, "x", 1), 0);
	digest_free(&d);
	d = begin(ALL);
	digest_free(&d);
	digest_free(&none);
}

/* As in FIPS mode; there is no FIPS module here, so all of them are refused. */
static void
what_libcrypto_refuses_is_an_error(void **state)
{
	struct digest *d = NULL;

	(void)state;
	digest_stop();
	assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
	assert_int_equal(digest_start(), digest_bit(DIGEST_CRC32C));
	for (unsigned a = DIGEST_MD5; a < DIGEST_COUNT; a++)
		assert_int_equal(digest_new(digest_bit(a), &d), -EOPNOTSUPP);
	assert_int_equal(digest_new(ALL, &d), -EOPNOTSUPP);
	assert_null(d);
	d = begin(digest_bit(DIGEST_CRC32C));
	digest_free(&d);

	digest_stop();
	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	assert_int_equal(digest_start(), ALL);
	assert_int_equal(digest_start(), ALL);
}

static int
start(void **state)
{
	(void)state;
	return digest_start() == ALL ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	digest_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_vectors_come_out_however_they_are_cut),
	    cmocka_unit_test(several_are_computed_at_a_time),
	    cmocka_unit_test(crc_is_right_for_all_lengths_and_reads_no_further),
	    cmocka_unit_test(fields_are_those_of_the_rfc),
	    cmocka_unit_test(a_claim_that_does_not_hold_is_named),
	    cmocka_unit_test(one_that_is_not_finished_can_be_freed),
	    cmocka_unit_test(what_libcrypto_refuses_is_an_error),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
