#include "app/service.h"

#include <inttypes.h>
#include <string.h>

#include "app/cors.h"
#include "app/download.h"
#include "app/site_gate.h"
#include "app/upload.h"

struct store *
service_store(const struct service *s, const struct conf_location *location)
{
	return s->stores[location - s->conf->locations];
}

void
service_note_failure(const struct service *s, const struct conf_location *l,
    const char *what, uint64_t id, const char *name, enum outcome e, int err)
{
	size_t at = (size_t)(l - s->conf->locations) * OUTCOME_COUNT + e;
	bool has_errno = err < 0 && err > -4096;
	char quoted[128];

	if (outcome_blame(e) != BLAME_SERVER || !log_allowed(&s->failures[at]))
		return;
	log_error("%s %" PRIu64 ": %s: %s: %s%s%s%s", what, id,
	    l->policy.output_dir,
	    str_quote(name, strlen(name), quoted, sizeof(quoted)),
	    outcome_word(e), has_errno ? " (" : "",
	    has_errno ? strerror(-err) : "", has_errno ? ")" : "");
}

/* GET /: what there is, and the lines to try. */
static void
describe(const struct service *s, const struct head *h, struct response *r)
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
	    "which do the same (forms are not understood).\n");
	for (size_t i = 0; i < s->conf->location_count; i++) {
		const struct conf_location *l = &s->conf->locations[i];
		const char *p = strcmp(l->prefix, "/") == 0 ? "" : l->prefix;

		str_printf(&r->content,
		    "\n%s\n"
		    "  curl -T FILE http://%s%s/NAME     store it as NAME\n"
		    "  curl -T FILE http://%s%s          store it under a "
		    "generated name\n",
		    l->prefix, authority, p, authority, l->prefix);
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
	/* What follows is meant for somebody else. */
	r.close = head->method == METHOD_CONNECT;
	if (route->status == 405)
		str_printf(&r.fields, "Allow: %s\r\n", route->allow);
	str_puts(&r.fields, route->fields);
	r.outcome = route->word;
	exchange_respond(x, &r);
}

static void
answer_options(struct exchange *x, const struct route *route)
{
	struct response r = {.status = 204};

	str_printf(&r.fields, "Allow: %s\r\n", route->allow);
	exchange_respond(x, &r);
}

static void
answer_index(const struct service *s, struct exchange *x, const struct head *h)
{
	struct response r = {0};

	describe(s, h, &r);
	exchange_respond(x, &r);
}

static void
on_request(struct handler *handler, struct exchange *x)
{
	struct service *s = container_of(handler, struct service, handler);
	const struct head *head = exchange_head(x);
	struct route route;

	if (site_gate_answers(s->conf, x, head))
		return;
	router_route(s->conf, head, &route);
	switch (route.kind) {
	case ROUTE_REFUSED:
		answer_refused(x, head, &route);
		return;
	case ROUTE_INDEX:
		answer_index(s, x, head);
		return;
	case ROUTE_OPTIONS:
		answer_options(x, &route);
		return;
	case ROUTE_STORE_NEW:
	case ROUTE_STORE_NAMED:
		upload_begin(s, x, &route);
		return;
	case ROUTE_READ_NEWEST:
	case ROUTE_READ_NAMED:
		download_begin(s, x, &route);
		return;
	}
}

static void
add_fields(struct handler *handler, const struct head *head, struct str *out)
{
	struct service *s = container_of(handler, struct service, handler);

	cors_add_fields(s->conf, head, out);
}

void
service_init(struct service *s)
{
	s->handler.on_request = on_request;
	s->handler.add_fields = add_fields;
}
