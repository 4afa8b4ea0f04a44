#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

enum {
	DIGITS_MAX = 32, /* of a uint64_t, and a decimal point */
};

#define CAP_MASK 0x7fffffffU

bool
str_reserve(struct str *b, size_t more)
{
	size_t need = b->len + more + 1, cap = b->cap ? b->cap : 128;
	char *s = NULL;

	if (b->failed)
		return false;
	if (need <= b->cap)
		return true;
	while (cap < need)
		cap *= 2;
	if (cap > STR_MAX)
		cap = STR_MAX + 1;
	if (need <= cap)
		s = realloc(b->s, cap);
	if (s == NULL) {
		b->failed = true;
		b->cap = b->len & CAP_MASK; /* nothing can be added */
		return false;
	}
	b->s = s;
	b->cap = cap & CAP_MASK;
	return true;
}

void
str_vprintf(struct str *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int len;

	if (!str_reserve(b, 0))
		return;
	room = b->cap - b->len;
	va_copy(again, ap);
	len = vsnprintf(b->s + b->len, room, fmt, ap);
	check(len >= 0);
	if ((size_t)len >= room) {
		b->s[b->len] = '\0'; /* unchanged when there is no memory */
		if (str_reserve(b, (size_t)len))
			vsnprintf(b->s + b->len, (size_t)len + 1, fmt, again);
		else
			len = 0;
	}
	b->len += (uint32_t)len;
	va_end(again);
}

void
str_printf(struct str *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(b, fmt, ap);
	va_end(ap);
}

/* Write the decimal digits of `n`, at least `least` of them, so that they end
 * before `end`.  Returns where they begin. */
static char *
put_digits(uint64_t n, int least, char *end)
{
	for (; n > 0 || least > 0; n /= 10, least--)
		*--end = (char)('0' + n % 10);
	return end;
}

void
str_add_u64(struct str *b, uint64_t n)
{
	char text[DIGITS_MAX], *end = text + sizeof(text);
	char *at = put_digits(n, 1, end);

	str_add(b, at, (size_t)(end - at));
}

void
str_add_ms(struct str *b, uint64_t ns)
{
	char text[DIGITS_MAX], *end = text + sizeof(text);
	char *at = put_digits(ns / 1000 % 1000, 3, end);

	*--at = '.';
	at = put_digits(ns / 1000000, 1, at);
	str_add(b, at, (size_t)(end - at));
}

bool
str_failed(const struct str *b)
{
	return b->failed;
}

void
str_trim(struct str *b)
{
	char *s = b->s != NULL ? realloc(b->s, b->len + 1) : NULL;

	if (s == NULL)
		return;
	b->s = s;
	b->cap = (b->len + 1) & CAP_MASK;
}

void
str_clear(struct str *b)
{
	b->len = 0;
	b->failed = false;
	if (b->s != NULL)
		b->s[0] = '\0';
}

void
str_fini(struct str *b)
{
	free(b->s);
	*b = (struct str){0};
}

size_t
str_utf8(const unsigned char *p, size_t len, unsigned *ret_code)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned code;
	size_t need;

	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if (p[0] >= 0xf0 && p[0] < 0xf5) {
		need = 4;
		code = p[0] & 0x07U;
	} else if (p[0] >= 0xe0 && p[0] < 0xf0) {
		need = 3;
		code = p[0] & 0x0fU;
	} else if (p[0] >= 0xc2 && p[0] < 0xe0) {
		need = 2;
		code = p[0] & 0x1fU;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fU);
	}
	if (code < least[need] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return need;
}

bool
str_is_control(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Add the first character of the text, escaped.  Returns how many bytes it
 * has. */
static size_t
escape_one(struct str *b, const unsigned char *p, size_t len)
{
	unsigned code = 0;
	size_t n = str_utf8(p, len, &code);

	if (n == 0) {
		str_printf(b, "\\u%04x", p[0]);
		return 1;
	}
	if (code == '"' || code == '\\')
		str_printf(b, "\\%c", (int)code);
	else if (str_is_control(code))
		str_printf(b, "\\u%04x", code);
	else
		str_add(b, p, n);
	return n;
}

/* How many bytes, from the first on, are characters of their own that stay as they are. */
static size_t
plain_len(const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] >= ' ' && p[n] <= '~' && p[n] != '"' &&
	       p[n] != '\\')
		n++;
	return n;
}

void
str_escape(struct str *b, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len;) {
		size_t plain = plain_len(p + i, len - i);

		str_add(b, p + i, plain);
		i += plain;
		if (i < len)
			i += escape_one(b, p + i, len - i);
	}
}

void
str_escape_within(struct str *b, const void *bytes, size_t len, size_t max)
{
	const unsigned char *p = bytes;
	size_t start = b->len, whole = start;

	check(max >= 3);
	for (size_t i = 0; i < len && !str_failed(b);) {
		i += escape_one(b, p + i, len - i);
		if (b->len - start > max) {
			/* Never inside of an escape or of a UTF-8 sequence. */
			b->len = (uint32_t)whole;
			str_puts(b, "...");
			return;
		}
		if (b->len - start <= max - 3)
			whole = b->len;
	}
}

const char *
str_quote(const void *bytes, size_t len, char *buf, size_t size)
{
	const unsigned char *p = bytes;
	struct str b = {0};
	size_t whole = 0; /* what is kept when "..." follows */

	check(size >= 4);
	for (size_t i = 0; i < len && b.len < size;) {
		i += escape_one(&b, p + i, len - i);
		if (b.len <= size - 4)
			whole = b.len;
	}
	if (b.len < size) {
		memcpy(buf, b.s ? b.s : "", b.len + 1);
	} else {
		/* Never inside of an escape or of a UTF-8 sequence. */
		memcpy(buf, b.s, whole);
		memcpy(buf + whole, "...", 4);
	}
	str_fini(&b);
	return buf;
}

size_t
str_count_lines(const char *s, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += s[i] == '\n';
	return count;
}

bool
str_ieq_bytes(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	}
	return true;
}
