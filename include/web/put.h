/*
 * web/put.h - one upload, from its head to its receipt.
 */
#ifndef WEB_PUT_H
#define WEB_PUT_H

#include "http/exchange.h"
#include "web/context.h"
#include "web/router.h"

/*
 * put_begin(c, x, r):
 * Answer a request whose route is a ROUTE_STORE_*, now or later.
 */
void put_begin(struct context *c, struct exchange *x, const struct route *r);

#endif
