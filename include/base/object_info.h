/*
 * base/object_info.h - what is known of something that is stored, whatever keeps
 * it: what HTTP tells of it, and judges conditions by.
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
	 * is weak.  It is the same in all workers and after a restart.  Weak
	 * where two versions of the object could look the same: such a one
	 * never matches in If-Match and If-Range.
	 */
	char etag[OBJECT_ETAG_SIZE];
	/* When it is weak: a static sentence for clients whose If-Match names it
	 * in vain; NULL: there is none. */
	const char *weak_why;
};

static inline bool
object_info_is_weak(const struct object_info *o)
{
	return o->etag[0] == 'W';
}

/*
 * object_info_date(o, ret):
 * When it was modified, as far as HTTP is told: the future is now (RFC 9110
 * 8.8.2.1).  False: in a year before 1601 or after 9999, which dates that clients
 * send cannot say (clock_parse_http()) or ours could not.
 */
bool object_info_date(const struct object_info *o, time_t *ret);

#endif
