/*
 * app/service.h - answers the requests of one server block: a `handler`.
 *
 *	exchange -> gate -> router -> service -> upload | download | short answer
 */
#ifndef APP_SERVICE_H
#define APP_SERVICE_H

#include <stdbool.h>

#include "base/check.h"
#include "base/log.h"
#include "config/config.h"
#include "shared/limits.h"
#include "log/trace.h"
#include "store/store.h"
#include "http/exchange.h"
#include "http/router.h"
#include "app/outcome.h"

struct service {
	struct handler handler; /* what connections are given */
	const struct conf_server *conf;
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct engine *engine;	/* for digests, ... */
	struct device *compute; /* ... which are computed here */
	struct trace_group *traces;
	struct store **stores;	     /* one for each of conf->locations */
	struct limits_scope uploads; /* for max_uploads */
	struct log_limit *failures;  /* one for each location and ending */
};

/* Ready to be used; all that the fields point to outlives it. */
void service_init(struct service *s);

/* The store behind a location of this server. */
struct store *service_store(
    const struct service *s, const struct conf_location *location);

/*
 * service_note_failure(s, l, what, id, name, e, err):
 * Someone who runs this server has to see what is not the client's doing: a
 * line in the error log, for each location and ending at most once a second.
 * `what`: "upload" or "download"; `err`: behind it, or 0.
 */
void service_note_failure(const struct service *s,
    const struct conf_location *l, const char *what, uint64_t id,
    const char *name, enum outcome e, int err);

#endif
