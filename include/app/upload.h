/*
 * app/upload.h - one upload, from its head to its receipt.
 */
#ifndef APP_UPLOAD_H
#define APP_UPLOAD_H

#include "http/exchange.h"
#include "app/router.h"
#include "app/context.h"

/*
 * upload_begin(s, x, r):
 * Take a request with a ROUTE_STORE_*: it is answered, sooner or later.
 */
void upload_begin(struct context *c, struct exchange *x, const struct route *r);

#endif
