/*
 * base/preconditions.h - conditions on an object that must hold before a request is
 * carried out (RFC 9110 13): If-Match, If-Unmodified-Since, If-None-Match.
 *
 * They are a value, which http/conditions.h reads from a head.  A store compares it with
 * the object that it has, or passes it on to a service that does (If-None-Match: * is
 * none_match.kind == ENTITY_TAGS_ANY).
 */
#ifndef BASE_PRECONDITIONS_H
#define BASE_PRECONDITIONS_H

#include <stdbool.h>
#include <time.h>

#include "base/check.h"
#include "base/entity_tag.h"
#include "base/object_info.h"

/* The texts are in the buffer that they were read from; preconditions_copy() copies
 * them. */
struct preconditions {
	struct entity_tags match, none_match;
	bool has_date;		 /* If-Unmodified-Since, without If-Match */
	time_t unmodified_since; /* seconds since 1970 */
};

/* True when there is any condition. */
static inline bool
preconditions_exist(const struct preconditions *p)
{
	return p->match.kind != ENTITY_TAGS_ABSENT ||
	       p->none_match.kind != ENTITY_TAGS_ABSENT || p->has_date;
}

/* A static sentence that says what is malformed; NULL: nothing that must be reported
 * before the object is known.  (If-None-Match counts only when If-Match holds; so a
 * malformed one beside a good If-Match is reported by the functions below.) */
const char *preconditions_fault(const struct preconditions *p);

/*
 * preconditions_hold(p, existing, ret_why):
 * True when `existing` (NULL: there is no object) may be replaced.  Otherwise *ret_why is
 * a static sentence for the client.  May be called by any thread.
 */
bool preconditions_hold(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);

/* The two halves of that, in their order (RFC 9110 13.2.2): If-Match, or
 * If-Unmodified-Since in its absence; and If-None-Match. */
bool preconditions_hold_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);
bool preconditions_hold_none_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why);

/* A copy together with its texts, in one block of memory that the caller ends with
 * free().  NULL when out of memory. */
NODISCARD struct preconditions *preconditions_copy(
    const struct preconditions *p);

#endif
