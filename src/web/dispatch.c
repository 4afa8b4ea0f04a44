#include "web/dispatch.h"

#include <string.h>

#include "web/cors.h"
#include "web/get.h"
#include "web/put.h"
#include "web/readiness.h"
#include "web/resume.h"
#include "web/router.h"
#include "web/site_gate.h"

/* GET /: what there is, and the lines to try. */
static void
dispatch_describe(
    const struct conf_server *s, const struct head *h, struct response *r)
{
	struct str host = {0};
	const char *authority = "HOST";

	str_add(&host, h->host.s, h->host.s ? h->host.len : 0);
	if (host.len > 0)
		authority = host.s;
	r->status = 200;
	r->content_type = "text/plain; charset=utf-8";
	str_puts(&r->content,
	    "penstock takes uploads: the file is the body of a PUT or POST, "
	    "which do the same; forms (multipart/form-data) may have many.\n");
	for (size_t i = 0; i < s->location_count; i++) {
		const struct conf_location *l = &s->locations[i];
		const char *p = strcmp(l->prefix, "/") == 0 ? "" : l->prefix;

		str_printf(&r->content,
		    "\n%s\n"
		    "  curl -T FILE http://%s%s/NAME     store it as NAME\n"
		    "  curl -T FILE http://%s%s          store it under a "
		    "generated name\n",
		    l->prefix, authority, p, authority, l->prefix);
		if (l->form)
			str_printf(&r->content,
			    "  curl -F up=@FILE http://%s%s       store it "
			    "by its own name\n",
			    authority, l->prefix);
		if (l->read)
			str_printf(&r->content,
			    "  curl http://%s%s                  the newest "
			    "upload\n"
			    "  curl http://%s%s/NAME             that file\n",
			    authority, l->prefix, authority, p);
	}
	str_fini(&host);
}

static void
answer_refused(
    struct exchange *x, const struct head *head, const struct route *route)
{
	struct response r = {0};

	response_problem(&r, route->status, "%s", route->why);
	/* What follows is meant for the server that CONNECT names. */
	r.close = head->method == METHOD_CONNECT;
	if (route->status == 405)
		str_printf(&r.fields, "Allow: %s\r\n", route->allow);
	str_puts(&r.fields, route->fields);
	r.outcome = route->outcome;
	exchange_respond(x, &r);
}

static void
answer_options(struct exchange *x, const struct route *route)
{
	struct response r = {.status = 204};

	str_printf(&r.fields, "Allow: %s\r\n", route->allow);
	if (route->location != NULL && route->location->policy.resume) {
		r.status = 200; /* what clients of tus expect */
		resume_add_options(route->location, &r.fields);
	}
	exchange_respond(x, &r);
}

static void
answer_index(
    const struct conf_server *s, struct exchange *x, const struct head *h)
{
	struct response r = {0};

	dispatch_describe(s, h, &r);
	exchange_respond(x, &r);
}

static void
on_request(struct handler *handler, struct exchange *x)
{
	struct context *c =
	    container_of(handler, struct dispatch, handler)->context;
	const struct head *head = exchange_head(x);
	struct route route;

	if (site_gate_answers(c->conf, x, head) || readiness_answers(c, x))
		return;
	router_route(c->conf, head, &route);
	exchange_note_location(x, route.location);
	switch (route.kind) {
	case ROUTE_REFUSED:
		answer_refused(x, head, &route);
		return;
	case ROUTE_INDEX:
		answer_index(c->conf, x, head);
		return;
	case ROUTE_OPTIONS:
		answer_options(x, &route);
		return;
	case ROUTE_STORE_NEW:
	case ROUTE_STORE_NAMED:
		put_begin(c, x, &route);
		return;
	case ROUTE_READ_NEWEST:
	case ROUTE_READ_NAMED:
		get_begin(c, x, &route);
		return;
	case ROUTE_RESUME_NEW:
	case ROUTE_RESUME:
		resume_begin(c, x, &route);
		return;
	}
}

static void
dispatch_add_fields(
    struct handler *handler, const struct head *head, struct str *out)
{
	struct dispatch *s = container_of(handler, struct dispatch, handler);

	cors_add_fields(s->context->conf, head, out);
	resume_add_fields(s->context->conf, head, out);
}

static bool
dispatch_is_literal(struct handler *handler, const struct head *head)
{
	struct dispatch *s = container_of(handler, struct dispatch, handler);

	return resume_is_literal(s->context->conf, head);
}

void
dispatch_init(struct dispatch *s, struct context *c)
{
	s->context = c;
	s->handler.on_request = on_request;
	s->handler.add_fields = dispatch_add_fields;
	s->handler.is_literal = dispatch_is_literal;
}
