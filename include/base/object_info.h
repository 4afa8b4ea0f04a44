/*
 * base/object_info.h - what is known of a stored object, in any store: what HTTP
 * responses say of it, and what conditions such as If-Match are compared with.
 */
#ifndef BASE_OBJECT_INFO_H
#define BASE_OBJECT_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
	OBJECT_ETAG_SIZE = 64, /* room for an entity-tag, with its NUL */
};

struct object_info {
	uint64_t size;	    /* bytes */
	int64_t modified_s; /* seconds since 1970, of any year: see
			       object_info_date() */
	/*
	 * Its entity-tag, as it stands in a header: in quotes, behind W/ when it
	 * is weak.  It is the same in all workers and after a restart.  It is
	 * weak where two versions of the object could have the same one; a weak
	 * one never matches in If-Match and If-Range.
	 */
	char etag[OBJECT_ETAG_SIZE];
	/* When it is weak: a static sentence that tells a client why its If-Match
	 * cannot match; NULL: there is none. */
	const char *weak_why;
};

static inline bool
object_info_is_weak(const struct object_info *o)
{
	return o->etag[0] == 'W';
}

/*
 * object_info_date(o, ret):
 * The time for Last-Modified: when it was modified, or now, if that is in the
 * future (RFC 9110 8.8.2.1).  False, with nothing set, when the year is before 1601 or
 * after 9999, which HTTP dates cannot express (clock_parse_http()).
 */
bool object_info_date(const struct object_info *o, time_t *ret);

#endif
