/*
 * What is done on the way of a request for an upload that can be resumed; resume_table.c
 * says when.  What is about the bytes that it brings is in resume_part.c.
 */
#include <string.h>

#include "http/answer.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "web/receipt.h"
#include "resume_states.h"

/* ---- in the gate ---- */

void
resume_start_finding(void *resume)
{
	struct web_resume *r = resume;

	r->begun = true;
	upload_resume(
	    &r->upload, &(struct upload_request){
			    .env = &r->context->env,
			    .events = &resume_upload_events,
			    .location = r->location,
			    .store = context_store(r->context, r->location),
			    .id = r->request,
			    .partial = r->told.id,
			});
}

void
resume_start_awaiting(void *resume)
{
	struct web_resume *r = resume;

	upload_await(&r->upload);
}

void
resume_go_on(void *resume)
{
	struct web_resume *r = resume;

	gate_go_on(r->pass, GATE_PASS);
}

/* The gate waits for something else: it is told when the request has passed. */
void
resume_lose(void *resume)
{
	struct web_resume *r = resume;

	resume_end_upload(r, outcome_word(r->why.outcome));
}

void
resume_lose_in_gate(void *resume)
{
	struct web_resume *r = resume;

	resume_lose(r);
	gate_go_on(r->pass, GATE_PASS);
}

/* ---- what is asked ---- */

void
resume_tell_lost(void *resume)
{
	struct web_resume *r = resume;

	resume_end_failed(r, r->why.outcome, r->reason, RESUME_UNKNOWN);
}

/* The conditions that its creation had.  False: out of memory. */
static bool
copy_conditions(const struct web_resume *r, struct preconditions **ret)
{
	struct head h = {
	    .if_match = r->record.if_match,
	    .if_none_match = r->record.if_none_match,
	    .if_unmodified_since = r->record.if_unmodified_since,
	};
	struct preconditions conditions;
	const char *why;

	*ret = NULL;
	if (conditions_write(&h, &conditions, &why) != 0 ||
	    !preconditions_exist(&conditions))
		return true;
	*ret = preconditions_copy(&conditions);
	return *ret != NULL;
}

/* The length that it has after this request. */
static uint64_t
length_after(const struct web_resume *r)
{
	if (r->feed != NULL)
		return r->length;
	/* What is said now is kept from others: is there so much room? */
	if (r->kind == RESUME_APPEND &&
	    r->length != upload_partial(&r->upload)->length)
		return r->length;
	if (!r->ask.has_body)
		return r->ask.offset;
	if (r->ask.body == RESUME_UNKNOWN)
		return r->length;
	return r->ask.offset + r->ask.body;
}

void
resume_start_creation(void *resume)
{
	struct web_resume *r = resume;
	struct str state = {0};
	struct partial p = {
	    .length = r->length,
	    .client = r->client,
	    .record = {r->kept.s, r->kept.len},
	};
	struct put_request put = {
	    .name = resume_name(r),
	    .length = length_after(r),
	    .pre = r->preconditions,
	    .partial = &p,
	};

	memcpy(p.id, r->id, sizeof(p.id));
	resume_times_encode(&r->times, &state);
	p.state = (struct span){state.s, state.len};
	r->preconditions = NULL;
	r->begun = true;
	upload_begin(
	    &r->upload, &(struct upload_request){
			    .env = &r->context->env,
			    .events = &resume_upload_events,
			    .location = r->location,
			    .store = context_store(r->context, r->location),
			    .put = &put,
			    .claims = &r->record.whole,
			    .id = r->request,
			});
	str_fini(&state);
}

void
resume_start_append(void *resume)
{
	struct web_resume *r = resume;
	struct put_request put = {
	    .name = resume_name(r),
	    .length = length_after(r),
	};

	if (!copy_conditions(r, &put.pre)) {
		resume_end_failed(r, OUTCOME_NO_MEMORY, NULL, RESUME_UNKNOWN);
		return;
	}
	upload_append(&r->upload, &put, &r->record.whole);
}

/* It has its last word: say it again. */
static void
say_again(struct web_resume *r, const struct partial *p)
{
	struct response answer = {0};

	if (!resume_answer_decode(p->answer, &answer)) {
		answer.status = p->phase == PARTIAL_STORED ? 200 : 410;
		if (p->phase == PARTIAL_REFUSED)
			response_problem(&answer, 410, "%s",
			    "this upload was refused: begin a new one");
	}
	answer.outcome =
	    p->phase == PARTIAL_STORED ? OUTCOME_STORED : OUTCOME_REFUSED;
	resume_answer_dress(r, p->offset, &answer);
	resume_end(r, "Said again", false, &answer);
}

static void
go_on(struct web_resume *r)
{
	static const struct resume_refusal of_others = {
	    .status = 403,
	    .outcome = OUTCOME_RESUMABLE,
	    .why = "this upload is made of others: nothing can be added",
	};
	const struct partial *p = upload_partial(&r->upload);
	struct resume_refusal refusal;

	if (p->phase == PARTIAL_EXPIRED) {
		resume_end_failed(r, OUTCOME_EXPIRED, NULL, RESUME_UNKNOWN);
	} else if (r->record.concat.s != NULL && !r->record.partial) {
		resume_end_refused(r, &of_others);
	} else if (p->phase == PARTIAL_REFUSED ||
		   (p->phase == PARTIAL_STORED && r->ask.offset == p->offset &&
		       (r->ask.body == 0 || r->ask.body == RESUME_UNKNOWN))) {
		say_again(r, p);
	} else if (!resume_ask_fits(&r->ask, p->offset,
		       p->phase == PARTIAL_STORED ? p->offset : p->length,
		       r->size_max, &refusal)) {
		resume_end_refused(r, &refusal);
	} else if (p->phase == PARTIAL_STORED) {
		say_again(r, p);
	} else {
		r->length = r->ask.length;
		resume_on(r, RESUME_REOPEN);
	}
}

bool
resume_is_unfinished(const struct web_resume *r, const struct partial *p)
{
	return p->phase == PARTIAL_OPEN && p->length == p->offset &&
	       r->record.concat.s == NULL;
}

static void
look(struct web_resume *r)
{
	const struct partial *p = upload_partial(&r->upload);
	struct response answer = {0};

	if (resume_is_unfinished(r, p)) {
		r->ask.offset = p->offset;
		resume_on(r, RESUME_REOPEN);
		return;
	}
	resume_answer_state(r, p, &answer);
	resume_end(r, "Looked at", false, &answer);
}

/* Of an upload that is there. */
void
resume_decide(void *resume)
{
	struct web_resume *r = resume;

	check(r->kind != RESUME_CREATE);
	if (r->kind == RESUME_APPEND)
		go_on(r);
	else if (r->kind == RESUME_LOOK)
		look(r);
	else
		resume_on(r, RESUME_ERASE);
}

void
resume_start_removing(void *resume)
{
	struct web_resume *r = resume;

	upload_remove(&r->upload);
}

/* ---- it is to end before ---- */

void
resume_cut(void *resume)
{
	struct web_resume *r = resume;

	upload_cut(&r->upload, failure_of(OUTCOME_STOPPED, 0));
}

void
resume_cut_for_newer(void *resume)
{
	struct web_resume *r = resume;

	upload_cut(&r->upload, failure_of(OUTCOME_TAKEN_OVER, 0));
}

void
resume_cut_by_operator(void *resume)
{
	struct web_resume *r = resume;

	upload_cut(&r->upload, failure_of(OUTCOME_CUT, 0));
}

void
resume_give_up(void *resume)
{
	resume_release(resume, outcome_word(OUTCOME_STOPPED), false);
}

/* The parts are there still, and who gave their URLs does not know this one's. */
void
resume_give_up_copy(void *resume)
{
	resume_end_dropped(resume, OUTCOME_STOPPED);
}

/* ---- the end ---- */

static void
make_receipt(struct web_resume *r, const struct stored *s, struct response *ret)
{
	struct str location = {0};
	struct meter m;

	resume_times_add(&r->times, upload_meter(&r->upload));
	resume_times_meter(&r->times, &m);
	names_add_path(r->location->prefix, resume_name(r), &location);
	ret->status =
	    answer_status(s->replaced ? OUTCOME_REPLACED : OUTCOME_STORED);
	ret->outcome = s->superseded ? OUTCOME_SUPERSEDED
		       : s->replaced ? OUTCOME_REPLACED
				     : OUTCOME_STORED;
	ret->content_type = "application/json";
	receipt_respond(
	    &(struct receipt){
		.id = r->request,
		.name = resume_name(r),
		.location = location.s != NULL ? location.s : "",
		.user = r->exchange ? exchange_user(r->exchange) : NULL,
		.bytes = s->info.size,
		.parts = r->times.parts,
		.durability = s->durability,
		.meter = &m,
		.digest = upload_digest(&r->upload),
		.info = &s->info,
	    },
	    ret);
	str_fini(&location);
}

/* What it is about to be, to who has asked for no more. */
static void
say_stored(struct web_resume *r, const struct stored *s, struct response *ret)
{
	struct partial now = *upload_partial(&r->upload);

	now.phase = PARTIAL_STORED;
	now.offset = s->info.size;
	now.answer = (struct span){0};
	resume_answer_state(r, &now, ret);
}

void
resume_tell_stored(void *resume)
{
	struct web_resume *r = resume;
	struct upload *u = &r->upload;
	const struct stored *s = r->told.stored;
	bool looks = r->kind == RESUME_LOOK && r->exchange != NULL;
	struct response answer = {0}, state = {0};

	if (r->exchange != NULL)
		exchange_measured(r->exchange, upload_meter(u),
		    upload_digest(u) != NULL, resume_name(r));
	if (r->exchange != NULL)
		exchange_note_part(
		    r->exchange, r->ask.offset, s->info.size, s->info.size);
	if (r->exchange != NULL)
		exchange_note_stored(r->exchange,
		    durability_name[s->durability], upload_digest(u));
	make_receipt(r, s, &answer);
	if (looks)
		say_stored(r, s, &state);
	resume_conclude(r, PARTIAL_STORED, &answer);
	if (looks) {
		response_fini(&answer);
		answer = state;
	} else {
		resume_answer_dress(r, s->info.size, &answer);
	}
	resume_end(r, "Done", true, &answer);
}

/* Will it be so whenever it is tried again? */
static bool
is_final(enum outcome e)
{
	static const enum outcome final[] = {OUTCOME_EXISTS,
	    OUTCOME_IS_DIRECTORY, OUTCOME_PARENT_IS_FILE, OUTCOME_PRECONDITION,
	    OUTCOME_SYMLINK, OUTCOME_MOUNT_POINT, OUTCOME_NAME_TOO_LONG,
	    OUTCOME_BAD_NAME, OUTCOME_DIGEST_DIFFERS, OUTCOME_FILE_LIMIT};

	for (size_t i = 0; i < COUNT_OF(final); i++)
		if (e == final[i])
			return true;
	return false;
}

static void
note_failure(const struct web_resume *r)
{
	context_note_failure(r->context, r->location, "upload",
	    r->exchange != NULL ? exchange_id(r->exchange) : 0, resume_name(r),
	    r->why);
	if (r->exchange != NULL)
		exchange_measured(r->exchange, upload_meter(&r->upload), false,
		    resume_name(r));
}

/* Who looks is told that it is gone (`final`), or is to look later. */
static void
end_with_failure(struct web_resume *r, bool final, struct response *answer)
{
	enum outcome e = r->why.outcome;

	if (r->kind == RESUME_LOOK)
		answer->status = final ? 410 : 503;
	resume_end(r, outcome_word(e), e == OUTCOME_OUTCOME_UNKNOWN, answer);
}

/* It was made by this request, and nobody knows where: it would wait for nobody. */
static void
drop_unknown(struct web_resume *r)
{
	if (!resume_is_known(r) && upload_partial(&r->upload) != NULL)
		upload_conclude(&r->upload, PARTIAL_REFUSED, (struct span){0});
}

void
resume_tell_failed(void *resume)
{
	struct web_resume *r = resume;
	struct response answer = {0};

	note_failure(r);
	drop_unknown(r);
	resume_answer_failure(
	    r, r->why.outcome, r->reason, RESUME_UNKNOWN, &answer);
	end_with_failure(r, false, &answer);
}

/* It was whole: what would be so each time is its last word.  What may have its name by now
 * says by itself whether it has. */
void
resume_tell_not_stored(void *resume)
{
	struct web_resume *r = resume;
	bool final = is_final(r->why.outcome);
	struct response answer = {0};

	note_failure(r);
	resume_answer_failure(
	    r, r->why.outcome, r->reason, RESUME_UNKNOWN, &answer);
	if (final) {
		resume_conclude(r, PARTIAL_REFUSED, &answer);
		resume_answer_dress(r, 0, &answer);
	} else if (r->exchange != NULL && resume_dialect_is_tus(r->dialect)) {
		resume_answer_where(r, &answer);
	} else if (r->why.outcome != OUTCOME_OUTCOME_UNKNOWN) {
		drop_unknown(r);
	}
	end_with_failure(r, final, &answer);
}

void
resume_tell_removed(void *resume)
{
	struct response answer = {.status = 204, .outcome = OUTCOME_REMOVED};

	resume_end(resume, "Removed", false, &answer);
}
