/*
 * auth/mac.h - hashes and message authentication codes, by OpenSSL; and comparisons whose
 * time does not tell how much was right.
 */
#ifndef AUTH_MAC_H
#define AUTH_MAC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

enum {
	MAC_BYTES = 32, /* SHA-256 */
	MAC_HEX = 2 * MAC_BYTES,
};

/* SHA-256 of the bytes; HMAC-SHA256 (RFC 2104), with a key of 64 bytes at most.  False:
 * OpenSSL cannot, for want of memory. */
NODISCARD bool mac_sha256(
    const void *bytes, size_t len, unsigned char ret[MAC_BYTES]);
NODISCARD bool mac_hmac(const void *key, size_t key_len, const void *bytes,
    size_t len, unsigned char ret[MAC_BYTES]);

/* In a time that depends on `len` alone. */
bool mac_equal(const void *a, const void *b, size_t len);

/* Overwrite a secret that is not needed any more. */
void mac_wipe(void *bytes, size_t len);

/* Fill with bytes that nobody can foresee. */
void mac_random(void *bytes, size_t len);

/* Lower-case hexadecimal digits, added to `out`; and read, exactly `want` bytes in either
 * case: false when `text` is anything else. */
void mac_add_hex(struct str *out, const unsigned char *bytes, size_t len);
NODISCARD bool mac_read_hex(
    const char *text, size_t len, unsigned char *ret, size_t want);

#endif
