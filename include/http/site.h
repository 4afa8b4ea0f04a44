/*
 * http/site.h - which web page asks, if one does, and under which name.
 *
 * Any page in the world can have its visitor's browser send a request to any
 * address that the visitor reaches: to 127.0.0.1, or into a company's network.
 * The browser keeps the answer from the page, but the request is done by then.
 * It also says whose page it is.
 */
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include <stdbool.h>

#include "config/config.h"
#include "http/head.h"

enum site {
	SITE_NONE,    /* no page: curl, a program, or an address typed in */
	SITE_OWN,     /* a page that came from here */
	SITE_FOREIGN, /* from another origin, or from one that cannot be told */
};

/*
 * site_of(h, names):
 * Whose page it is.  A browser of today says it itself (Sec-Fetch-Site), but only
 * over HTTPS and to this machine; where it does not, its Origin is compared with
 * host and port of Host; with those that proxies say they were asked for
 * (X-Forwarded-Host), since most of them put a Host of their own in its place;
 * and with `names`, the server's own, at the port of the scheme.
 *
 * X-Forwarded-Host may be believed here, though any program can send it: a web page
 * cannot, unless a preflight has allowed it.
 */
enum site site_of(const struct head *h, const struct conf_list *names);

/*
 * site_knows_host(h, names):
 * Whether Host is one that a listener on a loopback address goes by: localhost
 * (base/host.h), an IP address, or one of `names`; or none at all, as in
 * HTTP/1.0.  A page whose name leads to 127.0.0.1 all of a sudden (DNS
 * rebinding) is a page that came from here, but for that.
 */
bool site_knows_host(const struct head *h, const struct conf_list *names);

/* A preflight: may a page do what it asks for in Access-Control-Request-...? */
static inline bool
site_is_preflight(const struct head *h)
{
	return h->method == METHOD_OPTIONS && h->origin.s != NULL &&
	       h->preflight_method.s != NULL;
}

/* Does it store or change something, as far as HTTP knows?  A browser may send
 * nothing else without asking whether it may be read. */
static inline bool
site_may_change(const struct head *h)
{
	return h->method == METHOD_POST || h->method == METHOD_PUT ||
	       h->method == METHOD_OTHER;
}

#endif
