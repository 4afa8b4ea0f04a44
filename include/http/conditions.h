/*
 * http/conditions.h - conditional requests and ranges (RFC 9110 13 and 14).
 *
 * The head's conditions are compared with what is known of the file (struct
 * object_info); no file is opened.  A malformed date is ignored, as the RFC demands,
 * but a malformed list of entity-tags is refused with 400: a condition must not be
 * dropped without the client's knowledge.
 */
#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/object_info.h"
#include "base/preconditions.h"
#include "base/str.h"

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

/*
 * conditions_write(h, ret, ret_why):
 * The preconditions of a PUT or POST, whose texts stay in the head: 0, or 400 and a
 * static sentence.
 */
NODISCARD int conditions_write(
    const struct head *h, struct preconditions *ret, const char **ret_why);

#endif
