/*
 * A request to read that has passed its gate: what get_gate.c gives to get.c.
 */
#ifndef WEB_GET_INTERNAL_H
#define WEB_GET_INTERNAL_H

#include <stdbool.h>

#include "http/exchange.h"
#include "web/context.h"

struct get_order {
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	const char *name; /* NULL: the newest */
	bool slash; /* the path has one behind the name, as for a directory */
};

/* Answer it, now or later. */
void get_start(const struct get_order *o);

#endif
