#include "auth/bearer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret_file.h"
#include "base/method_set.h"
#include "base/num.h"
#include "config/prefix.h"

#define TOKEN_BEGINS "pst_" /* by which scanners for leaked secrets know it */

enum {
	SECONDS_PER_DAY = 86400,
	YEAR_MIN = 1970,
};

/* ---- times ---- */

static bool
read_digits(
    const char *s, size_t len, unsigned least, unsigned most, unsigned *ret)
{
	uint64_t n;

	if (num_parse_u64(s, len, &n) < 0 || n < least || n > most)
		return false;
	*ret = (unsigned)n;
	return true;
}

static bool
is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const unsigned char days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

static uint64_t
days_before(unsigned year, unsigned month, unsigned day)
{
	uint64_t days = day - 1;

	for (unsigned y = YEAR_MIN; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (unsigned m = 1; m < month; m++)
		days += days_in(year, m);
	return days;
}

bool
bearer_read_time(struct span t, uint64_t *ret_s)
{
	unsigned year, month, day, hour = 0, minute = 0, second = 0;

	if ((t.len != 10 && t.len != 20) || t.s[4] != '-' || t.s[7] != '-' ||
	    !read_digits(t.s, 4, YEAR_MIN, 9999, &year) ||
	    !read_digits(t.s + 5, 2, 1, 12, &month) ||
	    !read_digits(t.s + 8, 2, 1, 31, &day) || day > days_in(year, month))
		return false;
	if (t.len == 20 &&
	    (t.s[10] != 'T' || t.s[13] != ':' || t.s[16] != ':' ||
		t.s[19] != 'Z' || !read_digits(t.s + 11, 2, 0, 23, &hour) ||
		!read_digits(t.s + 14, 2, 0, 59, &minute) ||
		!read_digits(t.s + 17, 2, 0, 59, &second)))
		return false;
	*ret_s = days_before(year, month, day) * SECONDS_PER_DAY +
		 hour * 3600U + minute * 60U + second;
	return true;
}

void
bearer_format_time(uint64_t s, struct str *out)
{
	uint64_t days = s / SECONDS_PER_DAY;
	unsigned rest = (unsigned)(s % SECONDS_PER_DAY), year = YEAR_MIN,
		 month = 1;

	for (; days >= (is_leap(year) ? 366U : 365U); year++)
		days -= is_leap(year) ? 366U : 365U;
	for (; days >= days_in(year, month); month++)
		days -= days_in(year, month);
	str_printf(out, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month,
	    (unsigned)days + 1, rest / 3600, rest / 60 % 60, rest % 60);
}

/* ---- the file ---- */

static const char *
read_methods(struct span list, unsigned *ret)
{
	*ret = 0;
	while (list.len > 0) {
		const char *comma = memchr(list.s, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.s) : list.len;
		unsigned one = method_set_find(list.s, len);

		if (one == 0)
			break;
		*ret |= one;
		list.s += len + (comma != NULL);
		list.len -= len + (comma != NULL);
		if (list.len == 0 && comma == NULL)
			return NULL;
	}
	return "methods= takes methods with commas between, such as PUT,POST";
}

/* A path as bearer_judge() is given it: absolute, without a slash at its end. */
static const char *
read_prefix(struct span v, char **ret)
{
	if (v.len == 0 || v.s[0] != '/' ||
	    (v.len > 1 && v.s[v.len - 1] == '/') ||
	    memchr(v.s, '\0', v.len) != NULL)
		return "prefix= takes a path that begins with a slash and ends "
		       "without, such as /file/ci (without %-escapes)";
	*ret = strndup(v.s, v.len);
	return *ret != NULL ? NULL : "out of memory";
}

static const char *
read_expires(struct span v, uint64_t *ret)
{
	return bearer_read_time(v, ret)
		   ? NULL
		   : "expires= takes a time such as 2027-01-01 or "
		     "2027-01-01T12:00:00Z";
}

static const char *
read_max_size(struct span v, uint64_t *ret)
{
	return num_parse_size(v.s, v.len, ret) == 0 && *ret > 0
		   ? NULL
		   : "max_size= takes a size such as 100m";
}

enum limit {
	LIMIT_METHODS,
	LIMIT_PREFIX,
	LIMIT_EXPIRES,
	LIMIT_MAX_SIZE,
	LIMIT_COUNT,
};

/* Which limit the word is, and its value. */
static enum limit
find_limit(struct span word, struct span *ret_value)
{
	static const char *const begins[LIMIT_COUNT] = {
	    [LIMIT_METHODS] = "methods=",
	    [LIMIT_PREFIX] = "prefix=",
	    [LIMIT_EXPIRES] = "expires=",
	    [LIMIT_MAX_SIZE] = "max_size=",
	};
	enum limit i = 0;

	while (i < LIMIT_COUNT && !secret_word_is(word, begins[i], ret_value))
		i++;
	return i;
}

/* One word behind name and hash; NULL, or what is wrong.  `*seen` has a bit for each limit
 * that stands before it. */
static const char *
read_limit(struct bearer_token *t, struct span word, unsigned *seen)
{
	struct span v;
	enum limit which = find_limit(word, &v);

	if ((*seen & 1U << which) != 0)
		return "a limit stands there twice: one line has each once";
	*seen |= 1U << which;
	switch (which) {
	case LIMIT_METHODS:
		return read_methods(v, &t->methods);
	case LIMIT_PREFIX:
		return read_prefix(v, &t->prefix);
	case LIMIT_EXPIRES:
		return read_expires(v, &t->expires_s);
	case LIMIT_MAX_SIZE:
		return read_max_size(v, &t->max_size);
	case LIMIT_COUNT:
	default:
		return "behind name and hash may stand methods=, prefix=, "
		       "expires= and max_size=";
	}
}

static const char *
read_token(struct bearer_token *t, struct span line)
{
	struct span name, word, hash;
	const char *why = NULL;
	unsigned seen = 0;

	t->methods = METHOD_SET_ALL;
	if (!secret_words_next(&line, &name) || !secret_name_is_good(name))
		return "the name has 1 to 64 letters, digits, and - . _ @ +";
	if (!secret_words_next(&line, &word) ||
	    !secret_word_is(word, "sha256:", &hash) ||
	    !mac_read_hex(hash.s, hash.len, t->hash, sizeof(t->hash)))
		return "behind the name stands sha256: and 64 hexadecimal "
		       "digits: let `penstock token` make the line";
	while (why == NULL && secret_words_next(&line, &word))
		why = read_limit(t, word, &seen);
	if (why == NULL)
		t->name = strndup(name.s, name.len);
	return why;
}

static void
clear_token(struct bearer_token *t)
{
	free(t->name);
	free(t->prefix);
	*t = (struct bearer_token){0};
}

static int
append(struct bearer *b, const struct bearer_token *t)
{
	struct bearer_token *grown = b->tokens;

	/* Room for twice as many at each power of two. */
	if ((b->count & (b->count - 1)) == 0)
		grown = realloc(b->tokens,
		    (b->count == 0 ? 1 : 2 * b->count) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	b->tokens = grown;
	grown[b->count++] = *t;
	return 0;
}

static int
compare_hashes(const void *a, const void *b)
{
	const struct bearer_token *one = a, *other = b;

	return memcmp(one->hash, other->hash, sizeof(one->hash));
}

static int
compare_lines(const void *a, const void *b)
{
	const struct bearer_token *one = a, *other = b;
	int order = compare_hashes(a, b);

	return order != 0
		   ? order
		   : (one->line > other->line) - (one->line < other->line);
}

/* For find_token().  A hash that is there again is a mistake: its limits could be those of
 * either line. */
static void
sort_tokens(struct bearer *b, struct str *errors)
{
	size_t all = b->count;

	if (all == 0)
		return;
	qsort(b->tokens, all, sizeof(*b->tokens), compare_lines);
	b->count = 1;
	for (size_t i = 1; i < all; i++) {
		struct bearer_token *t = &b->tokens[i];
		struct secret_lines at = {.number = t->line};

		if (compare_hashes(&b->tokens[b->count - 1], t) != 0) {
			b->tokens[b->count++] = *t;
			continue;
		}
		secret_file_mistake(errors, &at,
		    "this hash stands in an earlier line: one line says all "
		    "that a token may");
		clear_token(t);
	}
}

int
bearer_parse(struct bearer *b, const char *text, size_t len, struct str *errors)
{
	struct secret_lines lines = {.rest = {text, len}};
	struct span line;

	while (secret_lines_next(&lines, &line)) {
		struct bearer_token t = {0};
		const char *why = read_token(&t, line);
		int err = 0;

		t.line = lines.number;
		if (why != NULL)
			secret_file_mistake(errors, &lines, why);
		else if (t.name == NULL)
			err = -ENOMEM;
		else
			err = append(b, &t);
		if (why != NULL || err < 0)
			clear_token(&t);
		if (err < 0)
			return err;
	}
	sort_tokens(b, errors);
	return 0;
}

void
bearer_fini(struct bearer *b)
{
	for (size_t i = 0; i < b->count; i++)
		clear_token(&b->tokens[i]);
	free(b->tokens);
	*b = (struct bearer){0};
}

/* ---- requests ---- */

/* The time tells nothing but how near the hash is to others, from which no token can be
 * found. */
static const struct bearer_token *
find_token(const struct bearer *b, struct span token)
{
	struct bearer_token key = {0};

	if (b->count == 0 || token.len > BEARER_TOKEN_MAX ||
	    !mac_sha256(token.s, token.len, key.hash))
		return NULL;
	return bsearch(
	    &key, b->tokens, b->count, sizeof(*b->tokens), compare_hashes);
}

enum bearer_answer
bearer_judge(const struct bearer *b, struct span token, unsigned method,
    struct span path, uint64_t now_s, const struct bearer_token **ret)
{
	const struct bearer_token *t = find_token(b, token);

	if (t == NULL || (t->expires_s != 0 && now_s >= t->expires_s))
		return BEARER_UNKNOWN;
	*ret = t;
	if ((t->methods & method) == 0)
		return BEARER_METHOD;
	if (t->prefix != NULL && !prefix_matches(t->prefix, path.s, path.len))
		return BEARER_PATH;
	return BEARER_GRANTED;
}

bool
bearer_make(struct str *ret_token, struct str *ret_hash)
{
	unsigned char random[BEARER_TOKEN_BYTES], hash[MAC_BYTES];

	mac_random(random, sizeof(random));
	str_puts(ret_token, TOKEN_BEGINS);
	mac_add_hex(ret_token, random, sizeof(random));
	mac_wipe(random, sizeof(random));
	if (str_failed(ret_token) ||
	    !mac_sha256(ret_token->s, ret_token->len, hash))
		return false;
	str_puts(ret_hash, "sha256:");
	mac_add_hex(ret_hash, hash, sizeof(hash));
	return !str_failed(ret_hash);
}
