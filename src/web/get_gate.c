/*
 * What a request to read passes before a file is opened.
 */
#include "web/get.h"

#include <string.h>

#include "http/answer.h"
#include "upload/names.h"
#include "web/rights_gate.h"
#include "get_internal.h"

struct get_pass {
	struct rights_pass base;
	size_t name_at; /* where in the path the name begins, still encoded */
	bool slash;	/* a slash follows it */
};

static struct get_pass *
get_pass_of(struct gate_pass *p)
{
	return container_of(p, struct get_pass, base.gate);
}

/* Whether a name ends in one slash, as a directory's does. */
static bool
ends_in_slash(struct span name)
{
	return name.len >= 2 && name.s[name.len - 1] == '/' &&
	       name.s[name.len - 2] != '/';
}

static enum gate_verdict
judge_named(struct get_pass *p)
{
	struct span path = exchange_head(p->base.gate.exchange)->path;
	struct span name = {path.s + p->name_at, path.len - p->name_at};
	const char *why = "";
	enum outcome e;

	p->slash = ends_in_slash(name);
	e = names_decode(name.s, name.len - p->slash,
	    p->base.location->policy.dotfiles, p->base.name, &why);
	if (e == OUTCOME_NONE)
		return GATE_PASS;
	exchange_refuse(
	    p->base.gate.exchange, answer_status(e), why, OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

static enum gate_verdict
judge_read_name(struct gate_pass *gate)
{
	struct get_pass *p = get_pass_of(gate);

	return p->base.named ? judge_named(p) : GATE_PASS;
}

/* Some stores do not know which upload is the newest. */
static enum gate_verdict
judge_newest(struct gate_pass *gate)
{
	struct get_pass *p = get_pass_of(gate);

	if (p->base.named ||
	    store_can(context_store(p->base.context, p->base.location),
		STORE_HAS_LATEST))
		return GATE_PASS;
	exchange_refuse(gate->exchange, 404,
	    "which upload is the newest is not known in this location: ask for "
	    "a file by its name",
	    OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

static const struct gate_step get_steps[] = {
    {.judge = judge_read_name},
    RIGHTS_GATE_STEP,
    {.judge = judge_newest},
};

static void
get_undo(struct gate_pass *gate)
{
	(void)gate; /* it holds nothing */
}

static void
get_gate_passed(struct gate_pass *gate)
{
	struct get_pass *p = get_pass_of(gate);

	get_start(&(struct get_order){
	    .context = p->base.context,
	    .exchange = gate->exchange,
	    .location = p->base.location,
	    .name = p->base.named ? p->base.name : NULL,
	    .slash = p->slash,
	});
}

static const struct gate get_gate = {
    .steps = get_steps,
    .count = COUNT_OF(get_steps),
    .pass_size = sizeof(struct get_pass),
    .passed = get_gate_passed,
    .undo = get_undo,
};

void
get_begin(struct context *c, struct exchange *x, const struct route *route)
{
	struct get_pass p;

	rights_gate_init(&p.base, c, x, route);
	p.name_at = p.base.named
			? (size_t)(route->name.s - exchange_head(x)->path.s)
			: 0;
	p.slash = false;
	gate_begin(&get_gate, &p.base.gate);
}
