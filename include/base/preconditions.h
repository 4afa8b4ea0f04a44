/*
 * base/preconditions.h - what has to be true of an object before a request is
 * carried out (RFC 9110 13): If-Match, If-Unmodified-Since, If-None-Match.
 *
 * A value, which http/conditions.h reads from a head.  A store judges it by what it
 * has, or translates it for a service that judges itself (If-None-Match: * is
 * none_match.kind == ENTITY_TAGS_ANY, say).
 */
#ifndef BASE_PRECONDITIONS_H
#define BASE_PRECONDITIONS_H

#include <stdbool.h>
#include <time.h>

#include "base/check.h"
#include "base/entity_tag.h"
#include "base/object_info.h"

/* Their texts lie where they were read, until preconditions_copy(). */
struct preconditions {
	struct entity_tags match, none_match;
	bool has_date;		 /* If-Unmodified-Since; not beside If-Match */
	time_t unmodified_since; /* seconds since 1970 */
};

/* Does it ask for anything? */
static inline bool
preconditions_exist(const struct preconditions *p)
{
	return p->match.kind != ENTITY_TAGS_ABSENT ||
	       p->none_match.kind != ENTITY_TAGS_ABSENT || p->has_date;
}

/* What is malformed in it, whatever there is, as a static sentence; NULL: nothing.
 * (With a good If-Match a malformed If-None-Match is told when the first one
 * holds: by the functions below.) */
const char *preconditions_fault(const struct preconditions *p);

/*
 * preconditions_hold(p, existing, ret_why):
 * Whether `existing` (NULL: there is nothing) may be replaced; if not, *ret_why is a
 * static sentence for the client.  From any thread.
 */
bool preconditions_hold(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);

/* The two halves of that, in their order (RFC 9110 13.2.2): If-Match, or
 * If-Unmodified-Since in its absence; and If-None-Match. */
bool preconditions_hold_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);
bool preconditions_hold_none_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);

/* A copy with its texts, in one piece of memory that the caller is to free().  NULL
 * when out of memory. */
NODISCARD struct preconditions *preconditions_copy(
    const struct preconditions *p);

#endif
