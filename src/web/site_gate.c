#include "web/site_gate.h"

#include "base/origin.h"
#include "http/site.h"
#include "web/cors.h"
#include "web/router.h"

static const char methods_of_any[] = "GET, HEAD, POST, PUT, OPTIONS";

static void
site_gate_refuse(
    struct exchange *x, int status, const struct str *why, enum outcome outcome)
{
	exchange_refuse(x, status,
	    str_failed(why) ? "out of memory: try again later" : why->s,
	    outcome);
}

/* A name that is not ours leads here: by mistake, or by DNS rebinding. */
static void
answer_misdirected(struct exchange *x, const struct head *h)
{
	struct str why = {0};
	struct host_port at;

	if (!host_split(h->host.s, h->host.len, &at))
		at = (struct host_port){.host = h->host.s, .len = h->host.len};
	str_puts(&why, "the Host of the request, ");
	str_add(&why, at.host, at.len);
	str_puts(&why,
	    ", is not a name of this server: on a loopback address it answers "
	    "only to localhost, to IP addresses and to the names in "
	    "server_name, so that a web page cannot reach it through a name of "
	    "its own. If the name is yours, write server_name ");
	str_add(&why, at.host, at.len);
	str_puts(&why, " into the server block");
	site_gate_refuse(x, 421, &why, OUTCOME_MISDIRECTED);
	str_fini(&why);
}

/* For how the page's origin is to be allowed: as text, or false. */
static bool
name_origin(const struct head *h, struct str *out)
{
	struct origin o;
	const char *no;

	if (h->origin.s == NULL ||
	    origin_parse(h->origin.s, h->origin.len, &o, &no) < 0)
		return false;
	origin_format(&o, out);
	return !str_failed(out);
}

static void
answer_foreign(
    const struct conf_server *s, struct exchange *x, const struct head *h)
{
	const struct conf_location *l =
	    config_location(s, h->path.s, h->path.len);
	struct str why = {0}, origin = {0};

	str_puts(&why, "a web page of another site sent this");
	if (name_origin(h, &origin)) {
		str_printf(&why, " (its Origin is %s, Host is ", origin.s);
		str_add(&why, h->host.s, h->host.s ? h->host.len : 0);
		str_printf(&why,
		    "); nothing was stored. If such pages may upload here, set "
		    "allow_origin %s%s%s",
		    origin.s, l ? " in location " : "", l ? l->prefix : "");
		/* Else the browser has said it, whatever Host is. */
		if (h->sec_fetch_site.s == NULL)
			str_puts(&why,
			    ". If it is this server's own page behind a proxy, "
			    "have the proxy pass on Host as it came (nginx: "
			    "proxy_set_header Host $http_host)");
	} else {
		str_puts(&why,
		    ", and its origin cannot be told (a file, a sandboxed "
		    "frame, a redirect from elsewhere); nothing was stored. "
		    "Serve the page from a web server and name that in "
		    "allow_origin, or set allow_origin *");
	}
	site_gate_refuse(x, 403, &why, OUTCOME_CROSS_SITE);
	str_fini(&origin);
	str_fini(&why);
}

static void
answer_preflight(
    const struct conf_server *s, struct exchange *x, const struct head *h)
{
	struct response r = {.status = 204};
	struct route route;

	router_route(s, h, &route);
	/* Some old browsers do not take 204, which clients of tus know. */
	if (route.location != NULL && route.location->policy.resume)
		r.status = 200;
	cors_add_preflight(
	    h, route.allow ? route.allow : methods_of_any, &r.fields);
	exchange_respond(x, &r);
}

bool
site_gate_answers(
    const struct conf_server *s, struct exchange *x, const struct head *h)
{
	bool preflight = site_is_preflight(h);

	/* CONNECT names another host by nature, and is refused anyway. */
	if (h->method == METHOD_CONNECT)
		return false;
	if (exchange_is_on_loopback(x) &&
	    !site_knows_host(h, &s->server_name)) {
		answer_misdirected(x, h);
		return true;
	}
	if (!preflight && !site_may_change(h))
		return false;
	if (preflight && cors_allows(s, h)) {
		answer_preflight(s, x, h);
		return true;
	}
	if (site_of(h, &s->server_name) == SITE_FOREIGN && !cors_allows(s, h)) {
		answer_foreign(s, x, h);
		return true;
	}
	return false;
}
