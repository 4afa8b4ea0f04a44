#include "base/digest.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"

/* clang-format off */
const struct digest_kind digest_kinds[DIGEST_COUNT] = {
	[DIGEST_CRC32C] = { "crc32c",  "crc32c", 4 },
	[DIGEST_MD5]    = { "md5",     "md5",    16 },
	[DIGEST_SHA1]   = { NULL,      "sha1",   20 },
	[DIGEST_SHA256] = { "sha-256", "sha256", 32 },
	[DIGEST_SHA512] = { "sha-512", "sha512", 64 },
};

/* libcrypto's names; the others are not computed by it. */
static const char *const libcrypto_names[DIGEST_COUNT] = {
	[DIGEST_MD5]    = "MD5",
	[DIGEST_SHA1]   = "SHA1",
	[DIGEST_SHA256] = "SHA256",
	[DIGEST_SHA512] = "SHA512",
};
/* clang-format on */

/* Looking one up takes longer than hashing a small file, so it is done once. */
static EVP_MD *methods[DIGEST_COUNT];
static unsigned offered; /* 0: not started */

struct digest {
	unsigned set;
	bool finished;
	uint32_t crc;
	EVP_MD_CTX *ctx[DIGEST_COUNT]; /* NULL: not libcrypto's, or not asked */
	unsigned char value[DIGEST_COUNT][DIGEST_LEN_MAX];
};

unsigned
digest_start(void)
{
	if (offered != 0)
		return offered;
	offered = digest_bit(DIGEST_CRC32C);
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (libcrypto_names[a] == NULL)
			continue;
		methods[a] = EVP_MD_fetch(NULL, libcrypto_names[a], NULL);
		if (methods[a] != NULL)
			offered |= digest_bit(a);
	}
	return offered;
}

void
digest_stop(void)
{
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		EVP_MD_free(methods[a]);
		methods[a] = NULL;
	}
	offered = 0;
}

int
digest_new(unsigned set, struct digest **ret)
{
	struct digest *d;

	check(offered != 0);
	check(set != 0 && set < digest_bit(DIGEST_COUNT));
	if ((set & ~offered) != 0)
		return -EOPNOTSUPP;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->set = set;
	d->crc = UINT32_MAX;
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if ((set & digest_bit(a)) == 0 || methods[a] == NULL)
			continue;
		d->ctx[a] = EVP_MD_CTX_new();
		if (d->ctx[a] == NULL ||
		    EVP_DigestInit_ex2(d->ctx[a], methods[a], NULL) != 1)
			goto free_digest;
	}
	*ret = d;
	return 0;

free_digest:
	digest_free(&d);
	return -ENOMEM;
}

void
digest_free(struct digest **dp)
{
	struct digest *d = *dp;

	if (d == NULL)
		return;
	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		EVP_MD_CTX_free(d->ctx[a]);
	free(d);
	*dp = NULL;
}

/* Go on with a CRC-32C (RFC 3720 B.4), whose bits are not inverted yet. */
static uint32_t
crc_update(uint32_t crc, const void *bytes, size_t len)
{
	/* isa-l only reads the bytes; its prototype lacks const. */
	unsigned char *at = (unsigned char *)(uintptr_t)bytes;

	while (len > INT_MAX) {
		crc = crc32_iscsi(at, INT_MAX, crc);
		at += INT_MAX;
		len -= INT_MAX;
	}
	return crc32_iscsi(at, (int)len, crc);
}

int
digest_update(struct digest *d, const void *bytes, size_t len)
{
	check(!d->finished);
	if (len == 0)
		return 0;
	if ((d->set & digest_bit(DIGEST_CRC32C)) != 0)
		d->crc = crc_update(d->crc, bytes, len);
	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		if (d->ctx[a] != NULL &&
		    EVP_DigestUpdate(d->ctx[a], bytes, len) != 1)
			return -EIO;
	return 0;
}

int
digest_finish(struct digest *d)
{
	check(!d->finished);
	d->finished = true;
	for (unsigned i = 0; i < 4; i++)
		d->value[DIGEST_CRC32C][i] =
		    (unsigned char)(~d->crc >> (24 - 8 * i));
	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		unsigned len = 0;

		if (d->ctx[a] == NULL)
			continue;
		if (EVP_DigestFinal_ex(d->ctx[a], d->value[a], &len) != 1)
			return -EIO;
		check(len == digest_kinds[a].len);
	}
	return 0;
}

void
digest_swap(struct digest *a, struct digest *b)
{
	struct digest had = *a;

	check(a->set == b->set);
	*a = *b;
	*b = had;
}

unsigned
digest_set(const struct digest *d)
{
	return d->set;
}

const unsigned char *
digest_value(const struct digest *d, enum digest_algo a)
{
	check(d->finished);
	check((d->set & digest_bit(a)) != 0);
	return d->value[a];
}

unsigned
digest_differ(const struct digest *d, const struct digest_claims *claims)
{
	unsigned set = 0;

	for (unsigned a = 0; a < DIGEST_COUNT; a++)
		if ((claims->set & digest_bit(a)) != 0 &&
		    memcmp(digest_value(d, a), claims->value[a],
			digest_kinds[a].len) != 0)
			set |= digest_bit(a);
	return set;
}

void
digest_add_field(struct str *b, enum digest_algo a, const unsigned char *value)
{
	check(digest_kinds[a].name != NULL);
	str_printf(b, "%s=:", digest_kinds[a].name);
	base64_add(b, value, digest_kinds[a].len);
	str_puts(b, ":");
}

void
digest_add_hex(struct str *b, enum digest_algo a, const unsigned char *value)
{
	for (size_t i = 0; i < digest_kinds[a].len; i++)
		str_printf(b, "%02x", value[i]);
}

bool
digest_is_told(const struct digest *d, enum digest_algo a)
{
	return (digest_set(d) & digest_bit(a)) != 0 &&
	       digest_kinds[a].name != NULL;
}

void
digest_add_members(const struct digest *d, struct str *out)
{
	const char *separator = "";

	for (unsigned a = 0; a < DIGEST_COUNT; a++) {
		if (!digest_is_told(d, a))
			continue;
		str_printf(out, "%s\"%s\":\"", separator, digest_kinds[a].name);
		digest_add_hex(out, a, digest_value(d, a));
		str_puts(out, "\"");
		separator = ",";
	}
}
