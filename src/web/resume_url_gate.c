/*
 * What a request passes that goes to the URL of an upload, which is found first, since its
 * name says which rules hold.
 */
#include <string.h>

#include "auth/spent.h"
#include "resume_pass.h"
#include "resume_states.h"

static enum gate_verdict
judge_id(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	if (p->id[0] == '\0')
		return resume_pass_fail(p, OUTCOME_NO_UPLOAD);
	p->resume = resume_new(p->base.context, gate->exchange,
	    p->base.location, p->kind, p->dialect);
	return p->resume != NULL ? GATE_WAIT
				 : resume_pass_fail(p, OUTCOME_NO_MEMORY);
}

static void
find_upload(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	p->resume->pass = gate;
	resume_find(p->resume, p->id);
}

/* Its release is that of the pass. */
static void
forget_upload(struct gate_pass *gate)
{
	(void)gate;
}

/* The rules that hold are those of what it will become. */
static enum gate_verdict
take_name(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct web_resume *r = p->resume;

	if (r->state == RESUME_LOST)
		return resume_pass_fail(p, r->why.outcome);
	if (r->name.len >= sizeof(p->base.name))
		return resume_pass_fail(p, OUTCOME_NO_UPLOAD);
	p->base.named = r->record.named;
	if (r->record.named)
		memcpy(p->base.name, r->name.s, r->name.len + 1);
	p->base.as_method = "PUT";
	if (r->record.method.len == strlen("POST"))
		p->base.as_method = "POST";
	return GATE_PASS;
}

/* To others it is not there. */
static enum gate_verdict
judge_owner(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct str owner = {0};
	enum gate_verdict v = GATE_PASS;

	if (!resume_pass_owner(gate->exchange, &owner))
		v = resume_pass_fail(p, OUTCOME_NO_MEMORY);
	else if (!resume_is_his(p->resume->record.owner,
		     (struct span){owner.s, owner.len}))
		v = resume_pass_fail(p, OUTCOME_NO_UPLOAD);
	str_fini(&owner);
	return v;
}

/* Only for its owner is it taken from another request. */
static enum gate_verdict
judge_holder(struct gate_pass *gate)
{
	return resume_pass_of(gate)->resume->state == RESUME_ELSEWHERE
		   ? GATE_WAIT
		   : GATE_PASS;
}

static void
await_upload(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	p->resume->pass = gate;
	resume_await(p->resume);
}

static enum gate_verdict
judge_found(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct web_resume *r = p->resume;

	return r->state == RESUME_LOST ? resume_pass_fail(p, r->why.outcome)
				       : GATE_PASS;
}

/* May this request store the upload? */
static bool
may_store(const struct web_resume *r)
{
	const struct partial *p;

	if (r->state == RESUME_LOST)
		return false;
	p = upload_partial(&r->upload);
	return r->kind == RESUME_APPEND ? p->phase == PARTIAL_OPEN
	       : r->kind == RESUME_LOOK ? resume_is_unfinished(r, p)
					: false;
}

/* A link that is good once is asked for while the upload is not stored. */
static enum gate_verdict
judge_link(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	if (!may_store(p->resume))
		spent_mark_end(&p->base.mark, false);
	return rights_gate_judge_once(gate);
}

/* tus wants its version in every request, but for those of a draft's upload. */
static const struct resume_dialect *
dialect_of_old(const struct resume_pass *p, const struct head *h)
{
	const struct resume_dialect *d;

	if (h->tus_resumable.s != NULL || h->upload_version.s != NULL ||
	    h->upload_complete.s != NULL)
		return p->dialect;
	d = resume_dialect_by_bit(p->resume->record.dialect);
	return d != NULL && !resume_dialect_is_tus(d) ? d : NULL;
}

static enum gate_verdict
judge_dialect(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	const struct resume_dialect *d = dialect_of_old(p, h);
	struct response answer = {0};

	if (d == NULL && h->method == METHOD_GET)
		d = &resume_tus;
	if (d != NULL) {
		p->dialect = p->resume->dialect = d;
		return GATE_PASS;
	}
	response_problem(&answer, 412,
	    "this upload was begun with tus: say Tus-Resumable: "
	    "" RESUME_TUS_VERSION);
	str_puts(&answer.fields, "Tus-Version: " RESUME_TUS_VERSION "\r\n");
	answer.outcome = OUTCOME_RESUMABLE;
	exchange_respond(gate->exchange, &answer);
	return GATE_ANSWERED;
}

static enum gate_verdict
judge_append(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	struct web_resume *r = p->resume;
	const struct partial *now;
	struct resume_refusal refusal;

	r->size_max = rights_gate_size_max(&p->base);
	if (p->kind != RESUME_APPEND || r->state == RESUME_LOST)
		return GATE_PASS;
	now = upload_partial(&r->upload);
	if (now->phase != PARTIAL_OPEN &&
	    resume_ask_again(h, r->dialect, now->offset, &r->ask))
		return GATE_PASS;
	return resume_ask_append(h, r->dialect, &r->ask, &refusal)
		   ? GATE_PASS
		   : resume_pass_answer(p, &refusal);
}

static const struct gate_step url_steps[] = {
    {.judge = judge_id, .wait = find_upload, .forget = forget_upload},
    {.judge = take_name},
    RIGHTS_GATE_STEP,
    {.judge = judge_owner},
    {.judge = judge_holder, .wait = await_upload, .forget = forget_upload},
    {.judge = judge_found},
    {.judge = judge_link,
	.wait = rights_gate_look,
	.forget = rights_gate_forget_look},
    {.judge = judge_dialect},
    {.judge = judge_append},
    {.judge = resume_pass_judge_flow},
};

const struct gate resume_url_gate = {
    .steps = url_steps,
    .count = COUNT_OF(url_steps),
    .pass_size = sizeof(struct resume_pass),
    .passed = resume_pass_passed,
    .undo = resume_pass_undo,
};
