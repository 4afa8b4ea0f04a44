/*
 * What an upload passes before its body is read: what its head alone says against
 * it, and the limits.
 */
#include "web/put.h"

#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "base/log.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "http/digest_fields.h"
#include "upload/names.h"
#include "web/limit_text.h"
#include "web/rights_gate.h"
#include "put_internal.h"

struct put_pass {
	struct rights_pass base;
	size_t name_at; /* where in the path the name begins, still encoded */
	struct digest_claims claims;
	struct preconditions *preconditions; /* NULL: none */
	limits_entry place;
	char generated[NAMES_GENERATED + 1]; /* unless it is named */
};

static struct put_pass *
put_pass_of(struct gate_pass *p)
{
	return container_of(p, struct put_pass, base.gate);
}

/* ---- refusals ---- */

static enum gate_verdict
refuse_head(struct put_pass *p, int status, const char *why)
{
	exchange_refuse(p->base.gate.exchange, status, why, OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

/* Of what the location allows, and who sends it may, the less; 0: any. */
static uint64_t
size_max(const struct put_pass *p)
{
	uint64_t here = p->base.location->max_body_size;
	uint64_t person = p->base.max_size;

	return here == 0 || (person != 0 && person < here) ? person : here;
}

static enum gate_verdict
put_gate_refuse(struct put_pass *p, enum outcome e)
{
	const struct conf_location *l = p->base.location;
	char limit[LIMIT_TEXT_MAX];
	struct response r = {0};
	const char *why = limit_text_of_user(
	    e, l, size_max(p), exchange_user(p->base.gate.exchange), limit);

	if (why != NULL)
		response_problem(&r, answer_status(e), "%s", why);
	else
		answer_problem(e,
		    &(struct answer_context){
			.prefix = l->prefix,
			.limit = limit_text(e, p->base.context->conf, l, limit),
		    },
		    &r);
	r.outcome = e;
	exchange_respond(p->base.gate.exchange, &r);
	return GATE_ANSWERED;
}

/* ---- the steps ---- */

static enum gate_verdict
judge_conditions(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	struct preconditions conditions;
	const char *why;
	int status =
	    conditions_write(exchange_head(gate->exchange), &conditions, &why);

	if (status != 0)
		return refuse_head(p, status, why);
	if (!preconditions_exist(&conditions))
		return GATE_PASS;
	p->preconditions = preconditions_copy(&conditions);
	return p->preconditions != NULL ? GATE_PASS
					: put_gate_refuse(p, OUTCOME_NO_MEMORY);
}

static enum gate_verdict
judge_digests(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	const char *why;
	int status =
	    digest_fields_read(exchange_head(gate->exchange), &p->claims, &why);

	return status == 0 ? GATE_PASS : refuse_head(p, status, why);
}

/* The name is what the request says, or made here. */
static enum gate_verdict
judge_name(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	struct span path = exchange_head(gate->exchange)->path;
	const char *why;
	enum outcome e;

	if (!p->base.named) {
		names_generate(p->generated);
		return GATE_PASS;
	}
	e = names_decode(path.s + p->name_at, path.len - p->name_at,
	    p->base.location->policy.dotfiles, p->base.name, &why);
	return e == OUTCOME_NONE ? GATE_PASS
				 : refuse_head(p, answer_status(e), why);
}

static enum gate_verdict
judge_size(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	uint64_t max = size_max(p);

	if (max > 0 && h->has_length && h->content_length > max)
		return put_gate_refuse(p, OUTCOME_TOO_LARGE);
	exchange_limit_body(gate->exchange, max);
	return GATE_PASS;
}

/* Count it among the uploads of its location. */
static enum gate_verdict
judge_count(struct gate_pass *gate)
{
	static struct log_limit limit;
	struct put_pass *p = put_pass_of(gate);
	const struct conf_location *l = p->base.location;
	enum limits_answer answer;

	if (l->max_uploads == 0)
		return GATE_PASS;
	answer = limits_enter(&p->base.context->uploads, l->prefix,
	    strlen(l->prefix), l->max_uploads, &p->place);
	if (answer == LIMITS_CROWDED && log_allowed(&limit))
		log_warn("max_uploads of location %s: no room to count one",
		    l->prefix);
	return answer != LIMITS_FULL ? GATE_PASS
				     : put_gate_refuse(p, OUTCOME_TOO_MANY);
}

/* In this order: who may not send it is told so first; then what costs least, and names
 * the client's mistake. */
static const struct gate_step steps[] = {
    {.judge = judge_name},
    RIGHTS_GATE_STEP,
    RIGHTS_GATE_ONCE,
    {.judge = judge_conditions},
    {.judge = judge_digests},
    {.judge = judge_size},
    {.judge = judge_count},
};

static void
undo(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);

	spent_mark_end(&p->base.mark, false);
	free(p->preconditions);
	limits_leave(p->base.context->uploads.limits, &p->place);
}

static void
put_gate_passed(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);

	if (put_start(&(struct put_order){
		.context = p->base.context,
		.exchange = gate->exchange,
		.location = p->base.location,
		.name = p->base.named ? p->base.name : p->generated,
		.named = p->base.named,
		.preconditions = p->preconditions,
		.claims = &p->claims,
		.mark = p->base.mark,
		.place = p->place,
	    }))
		return;
	(void)put_gate_refuse(p, OUTCOME_NO_MEMORY);
	undo(gate);
}

static const struct gate put_gate = {
    .steps = steps,
    .count = COUNT_OF(steps),
    .pass_size = sizeof(struct put_pass),
    .passed = put_gate_passed,
    .undo = undo,
};

void
put_begin(struct context *c, struct exchange *x, const struct route *route)
{
	struct put_pass p;

	rights_gate_init(&p.base, c, x, route);
	p.name_at = p.base.named
			? (size_t)(route->name.s - exchange_head(x)->path.s)
			: 0;
	p.preconditions = NULL;
	p.place = 0;
	gate_begin(&put_gate, &p.base.gate);
}
