/*
 * http/media_type.h - what a Content-Type says (RFC 9110 8.3.1).
 *
 *	Multipart/Form-Data ; boundary="a;b"    is "multipart/form-data"
 *	multipart/form-data boundary=ab         is none: a semicolon is missing
 */
#ifndef HTTP_MEDIA_TYPE_H
#define HTTP_MEDIA_TYPE_H

#include <stdbool.h>

#include "http/syntax.h"

/*
 * media_type_is(field, type):
 * Whether the field's value says `type`, "text/plain" say, with whatever
 * parameters.  These are not checked: a boundary without the quotes that it
 * needs makes a form no file.  False for an absent or a malformed value.
 */
bool media_type_is(struct span field, const char *type);

#endif
