/* Which gate a request for an upload that can be resumed passes, and as what. */
#include "web/resume.h"

#include <string.h>

#include "resume_pass.h"

static enum resume_kind
kind_of(enum head_method method)
{
	return method == METHOD_PATCH	 ? RESUME_APPEND
	       : method == METHOD_DELETE ? RESUME_REMOVE
					 : RESUME_LOOK;
}

void
resume_begin(struct context *c, struct exchange *x, const struct route *route)
{
	const struct head *h = exchange_head(x);
	struct resume_pass p;

	rights_gate_init(&p.base, c, x, route);
	p.dialect =
	    route->dialect != NULL ? route->dialect : resume_dialect_newest();
	p.resume = NULL;
	p.id[0] = '\0';
	p.name_at = 0;
	if (!store_can(context_store(c, route->location), STORE_CAN_RESUME)) {
		exchange_refuse(x, 400,
		    "the store of this location cannot keep uploads that are "
		    "to be resumed: send the whole file in one PUT",
		    OUTCOME_RESUMABLE);
		return;
	}
	if (route->kind == ROUTE_RESUME_NEW) {
		p.kind = RESUME_CREATE;
		p.base.as_method =
		    resume_dialect_is_tus(p.dialect) || h->method == METHOD_PUT
			? "PUT"
			: "POST";
		if (route->name.len > 0)
			p.name_at = (size_t)(route->name.s - h->path.s);
		gate_begin(&resume_create_gate, &p.base.gate);
		return;
	}
	p.kind = kind_of(route->method);
	if (partial_is_id(route->name.s, route->name.len)) {
		memcpy(p.id, route->name.s, route->name.len);
		p.id[route->name.len] = '\0';
	}
	gate_begin(&resume_url_gate, &p.base.gate);
}
