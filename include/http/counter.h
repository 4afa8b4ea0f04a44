/*
 * http/counter.h - counts what a server block does: an observer.
 *
 * A request that was to store something is an upload, whatever became of it: that is what is
 * counted by location, outcome and verdict (shared/metrics.h), and the last of which are kept
 * for who asks for one (shared/live.h).
 */
#ifndef HTTP_COUNTER_H
#define HTTP_COUNTER_H

#include "base/check.h"
#include "shared/live.h"
#include "shared/metrics.h"
#include "shared/user_names.h"
#include "config/config.h"
#include "http/observer.h"

struct retries;

struct counter {
	struct observer observer;
	struct metrics *metrics;
	struct metrics_share *share;
	const struct conf_server *server;
	unsigned *numbers;	  /* of its locations, in their order */
	struct user_names *users; /* that are counted; or NULL */
	struct retries *retries;  /* who is told of; or NULL */
	struct live_share *ended; /* keeps the last uploads; or NULL */
};

/* Count in the share of the worker of `slot`.  0 or -ENOMEM. */
NODISCARD int counter_init(struct counter *c, struct metrics *m, unsigned slot,
    const struct conf_server *server);
void counter_fini(struct counter *c);

#endif
