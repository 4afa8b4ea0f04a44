/*
 * http/proxied.h - connections that begin with a PROXY line (`listen ... proxy_protocol`).
 *
 *	accepted -> is it a proxy's? -> PROXY line -> connections_open(), for its client
 *	               \-> closed        \-> closed: malformed, or late (header_timeout)
 *
 * Before that a connection has no answer: what speaks the PROXY protocol is a proxy.
 */
#ifndef HTTP_PROXIED_H
#define HTTP_PROXIED_H

#include <stdbool.h>

#include "http/connections.h"

/* Take over the accepted socket, whose PROXY line is still to come.  Counts among the
 * connections of the worker until it is closed or handed to connections_open(). */
void proxied_open(struct connections *g, int fd, const struct addr *peer,
    const struct connections_door *door);

/* Stop gracefully: they have another second. */
void proxied_stop(struct connections *g);

/* Close all whose line has not come. */
void proxied_drop(struct connections *g);

#endif
