/*
 * base/str.h - text that grows, and text made safe to show.
 *
 * A zeroed struct str is empty and owns nothing.  `s` is always NUL-terminated
 * once anything was added.  Once memory has run out nothing is added any more
 * and str_failed() is true, so that a caller needs to check only once, at the
 * end.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

#define STR_MAX 0x7ffffffeU /* bytes; more is as if memory had run out */

/* Small: each connection has some. */
struct str {
	char *s;
	uint32_t len;
	uint32_t cap : 31;
	bool failed : 1;
};

/* Make room for `more` bytes and a NUL: false when memory has run out. */
bool str_reserve(struct str *b, size_t more);

/* Add bytes, text, or formatted text at the end.  The first two are inline, since a
 * receipt is made of some eighty pieces whose lengths the compiler knows. */
static inline void
str_add(struct str *b, const void *bytes, size_t len)
{
	if (b->cap - b->len <= len && !str_reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->s + b->len, bytes, len);
	b->len += (uint32_t)len;
	b->s[b->len] = '\0';
}

static inline void
str_puts(struct str *b, const char *text)
{
	str_add(b, text, strlen(text));
}

void str_printf(struct str *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vprintf(struct str *b, const char *fmt, va_list ap);

/* Add a number, or nanoseconds as milliseconds with three decimals ("12.034",
 * rounded down).  A response has some twenty of them, and printf() takes eight
 * times as long for each. */
void str_add_u64(struct str *b, uint64_t n);
void str_add_ms(struct str *b, uint64_t ns);

/* True when memory ran out on the way; the text is then not whole. */
NODISCARD bool str_failed(const struct str *b);

/* Give back memory beyond the text: for a text that is kept for long. */
void str_trim(struct str *b);

/* Make it empty, keeping its memory. */
void str_clear(struct str *b);

/* Free its memory; it is empty and usable again. */
void str_fini(struct str *b);

/*
 * str_escape(b, bytes, len):
 * Add text that came from outside in a form that cannot break a log line, a
 * JSON string or a terminal: `"`, `\`, controls, DEL and bytes >= 0x80 that
 * are not valid UTF-8 become \u00XX; other UTF-8 stays as it is, but for C1
 * and bidirectional controls.
 */
void str_escape(struct str *b, const void *bytes, size_t len);

/* The same in at most `max` bytes (at least 3); a clipped text ends with
 * "...". */
void str_escape_within(
    struct str *b, const void *bytes, size_t len, size_t max);

/*
 * str_quote(bytes, len, buf, size):
 * The same into a buffer of the caller, clipped with "..."; returns buf.
 */
const char *str_quote(const void *bytes, size_t len, char *buf, size_t size);

/*
 * str_utf8(bytes, len, ret_code):
 * Length of the well-formed UTF-8 sequence at `bytes` (RFC 3629: no overlong
 * forms, no surrogates), and its code point; 0 when there is none.
 */
size_t str_utf8(const unsigned char *bytes, size_t len, unsigned *ret_code);

/* A code point that must not reach a terminal or a name: controls of C0 and
 * C1, line and paragraph separators, bidirectional controls, the BOM. */
bool str_is_control(unsigned code);

/* True when `a` (len bytes) and the string `b` are equal, ignoring ASCII case.
 * Inline, because most words that are compared differ in length. */
bool str_ieq_bytes(const char *a, const char *b, size_t len);
static inline bool
str_ieq(const char *a, size_t a_len, const char *b)
{
	return strlen(b) == a_len && str_ieq_bytes(a, b, a_len);
}

/* How many lines end in the text. */
size_t str_count_lines(const char *s, size_t len);

#endif
