#include "auth/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/ascii.h"
#include "base/fd.h"

enum {
	BLOCK_BYTES = 64, /* of SHA-256 */
};

/* OpenSSL would look for it in each call, which takes longer than to hash a request. */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *found;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, "SHA256", NULL);
	return found != NULL ? found : EVP_sha256();
}

bool
mac_sha256(const void *bytes, size_t len, unsigned char ret[MAC_BYTES])
{
	return EVP_Digest(bytes, len, ret, NULL, sha256(), NULL) == 1;
}

/* Hash the key, each byte of it and of the zeros behind it changed by `pad`, and `bytes`. */
static bool
hash_behind_key(EVP_MD_CTX *ctx, const unsigned char key[BLOCK_BYTES],
    unsigned char pad, const void *bytes, size_t len,
    unsigned char ret[MAC_BYTES])
{
	unsigned char block[BLOCK_BYTES];
	bool done;

	for (size_t i = 0; i < BLOCK_BYTES; i++)
		block[i] = key[i] ^ pad;
	done = EVP_DigestInit_ex(ctx, sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(ctx, block, sizeof(block)) == 1 &&
	       EVP_DigestUpdate(ctx, bytes, len) == 1 &&
	       EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
	mac_wipe(block, sizeof(block));
	return done;
}

/* Not HMAC() of OpenSSL 3, most of whose time goes into finding itself. */
bool
mac_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
    unsigned char ret[MAC_BYTES])
{
	unsigned char whole[BLOCK_BYTES] = {0}, inner[MAC_BYTES];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done;

	check(key_len <= sizeof(whole));
	memcpy(whole, key, key_len);
	done = ctx != NULL &&
	       hash_behind_key(ctx, whole, 0x36, bytes, len, inner) &&
	       hash_behind_key(ctx, whole, 0x5c, inner, sizeof(inner), ret);
	EVP_MD_CTX_free(ctx);
	mac_wipe(whole, sizeof(whole));
	mac_wipe(inner, sizeof(inner));
	return done;
}

bool
mac_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
mac_wipe(void *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}

void
mac_random(void *bytes, size_t len)
{
	fd_random(bytes, len);
}

void
mac_add_hex(struct str *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		str_add(out, &digits[bytes[i] >> 4], 1);
		str_add(out, &digits[bytes[i] & 15], 1);
	}
}

bool
mac_read_hex(const char *text, size_t len, unsigned char *ret, size_t want)
{
	if (len != 2 * want)
		return false;
	for (size_t i = 0; i < want; i++) {
		int high = ascii_hex_digit(text[2 * i]);
		int low = ascii_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
