/*
 * web/resume.h - uploads that survive their connection: tus 1.0.0, and the drafts of the
 * IETF, on the same URLs.
 *
 *	creation    POST, in a location with `resume on`; of the drafts: any upload
 *	            request                         -> Location: LOCATION/.penstock/ID
 *	going on    PATCH LOCATION/.penstock/ID
 *	looking     HEAD, GET
 *	giving up   DELETE
 *
 * What is kept of an upload is in the store (store/partial.h): nothing of it is in memory
 * between two requests, which any worker may get.  A newer request takes the upload over
 * from an older one, whose client is told how much of it was kept.
 *
 * An upload belongs to who was let in when it was begun; to others it is not there.  One
 * of a client that said nothing of itself belongs to who knows its ID.  The rules of the
 * location are asked at each request, as for the request that began it.
 */
#ifndef WEB_RESUME_H
#define WEB_RESUME_H

#include <stdbool.h>

#include "base/str.h"
#include "web/context.h"
#include "web/router.h"

struct exchange;

/* Carry out a request whose route is ROUTE_RESUME_NEW or ROUTE_RESUME. */
void resume_begin(
    struct context *c, struct exchange *x, const struct route *route);

/* Add what OPTIONS tells of the location: the fields of tus, and Upload-Limit. */
void resume_add_options(const struct conf_location *l, struct str *out);

/* Add the field lines that every response to this request has. */
void resume_add_fields(
    const struct conf_server *s, const struct head *h, struct str *out);

/* True for a request whose client takes a 5xx for the loss of its upload
 * (handler.is_literal). */
bool resume_is_literal(const struct conf_server *s, const struct head *h);

#endif
