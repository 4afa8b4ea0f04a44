/*
 * http/conditions.h - conditional requests and ranges (RFC 9110 13 and 14).
 *
 * What the head asks for is held against what is known of the file and nothing
 * else; no file is touched.  A date that is none is ignored, as the RFC demands,
 * but a list of entity-tags that is none is refused with 400: a condition must
 * not be dropped without the client's knowledge.
 */
#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/check.h"
#include "base/object_info.h"
#include "base/str.h"
#include "http/syntax.h"

struct head;

/* Bytes of a file: `len` of them from `first` on. */
struct conditions_range {
	uint64_t first, len;
};

/* ETag and Last-Modified, each with its CRLF, added to `out`.  Last-Modified is
 * never later than now, and left out where object_info_date() has none. */
void conditions_add_validators(const struct object_info *o, struct str *out);

/*
 * conditions_read(h, o, ret_range, ret_why):
 * What a GET or HEAD of an existing file is answered with: 200 and the whole
 * file in *ret_range; 206 and that part of it; 304; 412; 416; or 400.  With
 * the last three *ret_why is a static sentence.  Several ranges, other units
 * than bytes, a malformed Range, and Range with HEAD give 200.
 */
NODISCARD int conditions_read(const struct head *h, const struct object_info *o,
    struct conditions_range *ret_range, const char **ret_why);

/* What If-Match or If-None-Match says. */
struct conditions_tags {
	enum conditions_tags_kind {
		TAGS_ABSENT,
		TAGS_ANY, /* an asterisk: whatever file there is */
		TAGS_LISTED,
		TAGS_MALFORMED,
	} kind;
	struct span list; /* LISTED: well-formed entity-tags, with commas */
};

/* The conditions of a request that writes: a value, whose texts lie in the head
 * until preconditions_copy(). */
struct preconditions {
	struct conditions_tags match, none_match;
	bool has_date;		 /* If-Unmodified-Since; not beside If-Match */
	time_t unmodified_since; /* seconds since 1970 */
};

/*
 * preconditions_read(h, ret, ret_why):
 * The conditions of a PUT or POST: 0, or 400 and a static sentence.  (With a
 * good If-Match a malformed If-None-Match is told when the first one holds.)
 */
NODISCARD int preconditions_read(
    const struct head *h, struct preconditions *ret, const char **ret_why);

/*
 * preconditions_hold(p, existing, ret_why):
 * Whether `existing` (NULL: there is none) may be replaced; if not, *ret_why is a
 * static sentence.  From any thread.
 */
bool preconditions_hold(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);

/* Does it ask for anything? */
static inline bool
preconditions_exist(const struct preconditions *p)
{
	return p->match.kind != TAGS_ABSENT ||
	       p->none_match.kind != TAGS_ABSENT || p->has_date;
}

/* A copy with its texts, which needs the head no longer; to be ended with free().
 * NULL when out of memory. */
NODISCARD struct preconditions *preconditions_copy(
    const struct preconditions *p);

#endif
