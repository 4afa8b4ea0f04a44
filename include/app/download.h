/*
 * app/download.h - one file read back: a flow from the store to the client.
 */
#ifndef APP_DOWNLOAD_H
#define APP_DOWNLOAD_H

#include "http/exchange.h"
#include "app/router.h"
#include "app/context.h"

/* Take a request with a ROUTE_READ_*, as upload_begin() does. */
void download_begin(
    struct context *c, struct exchange *x, const struct route *r);

#endif
