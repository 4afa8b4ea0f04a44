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
 * True when the field's value has the media type `type`, such as "text/plain".
 * Parameters are not checked: a form whose boundary lacks its quotes is still a form.
 * False for an absent or malformed value.
 */
bool media_type_is(struct span field, const char *type);

/* True when an Accept asks for HTML before it asks for JSON, as that of a browser does when it
 * shows what comes.  False for an absent one. */
bool media_type_prefers_html(struct span accept);

#endif
