/*
 * http/syntax.h - the corners of HTTP's grammar that several modules need.
 *
 * All of it works on spans: bytes in a buffer that the caller owns.
 */
#ifndef HTTP_SYNTAX_H
#define HTTP_SYNTAX_H

#include <stdbool.h>

#include "base/span.h"

/* A byte that may stand in a method or a field name (RFC 9110 5.6.2). */
bool syntax_is_tchar(unsigned char c);

/* A byte that may stand in no line at all: a control other than TAB. */
static inline bool
syntax_is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* One or more tchars. */
bool syntax_is_token(struct span t);

/*
 * syntax_next_member(rest, ret_member):
 * Take the next member off a comma-separated list, without the white space
 * around it; it may be empty.  False at the end.  Quotes are not known.
 */
bool syntax_next_member(struct span *rest, struct span *ret_member);

/* host[:port], the host of 1 to 255 bytes (RFC 9110 4.2.1, RFC 3986 3.2.2). */
bool syntax_is_authority(struct span t);

/*
 * syntax_split_absolute(target, ret_authority, ret_path):
 * Take http://authority/path?query apart; https too, since what terminates
 * TLS may stand before us.  The path still has its query and may be empty.
 * False when `target` does not begin so.
 */
bool syntax_split_absolute(
    struct span target, struct span *ret_authority, struct span *ret_path);

#endif
