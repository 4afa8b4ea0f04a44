/*
 * http/connections.h - the connections of one server block: requests in,
 * responses out.
 *
 *	heading -> working -> answering | streaming -> heading ...
 *	                               \-> lingering -> over
 *
 * A connection reads a head, hands the request to the handler as an exchange
 * (http/exchange.h), and sends the response when the handler has one.  It ends
 * by itself.
 */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/list.h"
#include "config/config.h"
#include "http/admission.h"
#include "http/exchange.h"
#include "http/turns.h"

struct chunk_pool;
struct journal;
struct slot;

/* What the connections of one server block share; one set per worker. */
struct connections {
	struct ev_loop *loop;
	struct chunk_pool *pool; /* whose chunks responses are streamed from */
	const struct conf_server *conf;
	struct handler *handler;
	struct slot *slot;	      /* whose `connections` they count in */
	struct admission admission;   /* its scopes; the rest is set by init */
	struct journal *access;	      /* NULL: no access log */
	void (*on_closed)(void *arg); /* there is one fewer */
	void *arg;
	bool stamped;  /* their sockets are fd_stamp()ed */
	uint64_t *ids; /* the last id given out, of the worker */

	/* The module's. */
	struct list conns;
	struct turns turns; /* of those with a further request at hand */
	/* Whose on_request() runs, as long as that exchange is in hand. */
	struct exchange *asking;
	bool stopping; /* no request after the present one */
};

/* With all that is asked for above `conns` set: ready for connections. */
void connections_init(struct connections *g);

/* Take over the accepted socket `fd`; it is closed when memory is short.  Was it
 * accepted on a loopback address? */
void connections_open(
    struct connections *g, int fd, const struct addr *peer, bool on_loopback);

/* One more request at most for each, answered with Connection: close; those
 * that ask for nothing are closed in a second. */
void connections_stop(struct connections *g);

/* The server stops at once: requests in hand get 503, what is being sent may
 * end, everything else is closed.  What is left in a moment is to be dropped. */
void connections_cut(struct connections *g);

/* Close them all, now; handlers are told. */
void connections_drop(struct connections *g);

#endif
