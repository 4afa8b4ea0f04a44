/*
 * What one request brings of an upload: its bytes, and what becomes of them.
 *
 *	all that was missing        committed
 *	less, or its client left    kept, and told
 *	what differs from its
 *	checksum, or is too long    as if it had never come
 */
#include <string.h>

#include "auth/spent.h"
#include "web/receipt.h"
#include "web/rights_gate.h"
#include "resume_states.h"

/* ---- times ---- */

/* The times of this part, as far as they are known. */
static struct meter
part_meter(const struct web_resume *r)
{
	struct meter m = *upload_meter(&r->upload);

	meter_stop(&m);
	return m;
}

static void
note_part(struct web_resume *r, uint64_t to)
{
	struct meter m = part_meter(r);

	if (r->exchange == NULL)
		return;
	exchange_measured(r->exchange, &m, false, resume_name(r));
	exchange_note_part(r->exchange, r->ask.offset, to, r->length);
}

/* ---- the end of a part ---- */

/* How many bytes there are, of which this request is to keep: what came of a part whose
 * checksum was to be compared counts only when it is whole. */
static uint64_t
end_of_part(const struct web_resume *r)
{
	enum outcome e = r->why.outcome;
	bool claimed = r->ask.part.set != 0 || r->ask.trailer;

	if (e == OUTCOME_TOO_LARGE || e == OUTCOME_DIGEST_DIFFERS ||
	    (e != OUTCOME_NONE && claimed))
		return r->ask.offset;
	return upload_offset(&r->upload);
}

void
resume_start_suspending(void *resume)
{
	struct web_resume *r = resume;
	struct partial now = {.offset = r->told.to, .length = r->length};
	struct meter m = part_meter(r);
	struct resume_times sum = r->times;
	struct str state = {0};

	resume_times_add(&sum, &m);
	resume_times_encode(&sum, &state);
	if (!str_failed(&state))
		now.state = (struct span){state.s, state.len};
	upload_suspend(&r->upload, &now);
	str_fini(&state);
}

/* Its client has left, and never was told where it could go on. */
static bool
is_lost(const struct web_resume *r)
{
	return !resume_is_known(r) &&
	       (r->exchange == NULL || r->why.outcome == OUTCOME_CLIENT_GONE);
}

/* The first `to` bytes are there for good: tell the client. */
static void
answer_part(struct web_resume *r, uint64_t to)
{
	static const struct resume_refusal short_of = {
	    .status = 400,
	    .outcome = OUTCOME_RESUMABLE,
	    .type = RESUME_LENGTH_DIFFERS,
	    .why = "these were said to be the last bytes, but the upload is "
		   "longer",
	};
	enum outcome e = r->why.outcome;
	struct response answer = {0};

	if (is_lost(r)) {
		note_part(r, r->ask.offset);
		resume_end_dropped(
		    r, e != OUTCOME_NONE ? e : OUTCOME_CLIENT_GONE);
		return;
	}
	note_part(r, to);
	if (e == OUTCOME_CLIENT_GONE) {
		resume_end_left(r, e);
		return;
	}
	if (e == OUTCOME_NONE && r->ask.complete && !r->record.partial &&
	    r->length != RESUME_UNKNOWN && to < r->length) {
		resume_answer_refusal(r, &short_of, NULL, &answer);
		resume_answer_where(r, &answer);
	} else if (e == OUTCOME_NONE || e == OUTCOME_TAKEN_OVER) {
		struct meter m = part_meter(r);

		resume_answer_progress(r, to, &answer);
		receipt_add_timing(&m, false, &answer.fields);
		answer.close = e == OUTCOME_TAKEN_OVER;
		if (e != OUTCOME_NONE)
			answer.outcome = e;
	} else {
		resume_answer_failure(r, e, NULL, to, &answer);
		answer.close = true;
	}
	resume_end(
	    r, e == OUTCOME_NONE ? "Kept" : outcome_word(e), false, &answer);
}

void
resume_tell_suspended(void *resume)
{
	struct web_resume *r = resume;

	answer_part(r, upload_partial(&r->upload)->offset);
}

void
resume_start_commit(void *resume)
{
	struct web_resume *r = resume;

	upload_commit(&r->upload, 0);
}

/* Of all uploads with one link, this is the one that may be stored; or it is not. */
static void
resume_on_claimed(void *owner, int err)
{
	struct web_resume *r = owner;

	check_magic(r, RESUME_MAGIC);
	r->told.err = err;
	resume_on(r, err == 0 ? RESUME_CLAIMED : RESUME_SPENT);
}

void
resume_start_claiming(void *resume)
{
	struct web_resume *r = resume;

	spent_claim(r->mark, r, resume_on_claimed);
}

void
resume_tell_spent(void *resume)
{
	struct web_resume *r = resume;
	struct exchange *x = r->exchange;
	int err = r->told.err;

	if (!resume_is_known(r))
		upload_conclude(&r->upload, PARTIAL_REFUSED, (struct span){0});
	resume_release(r, "The link is spent", false);
	if (x != NULL)
		rights_gate_refuse_once(x, err);
}

/* The body is longer than what was missing.  A draft's upload is ended by that. */
static void
refuse_excess(struct web_resume *r)
{
	static const struct resume_refusal too_long = {
	    .status = 413,
	    .outcome = OUTCOME_TOO_LARGE,
	    .why = "the body is longer than what is missing of the upload: "
		   "nothing of it is kept",
	};
	static const struct resume_refusal ended = {
	    .status = 400,
	    .outcome = OUTCOME_TOO_LARGE,
	    .type = RESUME_LENGTH_DIFFERS,
	    .why = "the body is longer than what is missing of the upload, "
		   "which is ended by that",
	    .is_last = true,
	};
	note_part(r, r->ask.offset);
	resume_end_refused(
	    r, resume_dialect_is_tus(r->dialect) ? &too_long : &ended);
}

/* Does what came have the checksum that came behind it? */
static bool
judge_trailer(struct web_resume *r, struct resume_refusal *refusal)
{
	struct body_trailer *t = &r->trailer;
	const struct digest *d = upload_part_digest(&r->upload);

	if (!t->came || t->cut) {
		*refusal = (struct resume_refusal){.status = 400,
		    .outcome = OUTCOME_RESUMABLE,
		    .why = "Trailer has announced Upload-Checksum, which did "
			   "not come, or was too long"};
		return false;
	}
	if (!resume_ask_take_trailer(
		&r->ask, (struct span){t->value, t->len}, refusal))
		return false;
	if (r->ask.part_differs || d == NULL ||
	    digest_differ(d, &r->ask.part) != 0)
		r->why = failure_of(OUTCOME_DIGEST_DIFFERS, 0);
	return true;
}

/* The digests of no bytes, which no transfer has compared. */
static bool
nothing_differs(const struct digest_claims *claims)
{
	struct digest *d = NULL;
	bool differs = true;

	if (claims->set == 0)
		return false;
	if (digest_new(claims->set, &d) == 0 && digest_finish(d) == 0)
		differs = digest_differ(d, claims) != 0;
	digest_free(&d);
	return differs;
}

/* A part whose checksum differs.  An upload that began with it is not begun, unless its
 * client was told already where it is. */
static void
refuse_digest(struct web_resume *r)
{
	bool known = resume_is_known(r);

	if (!known)
		upload_conclude(&r->upload, PARTIAL_REFUSED, (struct span){0});
	note_part(r, r->ask.offset);
	resume_end_failed(r, OUTCOME_DIGEST_DIFFERS, NULL,
	    known ? r->ask.offset : RESUME_UNKNOWN);
}

/* Is the upload whole, with the bytes up to `to`? */
static bool
is_whole(const struct web_resume *r, uint64_t to)
{
	if (r->record.partial || r->why.outcome != OUTCOME_NONE)
		return false;
	return r->length != RESUME_UNKNOWN ? to == r->length : r->ask.complete;
}

/* Has anything changed that the store does not know yet? */
static bool
has_news(const struct web_resume *r, uint64_t to)
{
	return to != r->ask.offset ||
	       (r->kind == RESUME_APPEND &&
		   r->length != upload_partial(&r->upload)->length);
}

static void
suspend(struct web_resume *r, uint64_t to)
{
	r->told.to = to;
	resume_on(r, RESUME_SUSPEND);
}

/* All of it is there. */
static void
store_whole(struct web_resume *r)
{
	resume_on(r, r->mark != NULL ? RESUME_CLAIM : RESUME_COMMIT);
}

void
resume_part_ended(struct web_resume *r, struct failure why)
{
	struct resume_refusal refusal;
	uint64_t to;

	r->why = why;
	if (!failure_is(why) && r->ask.trailer && r->ask.has_body &&
	    !judge_trailer(r, &refusal)) {
		resume_end_refused(r, &refusal);
		return;
	}
	if (!failure_is(why) && !r->ask.has_body &&
	    nothing_differs(&r->ask.part))
		r->why = failure_of(OUTCOME_DIGEST_DIFFERS, 0);
	to = end_of_part(r);
	/* Where there is no room left, a byte is read to see whether there is one. */
	if (!failure_is(r->why) && r->size_max > 0 && to > r->size_max) {
		r->why = failure_of(OUTCOME_TOO_LARGE, 0);
		to = r->ask.offset;
	}
	if (r->why.outcome == OUTCOME_DIGEST_DIFFERS)
		refuse_digest(r);
	else if (r->why.outcome == OUTCOME_TOO_LARGE &&
		 (r->size_max == 0 || r->length <= r->size_max))
		refuse_excess(r);
	else if (to > r->length)
		refuse_excess(r);
	else if (is_whole(r, to))
		store_whole(r);
	else if (has_news(r, to) && !is_lost(r))
		suspend(r, to);
	else
		answer_part(r, to);
}

/* ---- a part ---- */

/* Tell the client early that its upload can be resumed, if it may be told. */
static void
tell_early(struct web_resume *r)
{
	struct str fields = {0};

	if (r->interim) {
		resume_answer_interim(r, r->ask.offset, &fields);
		if (!str_failed(&fields))
			r->url_told =
			    exchange_interim(r->exchange, 104, fields.s);
	}
	str_fini(&fields);
}

/* Read the body into the upload. */
static void
begin_part(struct web_resume *r)
{
	const struct conf_location *l = r->location;
	uint64_t room = resume_ask_room(&r->ask, r->size_max);
	const struct digest_claims *claims = &r->ask.part;

	exchange_limit_body(r->exchange, room == RESUME_UNKNOWN ? 0
					 : room > 0		? room
								: 1);
	if (r->ask.trailer)
		exchange_want_trailer(r->exchange, &r->trailer);
	exchange_continue(r->exchange);
	resume_on(r, RESUME_TRANSFER);
	upload_transfer(&r->upload,
	    &(struct transfer){
		.source = exchange_body(r->exchange),
		.queue_depth = l->queue_depth,
		.limits =
		    {
			.client.silence_s = r->context->conf->body_timeout_s,
			.client.rate_min = l->min_rate,
			.client.rate_min_for_s = l->min_rate_grace_s,
			.rate_max = l->limit_rate,
		    },
		.keep = true,
		.claims =
		    claims->set != 0 || claims->wanted != 0 ? claims : NULL,
	    });
}

/* It is open: what is to come into it? */
void
resume_take_opened(void *resume)
{
	struct web_resume *r = resume;

	if (r->kind == RESUME_LOOK) {
		store_whole(r);
		return;
	}
	if (r->kind == RESUME_CREATE || r->dialect->progress)
		tell_early(r);
	if (r->feed != NULL)
		r->feed->next(r, failure_none());
	else if (r->wanted)
		resume_part_ended(r, failure_of(OUTCOME_TAKEN_OVER, 0));
	else if (r->ask.part_differs)
		resume_part_ended(r, failure_of(OUTCOME_DIGEST_DIFFERS, 0));
	else if (r->ask.has_body)
		begin_part(r);
	else
		resume_part_ended(r, failure_none());
}

void
resume_take_transferred(void *resume)
{
	struct web_resume *r = resume;

	if (r->feed != NULL)
		r->feed->next(r, r->why);
	else
		resume_part_ended(r, r->why);
}
