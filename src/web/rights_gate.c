#include "web/rights_gate.h"

#include <string.h>

#include "auth/rights.h"
#include "base/clock.h"
#include "base/method_set.h"

static struct rights_pass *
rights_pass_of(struct gate_pass *p)
{
	return container_of(p, struct rights_pass, gate);
}

void
rights_gate_init(struct rights_pass *p, struct context *c, struct exchange *x,
    const struct route *r)
{
	p->gate.exchange = x;
	p->context = c;
	p->location = r->location;
	p->named = r->kind == ROUTE_STORE_NAMED || r->kind == ROUTE_READ_NAMED;
	p->max_size = 0;
	p->name[0] = '\0';
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

/* ---- refusals ---- */

static enum gate_verdict
refuse_for_memory(struct rights_pass *p)
{
	exchange_fail(p->gate.exchange, OUTCOME_NO_MEMORY);
	return GATE_ANSWERED;
}

/* 401 if the client could say who sends it (again), else 403. */
static enum gate_verdict
refuse_person(struct rights_pass *p, const struct rights *r,
    const struct rights_verdict *v)
{
	struct response answer = {0};
	bool may_say = v->answer == RIGHTS_ASKED || v->answer == RIGHTS_WRONG;

	if (may_say && rights_add_challenges(r, v->answer, &answer.fields)) {
		response_problem(&answer, 401, "%s", v->why);
		answer.outcome = OUTCOME_UNAUTHORIZED;
	} else {
		response_problem(&answer, 403, "%s", v->why);
		answer.outcome = OUTCOME_DENIED;
	}
	exchange_respond(p->gate.exchange, &answer);
	return GATE_ANSWERED;
}

/* ---- the step ---- */

static enum gate_verdict
rights_gate_act(struct rights_pass *p, const struct rights *r,
    const struct rights_verdict *v)
{
	if (v->user != NULL && !exchange_note_user(p->gate.exchange, v->user))
		return refuse_for_memory(p);
	if (v->answer != RIGHTS_GRANTED)
		return refuse_person(p, r, v);
	p->max_size = v->max_size;
	return GATE_PASS;
}

/* Of the location that the request belongs to, by its path without escapes. */
static enum gate_verdict
judge_path(struct rights_pass *p, const struct str *path)
{
	const struct conf_location *l = p->location;
	struct exchange *x = p->gate.exchange;
	const struct head *h = exchange_head(x);
	struct rights_request q = {
	    .method =
		method_set_of_request(h->method_text.s, h->method_text.len),
	    .path = {path->s, path->len},
	    .authorization = h->authorization,
	    .client = exchange_client(x),
	    .now_s = (uint64_t)clock_wall_s(),
	};
	size_t at = (size_t)(l - p->context->conf->locations);
	const struct rights *r =
	    rights_for(&p->context->rights[at], l, q.method);
	struct rights_verdict v;

	rights_judge(r, &q, &v);
	return rights_gate_act(p, r, &v);
}

enum gate_verdict
rights_gate_judge(struct gate_pass *gate)
{
	struct rights_pass *p = rights_pass_of(gate);
	const struct str *path;

	if (p->context->rights == NULL)
		return GATE_PASS;
	path = decoded_path(p);
	if (path == NULL)
		return refuse_for_memory(p);
	if (is_where_it_seems(p, path))
		return judge_path(p, path);
	exchange_refuse(gate->exchange, 400,
	    "this path leads to another location when its %-escapes are "
	    "decoded: write letters and digits as they are",
	    OUTCOME_REFUSED);
	return GATE_ANSWERED;
}
