/*
 * http/structured.h - structured fields (RFC 9651), as far as they are read
 * here: dictionaries.
 *
 *	sha-256=:47DEQ...=:;q=1, priority=5, flag
 *	^key    ^value     ^parameters       ^another member
 *
 * All of the syntax is checked, also that of values which are not used here: the
 * types of RFC 8941 and the two that RFC 9651 added.  One exception is asked
 * for by the RFC: padding of base64 may be missing, and what stands in the
 * bits behind the last byte is not looked at.
 */
#ifndef HTTP_STRUCTURED_H
#define HTTP_STRUCTURED_H

#include "base/check.h"
#include "http/syntax.h"

enum structured_type {
	STRUCTURED_INTEGER,
	STRUCTURED_DECIMAL,
	STRUCTURED_STRING,
	STRUCTURED_TOKEN,
	STRUCTURED_BYTES,
	STRUCTURED_BOOLEAN,
	STRUCTURED_DATE,
	STRUCTURED_DISPLAY, /* a string in UTF-8 */
	STRUCTURED_LIST,    /* an inner list */
	STRUCTURED_TYPE_COUNT
};

/* Both spans are parts of the text that is read. */
struct structured_member {
	struct span key;
	enum structured_type type;
	/* As it stands there, without parameters; of a byte sequence the
	 * base64 between its colons; empty for a key alone, which is true. */
	struct span value;
};

enum structured_result {
	STRUCTURED_END,
	STRUCTURED_MEMBER, /* *ret_member is set */
	STRUCTURED_MALFORMED,
};

/*
 * structured_next(rest, ret_member):
 * Take the next member, and the comma behind it, off a dictionary: the value
 * of one field line, or what is left of it.  A key may come several times;
 * the last one counts.  After MALFORMED nothing of the field may be used, the
 * members before it neither, and *rest is undefined.
 */
NODISCARD enum structured_result structured_next(
    struct span *rest, struct structured_member *ret_member);

#endif
