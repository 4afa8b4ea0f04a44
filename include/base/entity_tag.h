/*
 * base/entity_tag.h - entity-tags as requests list them (RFC 9110 8.8.3).
 *
 *	If-None-Match: "a", W/"b"
 *
 * An entity-tag of ours is a string, as it stands in a header: in its quotes, behind
 * W/ if it is weak.
 */
#ifndef BASE_ENTITY_TAG_H
#define BASE_ENTITY_TAG_H

#include <stdbool.h>

#include "base/span.h"

/* What a field says. */
struct entity_tags {
	enum entity_tags_kind {
		ENTITY_TAGS_ABSENT,
		ENTITY_TAGS_ANY, /* an asterisk: whatever there is */
		ENTITY_TAGS_LISTED,
		ENTITY_TAGS_MALFORMED,
	} kind;
	struct span list; /* LISTED: well-formed entity-tags, with commas */
};

/* How two are compared (RFC 9110 8.8.3.2). */
enum entity_tag_comparison {
	ENTITY_TAG_WEAKLY,
	ENTITY_TAG_STRONGLY, /* weak ones are equal to none */
};

/* Read the value of a field; its text stays in the list. */
struct entity_tags entity_tags_read(struct span field);

/* Is `etag` (NULL: there is no object) one of them? */
bool entity_tags_name(const struct entity_tags *tags, const char *etag,
    enum entity_tag_comparison how);

/* Is `field` one entity-tag, equal to `etag`? */
bool entity_tag_is(
    struct span field, const char *etag, enum entity_tag_comparison how);

#endif
