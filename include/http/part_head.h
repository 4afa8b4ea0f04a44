/*
 * http/part_head.h - the head of one part of a form (RFC 7578 4), the boundary between
 * its parts, and the one line of it that requests have as well.
 *
 *	Content-Disposition: form-data; name="up"; filename="a%22b.txt"
 *	Content-Type: text/plain
 *
 * Names are read as clients write them, and not as the RFCs of mail have it: of what is
 * escaped with % only %22, %0D and %0A are decoded (a browser leaves a % as it is); a
 * backslash escapes a quotation mark and nothing else; `filename*` (RFC 8187) wins over
 * `filename`.  All else is strict: what two programs would read differently is refused.
 */
#ifndef HTTP_PART_HEAD_H
#define HTTP_PART_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/span.h"

enum {
	PART_NAME_MAX = 256, /* bytes of a field's name */
	PART_BOUNDARY_MAX = 70,
};

/* What the head of a part says. */
struct part_head {
	char name[PART_NAME_MAX + 1]; /* of the field: not empty, without NUL */
	char filename[FILE_NAME_SIZE]; /* as it was sent; may be empty */
	bool has_filename;
	/* Its Content-Type is that of no text: without a filename it is a file
	 * that nobody has named. */
	bool is_binary;
};

/*
 * part_head_parse(buf, len, ret, ret_why):
 * Parse the lines of a head, each with its CRLF, without the empty line behind them.  False:
 * *ret_why is a static sentence that says what is wrong.
 */
NODISCARD bool part_head_parse(
    const char *buf, size_t len, struct part_head *ret, const char **ret_why);

/*
 * part_head_filename(disposition, ret_name, ret_why):
 * What the Content-Disposition of a request calls the file that it brings (RFC 6266), of
 * whatever type it is: read, and refused, as that of a part.  "": it does not say.
 */
NODISCARD bool part_head_filename(struct span disposition,
    char ret_name[FILE_NAME_SIZE], const char **ret_why);

/*
 * part_head_boundary(type, ret, ret_why):
 * The boundary that a Content-Type of multipart/form-data names, with its NUL; false, and a
 * static sentence: there is none, or none that all programs would read alike.
 */
NODISCARD bool part_head_boundary(
    struct span type, char ret[PART_BOUNDARY_MAX + 1], const char **ret_why);

#endif
