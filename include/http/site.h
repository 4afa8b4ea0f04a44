/*
 * http/site.h - does a web page send the request, and of which site?
 *
 * Any web page can make the browser of its visitor send a request to any address that
 * the visitor can reach: to 127.0.0.1, or into a company's network.  The browser does
 * not let the page read the response, but by then the request was carried out.  It
 * also says in the request where the page comes from.
 */
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include <stdbool.h>

#include "config/config.h"
#include "http/head.h"

enum site {
	SITE_NONE,    /* no page: curl, a program, or an address typed in */
	SITE_OWN,     /* a page of this server */
	SITE_FOREIGN, /* a page of another origin, or of an unknown one */
};

/*
 * site_of(h, names):
 * Current browsers say it themselves (Sec-Fetch-Site), but only over HTTPS and to this
 * machine.  Otherwise Origin is compared with host and port
 *
 * - of Host;
 * - of X-Forwarded-Host, since most proxies replace Host;
 * - of the server's own `names`, at the default port of the scheme.
 *
 * Any program can send X-Forwarded-Host, but a web page cannot, unless a preflight has
 * allowed it; so it can be trusted here.
 */
enum site site_of(const struct head *h, const struct conf_list *names);

/*
 * site_knows_host(h, names):
 * True when Host may name a listener on a loopback address: it is localhost
 * (base/host.h), an IP address, or one of `names`; or there is no Host, as in HTTP/1.0.
 * Otherwise a page whose host name suddenly resolves to 127.0.0.1 (DNS rebinding) would
 * count as a page of this server.
 */
bool site_knows_host(const struct head *h, const struct conf_list *names);

/* True for a preflight (CORS), which asks whether a page may send the request that
 * Access-Control-Request-... describe. */
static inline bool
site_is_preflight(const struct head *h)
{
	return h->method == METHOD_OPTIONS && h->origin.s != NULL &&
	       h->preflight_method.s != NULL;
}

/* True when the method may store or change something.  Browsers let any page send the
 * others. */
static inline bool
site_may_change(const struct head *h)
{
	return h->method == METHOD_POST || h->method == METHOD_PUT ||
	       h->method == METHOD_PATCH || h->method == METHOD_DELETE ||
	       h->method == METHOD_OTHER;
}

#endif
