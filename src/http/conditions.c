#include "http/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/str.h"
#include "http/head.h"

/* One entity-tag: what stands in the quotes, with them. */
struct tag {
	struct span opaque;
	bool weak;
};

void
conditions_add_validators(const struct object_info *o, struct str *out)
{
	/* Files that were just stored mostly have the same second. */
	static char date[CLOCK_STAMP_MAX];
	static time_t date_is;
	time_t when;

	str_puts(out, "ETag: ");
	str_puts(out, o->etag);
	str_puts(out, "\r\n");
	if (!object_info_date(o, &when))
		return;
	if (date[0] == '\0' || when != date_is)
		clock_stamp_http(when, date);
	date_is = when;
	str_puts(out, "Last-Modified: ");
	str_puts(out, date);
	str_puts(out, "\r\n");
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

/* Weak tags never match where the comparison is `strong` (RFC 9110 8.8.3.2). */
static bool
is_etag(const struct tag *tag, const char *etag, bool strong)
{
	bool weak = etag[0] == 'W';
	const char *opaque = weak ? etag + 2 : etag;

	return !(strong && (weak || tag->weak)) &&
	       tag->opaque.len == strlen(opaque) &&
	       memcmp(tag->opaque.s, opaque, tag->opaque.len) == 0;
}

/* Take the next tag from a list; false: it is at its end, or (*ret_bad) it is no
 * list.  Empty members are allowed (RFC 9110 5.6.1.2). */
static bool
next_tag(struct span *t, struct tag *ret, bool *ret_bad)
{
	*t = syntax_trim(*t);
	while (t->len > 0 && t->s[0] == ',')
		*t = syntax_trim((struct span){t->s + 1, t->len - 1});
	if (t->len == 0)
		return false;
	*ret_bad = !take_tag(t, ret);
	if (*ret_bad)
		return false;
	*t = syntax_trim(*t);
	*ret_bad = t->len > 0 && t->s[0] != ',';
	return !*ret_bad;
}

/* What the field `t` says: an asterisk, or a list with a tag in it. */
static struct conditions_tags
read_tags(struct span t)
{
	struct span rest = t;
	bool bad = false;
	unsigned count = 0;
	struct tag tag;

	if (t.s == NULL)
		return (struct conditions_tags){.kind = TAGS_ABSENT};
	if (t.len == 1 && t.s[0] == '*')
		return (struct conditions_tags){.kind = TAGS_ANY};
	while (next_tag(&rest, &tag, &bad))
		count++;
	if (bad || count == 0)
		return (struct conditions_tags){.kind = TAGS_MALFORMED};
	return (struct conditions_tags){.kind = TAGS_LISTED, .list = t};
}

/* Is `o` (NULL: there is no file) among them? */
static bool
tags_name(const struct conditions_tags *tags, const struct object_info *o,
    bool strong)
{
	struct span t = tags->list;
	struct tag tag;
	bool bad;

	if (o == NULL)
		return false;
	if (tags->kind == TAGS_ANY)
		return true;
	while (next_tag(&t, &tag, &bad))
		if (is_etag(&tag, o->etag, strong))
			return true;
	return false;
}

/* The date in `t`; false: absent or none. */
static bool
date_of(struct span t, time_t *ret)
{
	return t.s != NULL && clock_parse_http(t.s, t.len, ret) == 0;
}

/* Why If-Match does not hold; `o` is NULL when there is no file. */
static const char *
why_no_match(const struct object_info *o)
{
	if (o == NULL)
		return "there is no file of that name, so If-Match, which is "
		       "about one that exists, cannot hold: leave it out to "
		       "store a new file";
	if (object_info_is_weak(o))
		return o->weak_why != NULL
			   ? o->weak_why
			   : "If-Match cannot name this file: its ETag is weak";
	return "the file is not the one that If-Match names: it was changed or "
	       "replaced; ask for its ETag (HEAD) and decide again";
}

static const char bad_match[] =
    "If-Match must be * or entity-tags in quotes, with commas between";
static const char bad_none_match[] =
    "If-None-Match must be * or entity-tags in quotes, with commas between";

/*
 * If-Match, or If-Unmodified-Since in its absence: steps 1 and 2 of RFC 9110
 * 13.2.2.  0, 412 or 400.
 */
static int
check_unchanged(const struct preconditions *p, const struct object_info *o,
    const char **ret_why)
{
	time_t when;

	if (p->match.kind == TAGS_MALFORMED) {
		*ret_why = bad_match;
		return 400;
	}
	if (p->match.kind != TAGS_ABSENT) {
		if (tags_name(&p->match, o, true))
			return 0;
		*ret_why = why_no_match(o);
		return 412;
	}
	if (o != NULL && p->has_date && object_info_date(o, &when) &&
	    when > p->unmodified_since) {
		*ret_why = "the file was modified after If-Unmodified-Since";
		return 412;
	}
	return 0;
}

/* If-None-Match: 0 when it holds or is absent, 412 or 400. */
static int
check_none(const struct preconditions *p, const struct object_info *o,
    const char **ret_why)
{
	if (p->none_match.kind == TAGS_MALFORMED) {
		*ret_why = bad_none_match;
		return 400;
	}
	if (p->none_match.kind == TAGS_ABSENT ||
	    !tags_name(&p->none_match, o, false))
		return 0;
	*ret_why = "a file of that name exists, and If-None-Match says "
		   "not to replace it: choose another name, or leave "
		   "the condition out";
	return 412;
}

static struct preconditions
read_preconditions(const struct head *h)
{
	struct preconditions p = {
	    .match = read_tags(h->if_match),
	    .none_match = read_tags(h->if_none_match),
	};

	p.has_date = p.match.kind == TAGS_ABSENT &&
		     date_of(h->if_unmodified_since, &p.unmodified_since);
	return p;
}

int
preconditions_read(
    const struct head *h, struct preconditions *ret, const char **ret_why)
{
	*ret = read_preconditions(h);
	if (ret->match.kind == TAGS_MALFORMED) {
		*ret_why = bad_match;
		return 400;
	}
	if (ret->match.kind == TAGS_ABSENT &&
	    ret->none_match.kind == TAGS_MALFORMED) {
		*ret_why = bad_none_match;
		return 400;
	}
	return 0;
}

bool
preconditions_hold(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why)
{
	return check_unchanged(p, existing, ret_why) == 0 &&
	       check_none(p, existing, ret_why) == 0;
}

/* Copy the list to *at, which is moved behind it. */
static void
copy_tags(struct conditions_tags *tags, char **at)
{
	if (tags->kind != TAGS_LISTED)
		return;
	memcpy(*at, tags->list.s, tags->list.len);
	tags->list.s = *at;
	*at += tags->list.len;
}

struct preconditions *
preconditions_copy(const struct preconditions *p)
{
	struct preconditions *copy =
	    malloc(sizeof(*copy) + p->match.list.len + p->none_match.list.len);
	char *at;

	if (copy == NULL)
		return NULL;
	*copy = *p;
	at = (char *)(copy + 1);
	copy_tags(&copy->match, &at);
	copy_tags(&copy->none_match, &at);
	return copy;
}

/* Whether Range may be followed: If-Range is absent or names this file. */
static bool
is_range_valid(const struct head *h, const struct object_info *o)
{
	struct span t = h->if_range;
	struct tag tag;
	time_t date, when;

	if (t.s == NULL)
		return true;
	/* Not the time of an answer that was sent in place of the future. */
	if (date_of(t, &date))
		return object_info_date(o, &when) && when == date &&
		       o->modified_s == date;
	return take_tag(&t, &tag) && t.len == 0 && is_etag(&tag, o->etag, true);
}

/* A position; a number too large for 64 bits is beyond the end of any file. */
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
conditions_read(const struct head *h, const struct object_info *o,
    struct conditions_range *ret_range, const char **ret_why)
{
	const struct preconditions p = read_preconditions(h);
	time_t date, when;
	int status;

	status = check_unchanged(&p, o, ret_why);
	if (status != 0)
		return status;
	status = check_none(&p, o, ret_why);
	if (status != 0)
		return status == 412 ? 304 : status;
	if (h->if_none_match.s == NULL &&
	    date_of(h->if_modified_since, &date) &&
	    object_info_date(o, &when) && when <= date)
		return 304;

	*ret_range = (struct conditions_range){0, o->size};
	if (h->method != METHOD_GET || h->range.s == NULL ||
	    !is_range_valid(h, o))
		return 200;
	status = resolve_range(h->range, o->size, ret_range);
	if (status == 416)
		*ret_why = "the file ends before the range begins";
	return status;
}
