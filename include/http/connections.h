/*
 * http/connections.h - the connections of one server block: requests in,
 * responses out.
 *
 *	[handshaking ->] heading -> working -> answering | streaming -> heading ...
 *	                                                \-> lingering -> over
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
struct metrics_share;
struct observer;
struct request_ids_block;
struct slot;
struct tls_port;

/* What the connections of one server block share, in one worker. */
struct connections {
	struct ev_loop *loop;
	struct chunk_pool *pool; /* whose chunks responses are streamed from */
	const struct conf_server *conf;
	struct handler *handler;
	struct slot *slot;	    /* whose `connections` they count in */
	struct admission admission; /* set the scopes; init sets the rest */
	/* Told of each exchange that has ended; NULL: nobody is.  A list. */
	struct observer *observers;
	struct metrics_share
	    *counted;  /* connections are, there; NULL: nowhere */
	bool detailed; /* one of them wants struct access_more */
	void (*on_closed)(void *arg); /* a connection has ended */
	void *arg;
	bool stamped; /* it matters when bytes come: fd_stamp() was called for
			  their listeners */
	struct request_ids_block *ids; /* the worker's, of requests */

	/* The module's. */
	struct list conns;
	struct list proxied;	 /* http/proxied.h */
	struct turns turns;	 /* of those that have a further request here */
	struct turns handshakes; /* of those that have begun to speak TLS */
	/* The exchange whose on_request() runs, until it is answered. */
	struct exchange *asking;
	bool stopping; /* no request after the present one */
};

/* Make it ready for connections; all fields above `conns` are set. */
void connections_init(struct connections *g);

/* The address that connections come in by. */
struct connections_door {
	bool on_loopback; /* only this machine can reach it */
	/* NULL: plain HTTP.  Else an owner of a site is a struct connections: that
	 * of the default is where connections are until their handshakes are done;
	 * then they are those of the site that the client has asked for. */
	const struct tls_port *tls;
};

/* Take over the accepted socket `fd` of the client `peer`, which came in by `door`; it is
 * closed at once when memory is short, or there are too many. */
void connections_open(struct connections *g, int fd, const struct addr *peer,
    const struct connections_door *door);

/* Stop gracefully: each connection may send one more request, which is answered with
 * Connection: close; idle ones are closed after a second. */
void connections_stop(struct connections *g);

/* Stop at once: requests in hand are answered with 503, responses that are being sent may
 * end, and all other connections are closed.  The caller drops those that are left a
 * moment later. */
void connections_cut(struct connections *g);

/* Close all connections now; handlers are told (on_gone()). */
void connections_drop(struct connections *g);

#endif
