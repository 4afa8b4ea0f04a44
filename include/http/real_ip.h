/*
 * http/real_ip.h - whose request it is, when a proxy has passed it on.
 *
 *	client --> proxy, which adds the client's address --> here
 *
 * A proxy of trusted_proxies is believed what it says in the field that real_ip_header
 * names.  Each proxy on the way adds the address of who asked it behind those that are
 * there.  So the client is the last address that is no trusted proxy; what stands before
 * that may be anything, since the client itself could have sent it.
 *
 * Nobody else is believed: for others the client is the peer of the connection.
 */
#ifndef HTTP_REAL_IP_H
#define HTTP_REAL_IP_H

#include <stdbool.h>

#include "base/addr.h"
#include "config/config.h"
#include "http/head.h"

/* True when `peer` is one of trusted_proxies. */
bool real_ip_is_proxy(const struct conf_server *s, const struct addr *peer);

/* True when the addresses of clients of `peer` come with their requests. */
bool real_ip_is_told(const struct conf_server *s, const struct addr *peer);

/*
 * real_ip_find(s, h, peer, ret):
 * True when the client is not the peer: then *ret is its address, with port 0 if that is
 * not told.  When the proxy says that it does not know the address, or what it says is no
 * address, or it says nothing, the family is AF_UNSPEC: such a client may be any that a rule
 * denies, and is none that a rule allows, but for rules about all; together they have the
 * limits of one.  That a proxy says nothing is logged now and then.
 */
bool real_ip_find(const struct conf_server *s, const struct head *h,
    const struct addr *peer, struct addr *ret);

/* Drop from `h` what only a trusted proxy is believed, unless `peer` is one; without
 * trusted_proxies nothing is dropped. */
void real_ip_distrust(
    const struct conf_server *s, struct head *h, const struct addr *peer);

#endif
