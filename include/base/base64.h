/*
 * base/base64.h - base64 (RFC 4648 section 4), in its canonical form only.
 *
 * libcrypto does the work, but it accepts white space, wrong padding, and bits
 * behind the last byte.  These functions do not: every value has exactly one
 * text.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/check.h"

struct str;

/* Characters that `len` bytes become, padding included. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Add the bytes to `b` as base64. */
void base64_add(struct str *b, const void *bytes, size_t len);

/*
 * base64_decode(text, len, ret, want):
 * Read exactly `want` bytes.  0, or -EINVAL when `text` is not what
 * base64_add() makes of so many bytes; *ret is then undefined.
 */
NODISCARD int base64_decode(
    const char *text, size_t len, void *ret, size_t want);

#endif
