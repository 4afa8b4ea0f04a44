/*
 * http/structured.h - structured fields (RFC 9651), as far as they are read
 * here: dictionaries, and items.
 *
 *	sha-256=:47DEQ...=:;q=1, priority=5, flag
 *	^key    ^value     ^parameters       ^another member
 *
 * The whole syntax is checked, also that of values which are not used here: the types
 * of RFC 8941 and the two that RFC 9651 has added.  Base64 is read leniently, as the RFC
 * asks for: padding may be missing, and the bits behind the last byte are ignored.
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
	/* The text of the value, without parameters; for a byte sequence the
	 * base64 between its colons; empty for a key alone, which means true. */
	struct span value;
};

enum structured_result {
	STRUCTURED_END,
	STRUCTURED_MEMBER, /* *ret_member is set */
	STRUCTURED_MALFORMED,
};

/*
 * structured_next(rest, ret_member):
 * Take the next member of a dictionary, and the comma behind it, off *rest, which is the
 * value of a field line or the rest of it.  A key may occur several times; the last one
 * counts.  After MALFORMED *rest is undefined, and nothing of the field may be used,
 * including the members before.
 */
NODISCARD enum structured_result structured_next(
    struct span *rest, struct structured_member *ret_member);

/* An item alone, whose key is absent; its parameters are passed over.  False: it is
 * malformed. */
NODISCARD bool structured_item(
    struct span text, struct structured_member *ret_item);

#endif
