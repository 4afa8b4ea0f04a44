#include "http/conditions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/str.h"
#include "http/head.h"

/* What a list of entity-tags says about a file. */
enum match {
	MATCH_NO,
	MATCH_YES,
	MATCH_BAD, /* it is no such list */
};

/* One entity-tag: what stands in the quotes, with them. */
struct tag {
	struct span opaque;
	bool weak;
};

static uint64_t
ns_of(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void
conditions_etag(const struct stat *st, char ret_etag[CONDITIONS_ETAG_MAX])
{
	const uint64_t words[] = {(uint64_t)st->st_ino, (uint64_t)st->st_size,
	    ns_of(st->st_mtim), ns_of(st->st_ctim)};
	uint64_t a = UINT64_C(0x9e3779b97f4a7c15), b = 0;

	/* Each step is one-to-one: one word that differs always shows. */
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		a = hash_mix(a ^ words[i]);
		b = hash_mix((b + a) ^ words[i]);
	}
	snprintf(ret_etag, CONDITIONS_ETAG_MAX,
	    "\"%016" PRIx64 "%016" PRIx64 "\"", a, b);
}

/* Take a tag from the front of *t; false: there is none (RFC 9110 8.8.3). */
static bool
take_tag(struct span *t, struct tag *ret)
{
	size_t i;

	ret->weak = t->len >= 2 && memcmp(t->s, "W/", 2) == 0;
	if (ret->weak) {
		t->s += 2;
		t->len -= 2;
	}
	if (t->len < 2 || t->s[0] != '"')
		return false;
	for (i = 1; i < t->len && t->s[i] != '"'; i++) {
		unsigned char c = (unsigned char)t->s[i];

		if (c <= 0x20 || c == 0x7f)
			return false;
	}
	if (i == t->len)
		return false;
	ret->opaque = (struct span){t->s, i + 1};
	t->s += i + 1;
	t->len -= i + 1;
	return true;
}

static bool
is_etag(const struct tag *tag, const char *etag)
{
	return tag->opaque.len == strlen(etag) &&
	       memcmp(tag->opaque.s, etag, tag->opaque.len) == 0;
}

/*
 * Look for `etag` (NULL: there is no file) in `*` or a list of tags.  Weak
 * tags never match where the comparison is `strong`.
 */
static enum match
match_list(struct span t, const char *etag, bool strong)
{
	enum match found = MATCH_NO;
	struct tag tag;
	unsigned tags = 0;

	if (t.len == 1 && t.s[0] == '*')
		return etag != NULL ? MATCH_YES : MATCH_NO;
	for (;;) {
		/* Empty members are allowed (RFC 9110 5.6.1.2). */
		t = syntax_trim(t);
		while (t.len > 0 && t.s[0] == ',')
			t = syntax_trim((struct span){t.s + 1, t.len - 1});
		if (t.len == 0)
			return tags > 0 ? found : MATCH_BAD;
		if (!take_tag(&t, &tag))
			return MATCH_BAD;
		tags++;
		if (etag != NULL && is_etag(&tag, etag) &&
		    !(strong && tag.weak))
			found = MATCH_YES;
		t = syntax_trim(t);
		if (t.len > 0 && t.s[0] != ',')
			return MATCH_BAD;
	}
}

/* The date in `t`; false: absent or none. */
static bool
date_of(struct span t, time_t *ret)
{
	return t.s != NULL && clock_parse_http(t.s, t.len, ret) == 0;
}

/*
 * If-Match, or If-Unmodified-Since in its absence: steps 1 and 2 of RFC 9110
 * 13.2.2.  0, 412 or 400.
 */
static int
check_unchanged(const struct head *h, const struct stat *st, const char *etag,
    const char **ret_why)
{
	time_t date;

	if (h->if_match.s != NULL) {
		switch (match_list(h->if_match, etag, true)) {
		case MATCH_YES:
			return 0;
		case MATCH_NO:
			*ret_why = "the file is not the one that If-Match "
				   "names";
			return 412;
		case MATCH_BAD:
		default:
			*ret_why = "If-Match must be * or entity-tags in "
				   "quotes, with commas between";
			return 400;
		}
	}
	if (st != NULL && date_of(h->if_unmodified_since, &date) &&
	    st->st_mtim.tv_sec > date) {
		*ret_why = "the file was modified after If-Unmodified-Since";
		return 412;
	}
	return 0;
}

/* If-None-Match: 0 when it holds or is absent, 412 or 400. */
static int
check_none(const struct head *h, const char *etag, const char **ret_why)
{
	if (h->if_none_match.s == NULL)
		return 0;
	switch (match_list(h->if_none_match, etag, false)) {
	case MATCH_NO:
		return 0;
	case MATCH_YES:
		*ret_why = "a file is there already that If-None-Match rules "
			   "out";
		return 412;
	case MATCH_BAD:
	default:
		*ret_why = "If-None-Match must be * or entity-tags in quotes, "
			   "with commas between";
		return 400;
	}
}

int
conditions_write(
    const struct head *h, const struct stat *st, const char **ret_why)
{
	char etag[CONDITIONS_ETAG_MAX];
	int status;

	if (st != NULL)
		conditions_etag(st, etag);
	status = check_unchanged(h, st, st ? etag : NULL, ret_why);
	if (status == 0)
		status = check_none(h, st ? etag : NULL, ret_why);
	return status;
}

/* Whether Range may be followed: If-Range is absent or names this file. */
static bool
is_range_valid(const struct head *h, const struct stat *st, const char *etag)
{
	struct span t = h->if_range;
	struct tag tag;
	time_t date;

	if (t.s == NULL)
		return true;
	if (date_of(t, &date))
		return st->st_mtim.tv_sec == date;
	return take_tag(&t, &tag) && t.len == 0 && !tag.weak &&
	       is_etag(&tag, etag);
}

/* A position; one that fits into no number is beyond every file. */
static bool
position_of(const char *s, size_t len, uint64_t *ret)
{
	int err = num_parse_u64(s, len, ret);

	if (err == -ERANGE)
		*ret = UINT64_MAX;
	return err == 0 || err == -ERANGE;
}

/* What `range` makes of a file of `size` bytes: 206, 416, or 200: nothing. */
static int
resolve_range(struct span range, uint64_t size, struct conditions_range *ret)
{
	uint64_t first, last = UINT64_MAX, count;
	const char *dash, *end = range.s + range.len;

	if (range.len < 6 || !str_ieq(range.s, 6, "bytes="))
		return 200;
	range.s += 6;
	range.len -= 6;
	dash = memchr(range.s, '-', range.len);
	if (dash == NULL)
		return 200;
	if (dash == range.s) {
		if (!position_of(dash + 1, range.len - 1, &count))
			return 200;
		if (count == 0)
			return 416;
		if (size == 0)
			return 200; /* no Content-Range can say so */
		count = count < size ? count : size;
		*ret = (struct conditions_range){size - count, count};
		return 206;
	}
	if (!position_of(range.s, (size_t)(dash - range.s), &first))
		return 200;
	dash++;
	if (dash < end && !position_of(dash, (size_t)(end - dash), &last))
		return 200; /* several ranges end here: there is a comma */
	if (first > last)
		return 200;
	if (first >= size)
		return 416;
	last = last < size ? last : size - 1;
	*ret = (struct conditions_range){first, last - first + 1};
	return 206;
}

int
conditions_read(const struct head *h, const struct stat *st,
    struct conditions_range *ret_range, const char **ret_why)
{
	uint64_t size = (uint64_t)st->st_size;
	char etag[CONDITIONS_ETAG_MAX];
	time_t date;
	int status;

	conditions_etag(st, etag);
	status = check_unchanged(h, st, etag, ret_why);
	if (status != 0)
		return status;
	status = check_none(h, etag, ret_why);
	if (status != 0)
		return status == 412 ? 304 : status;
	if (h->if_none_match.s == NULL &&
	    date_of(h->if_modified_since, &date) && st->st_mtim.tv_sec <= date)
		return 304;

	*ret_range = (struct conditions_range){0, size};
	if (h->method != METHOD_GET || h->range.s == NULL ||
	    !is_range_valid(h, st, etag))
		return 200;
	status = resolve_range(h->range, size, ret_range);
	if (status == 416)
		*ret_why = "the file ends before the range begins";
	return status;
}
