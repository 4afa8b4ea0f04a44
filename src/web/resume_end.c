/*
 * How a request for an upload that can be resumed ends: what it has is given back, and its
 * client is told.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "http/answer.h"
#include "web/rights_gate.h"
#include "resume_states.h"

void
resume_end_upload(struct web_resume *r, const char *last_step)
{
	if (r->begun)
		upload_end(&r->upload, last_step);
	r->begun = false;
}

void
resume_release(struct web_resume *r, const char *last_step, bool is_spent)
{
	if (!fsm_is_final(r->table, r->state))
		resume_on(r, RESUME_ENDED);
	spent_mark_end(&r->mark, is_spent);
	resume_end_upload(r, last_step);
	limits_leave(r->context->uploads.limits, &r->place);
	if (r->feed != NULL)
		r->feed->free(r->feed_owner);
	free(r->preconditions);
	str_fini(&r->kept);
	str_fini(&r->name);
	str_fini(&r->url);
	r->magic = 0;
	free(r);
}

/* Answer, if there is still somebody to answer. */
void
resume_end(struct web_resume *r, const char *last_step, bool is_spent,
    struct response *response)
{
	struct exchange *x = r->exchange;
	struct spent_mark *mark = NULL;

	if (!is_spent) {
		mark = r->mark;
		r->mark = NULL;
	}
	resume_release(r, last_step, is_spent);
	if (x == NULL) {
		spent_mark_end(&mark, false);
		response_fini(response);
	} else {
		rights_gate_give_back(x, mark, response);
	}
}

void
resume_end_left(struct web_resume *r, enum outcome e)
{
	struct exchange *x = r->exchange;

	resume_release(r, outcome_word(e), false);
	if (x != NULL)
		exchange_leave(x, e);
}

void
resume_end_dropped(struct web_resume *r, enum outcome e)
{
	upload_conclude(&r->upload, PARTIAL_REFUSED, (struct span){0});
	resume_end_left(r, e);
}

void
resume_end_failed(
    struct web_resume *r, enum outcome e, const char *reason, uint64_t offset)
{
	struct response answer = {0};

	resume_answer_failure(r, e, reason, offset, &answer);
	resume_end(r, outcome_word(e), false, &answer);
}

/* The last word about it is kept, so that it can be said again. */
void
resume_conclude(struct web_resume *r, enum partial_phase phase,
    const struct response *answer)
{
	struct str kept = {0};
	struct span said = {0};

	resume_answer_encode(answer, &kept);
	if (!str_failed(&kept))
		said = (struct span){kept.s, kept.len};
	upload_conclude(&r->upload, phase, said);
	str_fini(&kept);
}

void
resume_end_refused(struct web_resume *r, const struct resume_refusal *refusal)
{
	struct response answer = {0};

	resume_answer_refusal(r, refusal,
	    r->kind != RESUME_CREATE ? upload_partial(&r->upload) : NULL,
	    &answer);
	if (refusal->is_last || !resume_is_known(r))
		resume_conclude(r, PARTIAL_REFUSED, &answer);
	resume_end(r, "Refused", false, &answer);
}
