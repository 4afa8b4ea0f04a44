/*
 * app/service.h - answers the requests of one server block: a `handler`.
 *
 *	exchange -> site_gate -> router -> upload | download | short answer
 */
#ifndef APP_SERVICE_H
#define APP_SERVICE_H

#include "http/exchange.h"
#include "app/context.h"

struct service {
	struct handler handler; /* what connections are given */
	struct context *context;
};

/* Ready to be used; `c` stays the caller's, and must outlive it. */
void service_init(struct service *s, struct context *c);

#endif
