/*
 * http/admission.h - max_connections_per_ip: who is served.
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

/* Of one server block and worker. */
struct admission {
	const struct conf_server *conf;
	struct limits_scope served, rejected;
};

/*
 * admission_enter(a, peer, ret_place):
 * Count a connection of `peer`, if that is limited.  Unless it is to be closed,
 * *ret_place is to be given to admission_leave().
 */
NODISCARD enum admission_answer admission_enter(const struct admission *a,
    const struct addr *peer, limits_entry *ret_place);

/* One that was rejected: is there room by now, because another has left here or
 * in another worker?  Then *place is among the served. */
bool admission_retry(
    const struct admission *a, const struct addr *peer, limits_entry *place);

/* The connection is gone; clears *place. */
void admission_leave(const struct admission *a, limits_entry *place);

#endif
