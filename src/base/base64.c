#include "base/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"

void
base64_add(struct str *b, const void *bytes, size_t len)
{
	enum { PIECE = 48 };
	const unsigned char *at = bytes;
	unsigned char text[BASE64_LEN(PIECE) + 1];

	for (size_t n; len > 0; at += n, len -= n) {
		n = len < PIECE ? len : PIECE;
		str_add(b, text, (size_t)EVP_EncodeBlock(text, at, (int)n));
	}
}

/*
 * Decode four characters into `want` (1 to 3) bytes.  Text that is not
 * canonical shows when the bytes are encoded again.
 */
static bool
decode_quad(const unsigned char *text, unsigned char *ret, size_t want)
{
	unsigned char bytes[3], again[4 + 1];

	if (EVP_DecodeBlock(bytes, text, 4) != 3)
		return false;
	EVP_EncodeBlock(again, bytes, (int)want);
	memcpy(ret, bytes, want);
	return memcmp(again, text, 4) == 0;
}

int
base64_decode(const char *text, size_t len, void *ret, size_t want)
{
	const unsigned char *from = (const unsigned char *)text;
	unsigned char *to = ret;

	if (len != BASE64_LEN(want))
		return -EINVAL;
	for (size_t n; want > 0; from += 4, to += n, want -= n) {
		n = want < 3 ? want : 3;
		if (!decode_quad(from, to, n))
			return -EINVAL;
	}
	return 0;
}
