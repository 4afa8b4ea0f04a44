/*
 * fuzz/json.h - a strict reader of JSON (RFC 8259), for what targets make us write.
 *
 * Strings are UTF-8 without anything that a terminal or an editor acts on, of escapes there
 * are \", \\ and \u00XX, numbers are never negative, and no name comes twice in an object.
 */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include <ctype.h>

#include "fuzz.h"

enum {
	POINTS_MAX = 8192,
	DEPTH_MAX = 4,
	MEMBERS_MAX = 64,
};

/* Is told each string that is a member of the outermost object: `value` has it. */
typedef void json_member_fn(const char *name, size_t len);

/* ---- a second reader of UTF-8: what is no character stands for itself, a byte ---- */

/* How many bytes the first character has; 0: they are none. */
static inline size_t
character(const unsigned char *s, size_t len, uint32_t *ret)
{
	static const unsigned char lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	for (size_t n = 1; n <= 4 && n <= len; n++) {
		bool follows = (s[0] & (unsigned char)~mask[n]) == lead[n];
		uint32_t code = s[0] & mask[n];

		for (size_t i = 1; i < n; i++) {
			follows &= s[i] >> 6 == 2;
			code = code << 6 | (s[i] & 0x3fU);
		}
		if (follows && code >= least[n] && code <= 0x10ffff &&
		    (code < 0xd800 || code > 0xdfff)) {
			*ret = code;
			return n;
		}
	}
	return 0;
}

struct points {
	size_t count;
	uint32_t at[POINTS_MAX];
};

static inline void
read_bytes(const char *bytes, size_t len, struct points *ret)
{
	const unsigned char *s = (const unsigned char *)bytes;

	ret->count = 0;
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t code = s[i];

		n = character(s + i, len - i, &code);
		n = n == 0 ? 1 : n;
		check(ret->count < POINTS_MAX);
		ret->at[ret->count++] = code;
	}
}

/* ---- JSON, to the letter ---- */

struct reader {
	const char *s, *end;
	unsigned depth;
	json_member_fn *told; /* or NULL */
};

static struct points value; /* of the string that was read last */

static inline void
take(struct reader *r, const char *word)
{
	for (; *word != '\0'; word++)
		check(r->s < r->end && *r->s++ == *word);
}

static inline uint32_t
take_hex(struct reader *r)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++, r->s++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = r->s < r->end && *r->s != '\0'
					? strchr(digits, *r->s)
					: NULL;

		check(digit != NULL);
		code = code << 4 | (uint32_t)(digit - digits);
	}
	check(code < 0xd800 || code > 0xdfff);
	return code;
}

static inline void
take_string(struct reader *r)
{
	take(r, "\"");
	value.count = 0;
	for (;;) {
		uint32_t code = 0;
		size_t n = character((const unsigned char *)r->s,
		    (size_t)(r->end - r->s), &code);

		check(n > 0 && code >= 0x20 && code != 0x7f);
		r->s += n;
		if (code == '"')
			return;
		if (code == '\\') {
			check(r->s < r->end);
			code = (unsigned char)*r->s++;
			if (code == 'u')
				code = take_hex(r);
			else
				check(code == '"' || code == '\\');
		} else {
			/* Nothing that a terminal or an editor acts on. */
			check(code < 0x80 || code > 0x9f);
			check(code < 0x202a || code > 0x202e);
			check(code < 0x2066 || code > 0x2069);
		}
		check(value.count < POINTS_MAX);
		value.at[value.count++] = code;
	}
}

static inline size_t
take_digits(struct reader *r)
{
	const char *from = r->s;

	while (r->s < r->end && isdigit((unsigned char)*r->s))
		r->s++;
	return (size_t)(r->s - from);
}

/* None of ours is below 0 or has an exponent. */
static inline void
take_number(struct reader *r)
{
	const char *from = r->s;
	size_t n = take_digits(r);

	check(n > 0 && (n == 1 || *from != '0'));
	if (r->s < r->end && *r->s == '.') {
		r->s++;
		check(take_digits(r) > 0);
	}
}

static inline void take_object(struct reader *r);
static inline void take_value(struct reader *r, const char *name, size_t len);

/* Between tokens: a line break at most. */
static inline void
skip_break(struct reader *r)
{
	if (r->s < r->end && *r->s == '\n')
		r->s++;
}

static inline void
take_array(struct reader *r)
{
	check(++r->depth <= DEPTH_MAX);
	take(r, "[");
	skip_break(r);
	while (r->s < r->end && *r->s != ']') {
		take_value(r, "", 0);
		if (r->s < r->end && *r->s != ']')
			take(r, ",");
		skip_break(r);
	}
	take(r, "]");
	r->depth--;
}

static inline void
take_literal(struct reader *r)
{
	take(r, *r->s == 't' ? "true" : *r->s == 'f' ? "false" : "null");
}

static inline void
take_value(struct reader *r, const char *name, size_t len)
{
	check(r->s < r->end);
	if (*r->s == '"') {
		take_string(r);
		if (r->depth == 1 && r->told != NULL)
			r->told(name, len);
	} else if (*r->s == '{') {
		take_object(r);
	} else if (*r->s == '[') {
		take_array(r);
	} else if (isalpha((unsigned char)*r->s)) {
		take_literal(r);
	} else {
		take_number(r);
	}
}

/* No name comes twice. */
static inline void
take_object(struct reader *r)
{
	struct {
		const char *s;
		size_t len;
	} names[MEMBERS_MAX];
	size_t count = 0;

	check(++r->depth <= DEPTH_MAX);
	take(r, "{");
	do {
		const char *name = r->s + 1;
		size_t len;

		take_string(r);
		len = (size_t)(r->s - name) - 1;
		check(count < MEMBERS_MAX);
		for (size_t i = 0; i < count; i++)
			check(names[i].len != len ||
			      memcmp(names[i].s, name, len) != 0);
		names[count].s = name;
		names[count++].len = len;
		take(r, ":");
		take_value(r, name, len);
	} while (r->s < r->end && *r->s == ',' && r->s++ != NULL);
	take(r, "}");
	r->depth--;
}

/* One object and a line break. */
static inline void
check_json(const char *s, size_t len, json_member_fn *told)
{
	struct reader r = {s, s + len, 0, told};

	take_object(&r);
	take(&r, "\n");
	check(r.s == r.end);
}

#endif
