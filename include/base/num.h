/*
 * base/num.h - numbers: the lesser of two, what bytes are counted in, and numbers, sizes
 * and times as people write them.
 *
 * Parsers take text and a length (what they read is not NUL-terminated), accept
 * nothing around the number, and never wrap: 0, -EINVAL for anything that is
 * not such a number, -ERANGE for one that does not fit.  *ret is set on 0 only.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum {
	NUM_TEXT_MAX = 32, /* room for any text written here, with its NUL */
};

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static inline uint64_t
num_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
num_most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Decimal digits only: no sign, no space, at least one. */
NODISCARD int num_parse_u64(const char *s, size_t len, uint64_t *ret);

/* Hexadecimal digits only, at least one. */
NODISCARD int num_parse_hex(const char *s, size_t len, uint64_t *ret);

/* Bytes: digits, then nothing or k, m, g (powers of 1024, either case). */
NODISCARD int num_parse_size(const char *s, size_t len, uint64_t *ret_bytes);

/*
 * Milliseconds: one or more of digits + unit (ms, s, m, h, d), largest first
 * ("1h30m"), or digits alone, which are seconds, as in nginx.
 */
NODISCARD int num_parse_time(const char *s, size_t len, uint64_t *ret_ms);

/* In the largest unit that divides `bytes`: "256k"; num_parse_size() reads
 * it back. */
void num_format_size(uint64_t bytes, char ret_text[NUM_TEXT_MAX]);

/* In the largest unit that divides `ms`: "90m"; num_parse_time() reads it. */
void num_format_time(uint64_t ms, char ret_text[NUM_TEXT_MAX]);

/* The same of seconds, to the nearest millisecond. */
void num_format_seconds(double seconds, char ret_text[NUM_TEXT_MAX]);

#endif
