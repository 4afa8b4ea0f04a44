#include "base/preconditions.h"

#include <stdlib.h>
#include <string.h>

static const char bad_match[] =
    "If-Match must be * or entity-tags in quotes, with commas between";
static const char bad_none_match[] =
    "If-None-Match must be * or entity-tags in quotes, with commas between";

const char *
preconditions_fault(const struct preconditions *p)
{
	if (p->match.kind == ENTITY_TAGS_MALFORMED)
		return bad_match;
	if (p->match.kind == ENTITY_TAGS_ABSENT &&
	    p->none_match.kind == ENTITY_TAGS_MALFORMED)
		return bad_none_match;
	return NULL;
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

bool
preconditions_hold_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why)
{
	const char *etag = existing != NULL ? existing->etag : NULL;
	time_t when;

	if (p->match.kind == ENTITY_TAGS_MALFORMED) {
		*ret_why = bad_match;
		return false;
	}
	if (p->match.kind != ENTITY_TAGS_ABSENT) {
		if (entity_tags_name(&p->match, etag, ENTITY_TAG_STRONGLY))
			return true;
		*ret_why = why_no_match(existing);
		return false;
	}
	if (existing != NULL && p->has_date &&
	    object_info_date(existing, &when) && when > p->unmodified_since) {
		*ret_why = "the file was modified after If-Unmodified-Since";
		return false;
	}
	return true;
}

bool
preconditions_hold_none_match(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why)
{
	const char *etag = existing != NULL ? existing->etag : NULL;

	if (p->none_match.kind == ENTITY_TAGS_MALFORMED) {
		*ret_why = bad_none_match;
		return false;
	}
	if (p->none_match.kind == ENTITY_TAGS_ABSENT ||
	    !entity_tags_name(&p->none_match, etag, ENTITY_TAG_WEAKLY))
		return true;
	*ret_why = "a file of that name exists, and If-None-Match says "
		   "not to replace it: choose another name, or leave "
		   "the condition out";
	return false;
}

bool
preconditions_hold(const struct preconditions *p,
    const struct object_info *existing, const char **ret_why)
{
	return preconditions_hold_match(p, existing, ret_why) &&
	       preconditions_hold_none_match(p, existing, ret_why);
}

/* Copy the list to *at, which is moved behind it. */
static void
copy_tags(struct entity_tags *tags, char **at)
{
	if (tags->kind != ENTITY_TAGS_LISTED)
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
