#include "auth/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/ascii.h"
#include "base/fd.h"

bool
mac_sha256(const void *bytes, size_t len, unsigned char ret[MAC_BYTES])
{
	return EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) == 1;
}

bool
mac_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
    unsigned char ret[MAC_BYTES])
{
	check(key_len <= INT32_MAX);
	return HMAC(EVP_sha256(), key, (int)key_len, bytes, len, ret, NULL) !=
	       NULL;
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
