#include "http/structured.h"

#include <stdint.h>

#include "base/ascii.h"
#include "base/num.h"
#include "base/str.h"

enum {
	INTEGER_DIGITS = 15,
	DECIMAL_DIGITS = 12, /* before the point */
	FRACTION_DIGITS = 3,
};

/*
 * Each take_*() takes what its name says from the front of *t, and is false
 * when that does not stand there; *t is then anywhere.  The sections are
 * those of RFC 9651.
 */

/* The first byte, or -1 at the end. */
static int
first(const struct span *t)
{
	return t->len > 0 ? (unsigned char)t->s[0] : -1;
}

static void
skip(struct span *t, size_t n)
{
	t->s += n;
	t->len -= n;
}

static bool
take_char(struct span *t, char c)
{
	if (first(t) != c)
		return false;
	skip(t, 1);
	return true;
}

static void
skip_spaces(struct span *t)
{
	while (take_char(t, ' '))
		continue;
}

/* What may stand in both kinds of strings. */
static bool
is_visible(int c)
{
	return c >= ' ' && c <= '~';
}

/* How many digits were taken; none is not an error here. */
static size_t
take_digits(struct span *t)
{
	size_t n = 0;

	for (; ascii_is_digit(first(t)); n++)
		skip(t, 1);
	return n;
}

/* 4.2.4: an integer or a decimal. */
static bool
take_number(struct span *t, enum structured_type *ret_type)
{
	size_t digits, fraction;

	(void)take_char(t, '-');
	digits = take_digits(t);
	*ret_type = STRUCTURED_INTEGER;
	if (!take_char(t, '.'))
		return digits > 0 && digits <= INTEGER_DIGITS;
	fraction = take_digits(t);
	*ret_type = STRUCTURED_DECIMAL;
	return digits > 0 && digits <= DECIMAL_DIGITS && fraction > 0 &&
	       fraction <= FRACTION_DIGITS;
}

/* 4.2.5 */
static bool
take_string(struct span *t)
{
	if (!take_char(t, '"'))
		return false;
	while (!take_char(t, '"')) {
		if (take_char(t, '\\') && first(t) != '"' && first(t) != '\\')
			return false;
		if (!is_visible(first(t)))
			return false;
		skip(t, 1);
	}
	return true;
}

/* 4.2.6: it begins with a letter or `*`. */
static bool
take_token(struct span *t)
{
	if (!ascii_is_letter(first(t)) && first(t) != '*')
		return false;
	while (t->len > 0 && (syntax_is_tchar((unsigned char)t->s[0]) ||
				 t->s[0] == ':' || t->s[0] == '/'))
		skip(t, 1);
	return true;
}

static bool
is_base64(int c)
{
	return ascii_is_alnum(c) || c == '+' || c == '/';
}

/* 4.2.7: base64 between colons. */
static bool
take_bytes(struct span *t)
{
	size_t digits = 0, padding = 0;

	if (!take_char(t, ':'))
		return false;
	for (; is_base64(first(t)); digits++)
		skip(t, 1);
	for (; take_char(t, '='); padding++)
		continue;
	/* One digit is no byte.  Padding, when there is any, fills up four. */
	return take_char(t, ':') && digits % 4 != 1 &&
	       (padding == 0 || (padding <= 2 && (digits + padding) % 4 == 0));
}

/* 4.2.8 */
static bool
take_boolean(struct span *t)
{
	return take_char(t, '?') && (take_char(t, '0') || take_char(t, '1'));
}

/* 4.2.9: seconds, whole ones. */
static bool
take_date(struct span *t)
{
	enum structured_type type;

	return take_char(t, '@') && take_number(t, &type) &&
	       type == STRUCTURED_INTEGER;
}

/* Two hexadecimal digits, none of them in upper case. */
static bool
take_escape(struct span *t, unsigned char *ret)
{
	uint64_t code;

	if (t->len < 2 ||
	    !(ascii_is_digit(t->s[0]) || ascii_is_lower(t->s[0])) ||
	    !(ascii_is_digit(t->s[1]) || ascii_is_lower(t->s[1])) ||
	    num_parse_hex(t->s, 2, &code) < 0)
		return false;
	*ret = (unsigned char)code;
	skip(t, 2);
	return true;
}

/* 4.2.10: what is behind the escapes must be UTF-8. */
static bool
take_display(struct span *t)
{
	unsigned char sequence[4];
	size_t n = 0;
	unsigned code;

	if (!take_char(t, '%') || !take_char(t, '"'))
		return false;
	while (!take_char(t, '"')) {
		if (n == sizeof(sequence) || !is_visible(first(t)))
			return false;
		if (take_char(t, '%')) {
			if (!take_escape(t, &sequence[n]))
				return false;
		} else {
			sequence[n] = (unsigned char)t->s[0];
			skip(t, 1);
		}
		n++;
		if (str_utf8(sequence, n, &code) == n)
			n = 0;
	}
	return n == 0;
}

/* 4.2.3.1: a value without parameters; its first byte says what it is. */
static bool
take_bare_item(struct span *t, enum structured_type *ret_type)
{
	/* clang-format off */
	static const struct {
		char first;
		enum structured_type type;
		bool (*take)(struct span *t);
	} kinds[] = {
		{ '"', STRUCTURED_STRING,  take_string },
		{ ':', STRUCTURED_BYTES,   take_bytes },
		{ '?', STRUCTURED_BOOLEAN, take_boolean },
		{ '@', STRUCTURED_DATE,    take_date },
		{ '%', STRUCTURED_DISPLAY, take_display },
	};
	/* clang-format on */
	int c = first(t);

	if (c == '-' || ascii_is_digit(c))
		return take_number(t, ret_type);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (c == kinds[i].first) {
			*ret_type = kinds[i].type;
			return kinds[i].take(t);
		}
	}
	*ret_type = STRUCTURED_TOKEN;
	return take_token(t);
}

/* 4.2.3.3 */
static bool
take_key(struct span *t)
{
	if (!ascii_is_lower(first(t)) && first(t) != '*')
		return false;
	for (int c = first(t); ascii_is_lower(c) || ascii_is_digit(c) ||
			       c == '_' || c == '-' || c == '.' || c == '*';
	     c = first(t))
		skip(t, 1);
	return true;
}

/* 4.2.3.2: none, or any number. */
static bool
take_parameters(struct span *t)
{
	enum structured_type type;

	while (take_char(t, ';')) {
		skip_spaces(t);
		if (!take_key(t))
			return false;
		if (take_char(t, '=') && !take_bare_item(t, &type))
			return false;
	}
	return true;
}

/* 4.2.1.2: items in parentheses, with spaces between. */
static bool
take_inner_list(struct span *t)
{
	enum structured_type type;

	if (!take_char(t, '('))
		return false;
	for (;;) {
		skip_spaces(t);
		if (take_char(t, ')'))
			return true;
		if (!take_bare_item(t, &type) || !take_parameters(t))
			return false;
		if (first(t) != ' ' && first(t) != ')')
			return false;
	}
}

/* What stands between `begin` and the rest. */
static struct span
taken_since(const char *begin, const struct span *rest)
{
	return (struct span){begin, (size_t)(rest->s - begin)};
}

/* The value behind the equals sign. */
static bool
take_value(struct span *t, struct structured_member *m)
{
	const char *begin = t->s;
	bool taken;

	if (first(t) == '(') {
		m->type = STRUCTURED_LIST;
		taken = take_inner_list(t);
	} else {
		taken = take_bare_item(t, &m->type);
	}
	if (!taken)
		return false;
	m->value = taken_since(begin, t);
	if (m->type == STRUCTURED_BYTES) {
		m->value.s++; /* the colons are not part of it */
		m->value.len -= 2;
	}
	return true;
}

/* 4.2.2: one member. */
static bool
take_member(struct span *t, struct structured_member *m)
{
	const char *begin = t->s;

	if (!take_key(t))
		return false;
	m->key = taken_since(begin, t);
	m->type = STRUCTURED_BOOLEAN;
	m->value = (struct span){t->s, 0};
	if (take_char(t, '=') && !take_value(t, m))
		return false;
	return take_parameters(t);
}

static void
skip_blanks(struct span *t)
{
	while (take_char(t, ' ') || take_char(t, '\t'))
		continue;
}

enum structured_result
structured_next(struct span *rest, struct structured_member *ret_member)
{
	struct structured_member m;

	skip_spaces(rest);
	if (rest->len == 0)
		return STRUCTURED_END;
	if (!take_member(rest, &m))
		return STRUCTURED_MALFORMED;
	skip_blanks(rest);
	if (rest->len > 0) {
		if (!take_char(rest, ','))
			return STRUCTURED_MALFORMED;
		skip_blanks(rest);
		if (rest->len == 0)
			return STRUCTURED_MALFORMED; /* nothing follows */
	}
	*ret_member = m;
	return STRUCTURED_MEMBER;
}

bool
structured_item(struct span text, struct structured_member *ret_item)
{
	struct structured_member m = {0};

	while (text.len > 0 && text.s[text.len - 1] == ' ')
		text.len--;
	skip_spaces(&text);
	if (first(&text) == '(' || !take_value(&text, &m) ||
	    !take_parameters(&text) || text.len > 0)
		return false;
	*ret_item = m;
	return true;
}
