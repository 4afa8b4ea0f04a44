/*
 * http/admission.h - max_connections_per_ip: which connections are served.
 *
 *	ADMISSION_SERVED    up to the limit, over all workers
 *	ADMISSION_REJECTED  as many again: they are told so (503) when they ask
 *	ADMISSION_CLOSED    all others: closed without a word
 *
 * An address is an IPv4 address or an IPv6 /64 (addr_network()).
 */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"
#include "shared/limits.h"

struct conf_server;

enum admission_answer {
	ADMISSION_SERVED,
	ADMISSION_REJECTED,
	ADMISSION_CLOSED,
};

/* For one server block, in one worker. */
struct admission {
	const struct conf_server *conf;
	struct limits_scope served, rejected;
};

/*
 * admission_enter(a, peer, ret_place):
 * Count a connection from `peer`; connections from UNIX sockets are served and not
 * counted.  Unless the answer is ADMISSION_CLOSED, the caller gives *ret_place to
 * admission_leave() when the connection has ended; 0 there means that it was not
 * counted.
 */
NODISCARD enum admission_answer admission_enter(const struct admission *a,
    const struct addr *peer, limits_entry *ret_place);

/* For a connection that was rejected: true when one that was served has left by now, in
 * any worker.  Then this one is counted as served, and *place is changed. */
bool admission_retry(
    const struct admission *a, const struct addr *peer, limits_entry *place);

/* The connection has ended: count it no more.  Clears *place, which may be 0. */
void admission_leave(const struct admission *a, limits_entry *place);

#endif
