/*
 * web/dispatch.h - answers the requests of one server block: a `handler`.
 *
 *	exchange -> site_gate -> router -> put | get | short answer
 */
#ifndef WEB_DISPATCH_H
#define WEB_DISPATCH_H

#include "http/exchange.h"
#include "web/context.h"

struct dispatch {
	struct handler handler; /* what connections are given */
	struct context *context;
};

/* Make it ready; `c` stays the caller's and must outlive it. */
void dispatch_init(struct dispatch *s, struct context *c);

#endif
