#include "http/conditions.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/str.h"
#include "http/head.h"

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

/* The date in `t`; false: absent or none. */
static bool
date_of(struct span t, time_t *ret)
{
	return t.s != NULL && clock_parse_http(t.s, t.len, ret) == 0;
}

static struct preconditions
read_preconditions(const struct head *h)
{
	struct preconditions p = {
	    .match = entity_tags_read(h->if_match),
	    .none_match = entity_tags_read(h->if_none_match),
	};

	p.has_date = p.match.kind == ENTITY_TAGS_ABSENT &&
		     date_of(h->if_unmodified_since, &p.unmodified_since);
	return p;
}

int
conditions_write(
    const struct head *h, struct preconditions *ret, const char **ret_why)
{
	const char *fault;

	*ret = read_preconditions(h);
	fault = preconditions_fault(ret);
	if (fault == NULL)
		return 0;
	*ret_why = fault;
	return 400;
}

/* Whether Range may be followed: If-Range is absent or names this file. */
static bool
is_range_valid(const struct head *h, const struct object_info *o)
{
	struct span t = h->if_range;
	time_t date, when;

	if (t.s == NULL)
		return true;
	/* Not the time of an answer that was sent in place of the future. */
	if (date_of(t, &date))
		return object_info_date(o, &when) && when == date &&
		       o->modified_s == date;
	return entity_tag_is(t, o->etag, ENTITY_TAG_STRONGLY);
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

	if (!preconditions_hold_match(&p, o, ret_why))
		return p.match.kind == ENTITY_TAGS_MALFORMED ? 400 : 412;
	if (!preconditions_hold_none_match(&p, o, ret_why))
		return p.none_match.kind == ENTITY_TAGS_MALFORMED ? 400 : 304;
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
