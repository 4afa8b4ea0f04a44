/*
 * What an upload passes before its body is read: what its head alone says against
 * it, and the limits.
 */
#include "web/put.h"

#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "http/digest_fields.h"
#include "http/part_head.h"
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
	bool form; /* the files are in the body */
	char boundary[PART_BOUNDARY_MAX + 1];
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

static enum gate_verdict
put_gate_refuse(struct put_pass *p, enum outcome e)
{
	const struct conf_location *l = p->base.location;
	char limit[LIMIT_TEXT_MAX];
	struct response r = {0};
	const char *why =
	    limit_text_of_user(e, l, rights_gate_size_max(&p->base),
		exchange_user(p->base.gate.exchange), limit);

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

	if (status != 0)
		return refuse_head(p, status, why);
	if (!p->form || p->claims.set == 0)
		return GATE_PASS;
	return refuse_head(p, 400,
	    "Content-Digest, Repr-Digest or Content-MD5 of a form would be "
	    "that of the whole form, which is not verified: leave it out, and "
	    "compare the digests in the answer (checksum)");
}

/* What the body of a form is taken apart with. */
static enum gate_verdict
judge_boundary(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	const char *why;

	if (!p->form ||
	    part_head_boundary(
		exchange_head(gate->exchange)->content_type, p->boundary, &why))
		return GATE_PASS;
	exchange_refuse(gate->exchange, 400, why, OUTCOME_BAD_FORM);
	return GATE_ANSWERED;
}

/* False: there is no room for it. */
static bool
add_slash(char name[FILE_NAME_SIZE])
{
	size_t len = strlen(name);

	if (len == FILE_NAME_MAX)
		return false;
	memcpy(name + len, "/", 2);
	return true;
}

/* The name is what the request says, or made here; that of a form may be a directory's. */
static enum gate_verdict
judge_name(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	struct span path = exchange_head(gate->exchange)->path;
	size_t len = path.len - p->name_at;
	const char *why;
	bool directory;
	enum outcome e;

	if (!p->base.named) {
		if (!p->form) /* whose files get names of their own */
			names_generate(p->generated);
		return GATE_PASS;
	}
	directory = p->form && len > 1 && path.s[path.len - 1] == '/';
	e = names_decode(path.s + p->name_at, len - directory,
	    p->base.location->policy.dotfiles, p->base.name, &why);
	/* With its slash it is another path than that of a file. */
	if (e == OUTCOME_NONE && directory && !add_slash(p->base.name)) {
		why = "the name of the directory is too long: shorten it";
		e = OUTCOME_NAME_TOO_LONG;
	}
	return e == OUTCOME_NONE ? GATE_PASS
				 : refuse_head(p, answer_status(e), why);
}

static enum gate_verdict
judge_size(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	uint64_t max = rights_gate_size_max(&p->base);

	if (max > 0 && h->has_length && h->content_length > max)
		return put_gate_refuse(p, OUTCOME_TOO_LARGE);
	exchange_limit_body(gate->exchange, max);
	return GATE_PASS;
}

/* Count it among the uploads of its location. */
static enum gate_verdict
judge_count(struct gate_pass *gate)
{
	struct put_pass *p = put_pass_of(gate);

	return context_count_upload(
		   p->base.context, p->base.location, &p->place)
		   ? GATE_PASS
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
    {.judge = judge_boundary},
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

	const struct put_order order = {
	    .context = p->base.context,
	    .exchange = gate->exchange,
	    .location = p->base.location,
	    .name = p->base.named || p->form ? p->base.name : p->generated,
	    .named = p->base.named,
	    .boundary = p->form ? p->boundary : NULL,
	    .preconditions = p->preconditions,
	    .claims = &p->claims,
	    .mark = p->base.mark,
	    .place = p->place,
	};

	if (p->form ? form_start(&order) : put_start(&order))
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
	p.form = route->form;
	p.preconditions = NULL;
	p.place = 0;
	gate_begin(&put_gate, &p.base.gate);
}
