/*
 * web/cors.h - what pages of other sites are let read and do (allow_origin).
 *
 * Browsers ask by Origin, and by a preflight before requests that a plain form
 * could not send; they are answered by field lines (the Fetch standard, CORS
 * protocol).  These go with every response: a page must be able to read why it
 * was refused.
 *
 * The allow_origin of the location that the path is in decides; for a path in no
 * location, a page that any location allows may read the response.
 */
#ifndef WEB_CORS_H
#define WEB_CORS_H

#include <stdbool.h>

#include "base/str.h"
#include "config/config.h"
#include "http/head.h"

/* Whether allow_origin names the origin of the page that asks, or all. */
bool cors_allows(const struct conf_server *s, const struct head *h);

/* Add the lines for any answer to it; none where there is no allow_origin. */
void cors_add_fields(
    const struct conf_server *s, const struct head *h, struct str *out);

/* Add those for a preflight of such a page, beside: `methods` is what the
 * resource allows. */
void cors_add_preflight(
    const struct head *h, const char *methods, struct str *out);

#endif
