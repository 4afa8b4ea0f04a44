/*
 * web/cors.h - what web pages of other sites may read and do (allow_origin).
 *
 * A browser sends Origin, and first a preflight if the request is one that a plain form
 * could not send.  Field lines of the response tell it what the page may do (Fetch
 * standard, CORS protocol).  Every response has them, since a page should be able to read
 * why it was refused.
 *
 * What counts is the allow_origin of the location that the path is in.  When the path
 * is in no location, a page that any location allows may read the response.
 */
#ifndef WEB_CORS_H
#define WEB_CORS_H

#include <stdbool.h>

#include "base/str.h"
#include "config/config.h"
#include "http/head.h"

/* True when allow_origin includes the origin of the page that sends the request. */
bool cors_allows(const struct conf_server *s, const struct head *h);

/* Add to `out` the field lines for any response to it; none if there is no
 * allow_origin. */
void cors_add_fields(
    const struct conf_server *s, const struct head *h, struct str *out);

/* Add the further lines for a preflight from a page that is allowed; `methods` are
 * those that the resource allows. */
void cors_add_preflight(
    const struct head *h, const char *methods, struct str *out);

#endif
