/*
 * http/conditions.h - conditional requests and ranges (RFC 9110 13 and 14).
 *
 * What the head asks for is held against the file's version and nothing else;
 * no file is touched.  A date that is none is ignored, as the RFC demands,
 * but a list of entity-tags that is none is refused with 400: who writes a
 * condition must not have it dropped.
 */
#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include <stdint.h>

#include "base/check.h"
#include "base/file_version.h"
#include "base/str.h"

struct head;

enum {
	CONDITIONS_ETAG_MAX = 64, /* room for an entity-tag, with its NUL */
};

/* Bytes of a file: `len` of them from `first` on. */
struct conditions_range {
	uint64_t first, len;
};

/*
 * conditions_etag(v, ret_etag):
 * The entity-tag of a file, in its quotes.  It is the same in all workers and
 * after a restart, and tells no inode number.  Weak (W/) where two versions of
 * the file could look the same: such a one never matches in If-Match and
 * If-Range.
 */
void conditions_etag(
    const struct file_version *v, char ret_etag[CONDITIONS_ETAG_MAX]);

/* ETag and Last-Modified, each with its CRLF, added to `out`.  Last-Modified is
 * never later than now (RFC 9110 8.8.2.1), and left out for a year before
 * 1601 or after 9999. */
void conditions_add_validators(const struct file_version *v, struct str *out);

/*
 * conditions_read(h, v, ret_range, ret_why):
 * What a GET or HEAD of an existing file is answered with: 200 and the whole
 * file in *ret_range; 206 and that part of it; 304; 412; 416; or 400.  With
 * the last three *ret_why is a static sentence.  Several ranges, other units
 * than bytes, a malformed Range, and Range with HEAD give 200.
 */
NODISCARD int conditions_read(const struct head *h,
    const struct file_version *v, struct conditions_range *ret_range,
    const char **ret_why);

/*
 * conditions_write(h, v, ret_why):
 * Whether a PUT may go on: 0, or 412 or 400 and a static sentence.  `v` is
 * the file that would be replaced, NULL when there is none.
 */
NODISCARD int conditions_write(
    const struct head *h, const struct file_version *v, const char **ret_why);

#endif
