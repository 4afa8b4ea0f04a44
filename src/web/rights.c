#include "web/rights.h"

#include <string.h>

#include "base/log.h"
#include "base/method_set.h"

static struct rights_pass *
rights_pass_of(struct gate_pass *p)
{
	return container_of(p, struct rights_pass, gate);
}

void
rights_pass_init(struct rights_pass *p, struct context *c, struct exchange *x,
    const struct route *r)
{
	p->gate.exchange = x;
	p->context = c;
	p->location = r->location;
	p->named = r->kind == ROUTE_STORE_NAMED || r->kind == ROUTE_READ_NAMED;
	p->name[0] = '\0';
}

static bool
has_rules(const struct conf_rights *r)
{
	return r->access.count > 0;
}

bool
rights_exist(const struct conf_server *s)
{
	for (size_t i = 0; i < s->location_count; i++) {
		const struct conf_location *l = &s->locations[i];

		if (has_rules(&l->rights) ||
		    (l->except.methods != 0 && has_rules(&l->except.rights)))
			return true;
	}
	return false;
}

/* ---- refusals ---- */

static enum gate_verdict
deny(struct rights_pass *p, const char *why)
{
	exchange_refuse(p->gate.exchange, 403, why, OUTCOME_DENIED);
	return GATE_ANSWERED;
}

/* ---- the name ---- */

/* The path of what is asked for, without escapes: valid until the next call.  NULL: out
 * of memory. */
static const struct str *
decoded_path(const struct rights_pass *p)
{
	static struct str path; /* its memory is used again */
	const char *prefix = p->location->prefix;

	str_clear(&path);
	str_puts(&path, strcmp(prefix, "/") == 0 ? "" : prefix);
	if (p->name[0] != '\0' || path.len == 0)
		str_puts(&path, "/");
	str_puts(&path, p->name);
	return str_failed(&path) ? NULL : &path;
}

/*
 * Does the path without escapes belong to the location that the request was routed to
 * with them?  Else %66ile/a of location / would be a way around the rules of location
 * /file.
 */
static bool
is_where_it_seems(const struct rights_pass *p, const struct str *path)
{
	return config_location(p->context->conf, path->s, path->len) ==
	       p->location;
}

/* ---- the step ---- */

static bool
is_address_denied(const struct rights_pass *p, const struct conf_rights *r)
{
	const struct conf_network *rule =
	    networks_find(&r->access, exchange_client(p->gate.exchange));

	return rule != NULL && !rule->allow;
}

enum gate_verdict
rights_judge(struct gate_pass *gate)
{
	struct rights_pass *p = rights_pass_of(gate);
	const struct conf_location *l = p->location;
	const struct conf_rights *r;
	const struct str *path;
	struct span method;

	if (!p->context->guarded)
		return GATE_PASS;
	path = decoded_path(p);
	if (path == NULL) {
		exchange_fail(gate->exchange, OUTCOME_NO_MEMORY);
		return GATE_ANSWERED;
	}
	if (!is_where_it_seems(p, path)) {
		exchange_refuse(gate->exchange, 400,
		    "this path leads to another location when its %-escapes "
		    "are decoded: write letters and digits as they are",
		    OUTCOME_REFUSED);
		return GATE_ANSWERED;
	}
	method = exchange_head(gate->exchange)->method_text;
	r = conf_rights_for(&l->rights, &l->except,
	    method_set_of_request(method.s, method.len));
	if (is_address_denied(p, r))
		return deny(p, "this address may not do that here (deny): ask "
			       "an operator");
	return GATE_PASS;
}
