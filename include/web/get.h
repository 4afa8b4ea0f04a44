/*
 * web/get.h - one file read back: a flow from the store to the client.
 */
#ifndef WEB_GET_H
#define WEB_GET_H

#include "http/exchange.h"
#include "web/context.h"
#include "web/router.h"

/* Take a request with a ROUTE_READ_*, as put_begin() does. */
void get_begin(struct context *c, struct exchange *x, const struct route *r);

#endif
