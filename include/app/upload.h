/*
 * app/upload.h - one upload, from its head to its receipt.
 */
#ifndef APP_UPLOAD_H
#define APP_UPLOAD_H

#include "app/service.h"

/*
 * upload_begin(s, c, h, r, ret_request):
 * Take a request with a ROUTE_STORE_*: it is answered, sooner or later.
 * *ret_request is set while it is in hand.
 */
void upload_begin(struct service *s, struct conn *c, const struct head *h,
    const struct route *r, void **ret_request);

#endif
