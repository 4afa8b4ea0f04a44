/*
 * web/get.h - one file read back: a flow from the store to the client.
 */
#ifndef WEB_GET_H
#define WEB_GET_H

#include "http/exchange.h"
#include "web/context.h"
#include "web/router.h"

/* Answer a request whose route is a ROUTE_READ_*, now or later. */
void get_begin(struct context *c, struct exchange *x, const struct route *r);

#endif
