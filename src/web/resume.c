/*
 * One request for an upload that can be resumed: what it brings is kept, and when all is
 * there the upload is committed.
 *
 *	begin or append -> on_ready -> transfer -> on_transferred --> commit -> on_stored
 *	                                                  \---> suspend -> on_suspended
 *
 * When its exchange ends before, what came is kept all the same: then the request goes on
 * without one, until that is done.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "web/receipt.h"
#include "web/rights_gate.h"
#include "resume_internal.h"

static const struct upload_events upload_events;

static struct web_resume *
resume_of(struct upload *u)
{
	struct web_resume *r = container_of(u, struct web_resume, upload);

	check_magic(r, RESUME_MAGIC);
	return r;
}

/* ---- the exchange ends ---- */

static enum outcome
resume_on_gone(void *owner)
{
	struct web_resume *r = owner;
	enum outcome e = r->stage == RESUME_COMMITTING ? OUTCOME_OUTCOME_UNKNOWN
						       : OUTCOME_STOPPED;

	check_magic(r, RESUME_MAGIC);
	r->exchange = NULL;
	if (r->stage == RESUME_FLOWING)
		upload_cut(&r->upload, failure_of(OUTCOME_STOPPED, 0));
	else if (r->stage == RESUME_BEGINNING || r->stage == RESUME_CLAIMING)
		resume_release(r, outcome_word(e), false);
	return e;
}

/* What came is kept first, and told. */
static bool
resume_on_stop(void *owner)
{
	struct web_resume *r = owner;

	check_magic(r, RESUME_MAGIC);
	if (r->stage == RESUME_FLOWING) {
		upload_cut(&r->upload, failure_of(OUTCOME_STOPPED, 0));
		return false;
	}
	if (r->stage != RESUME_BEGINNING)
		return false;
	r->exchange = NULL;
	resume_release(r, outcome_word(OUTCOME_STOPPED), false);
	return true;
}

static const struct exchange_ops exchange_ops = {
    .on_gone = resume_on_gone,
    .on_stop = resume_on_stop,
};

/* ---- what becomes of a part ---- */

static void
resume_on_suspended(struct upload *u)
{
	struct web_resume *r = resume_of(u);

	resume_part_answer(r, upload_partial(u)->offset);
}

static void
resume_on_transferred(struct upload *u, struct failure why)
{
	struct web_resume *r = resume_of(u);

	if (r->feed != NULL)
		r->feed->next(r, why);
	else
		resume_part_ended(r, why);
}

static void
resume_on_ready(struct upload *u)
{
	struct web_resume *r = resume_of(u);

	if (r->kind == RESUME_LOOK) {
		resume_commit(r); /* all of it was there */
		return;
	}
	if (r->kind == RESUME_CREATE || r->dialect->progress)
		resume_part_tell_early(r);
	if (r->feed != NULL)
		r->feed->next(r, failure_none());
	else if (r->wanted)
		resume_part_ended(r, failure_of(OUTCOME_TAKEN_OVER, 0));
	else if (r->ask.part_differs)
		resume_part_ended(r, failure_of(OUTCOME_DIGEST_DIFFERS, 0));
	else if (r->ask.has_body)
		resume_part_begin(r);
	else
		resume_part_ended(r, failure_none());
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

static void
resume_on_stored(struct upload *u, const struct stored *s)
{
	struct web_resume *r = resume_of(u);
	bool looks = r->kind == RESUME_LOOK && r->exchange != NULL;
	struct response answer = {0}, state = {0};

	if (r->exchange != NULL)
		exchange_measured(r->exchange, upload_meter(u),
		    upload_digest(u) != NULL, resume_name(r));
	if (r->exchange != NULL)
		exchange_note_part(
		    r->exchange, r->ask.offset, s->info.size, s->info.size);
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

/* In the gate: it is told when the request has passed. */
static void
lose(struct web_resume *r, struct failure why, const char *reason)
{
	bool finding = r->stage == RESUME_FINDING;

	resume_end_upload(r, outcome_word(why.outcome));
	r->stage = RESUME_LOST;
	r->why = why;
	r->reason = reason;
	if (finding)
		gate_go_on(r->pass, GATE_PASS);
}

static void
resume_on_failed(struct upload *u, struct failure why, const char *reason)
{
	struct web_resume *r = resume_of(u);
	bool final = r->stage == RESUME_COMMITTING && is_final(why.outcome);
	struct response answer = {0};

	if (r->stage == RESUME_FINDING || r->stage == RESUME_ELSEWHERE ||
	    r->stage == RESUME_HELD) {
		lose(r, why, reason);
		return;
	}
	context_note_failure(r->context, r->location, "upload",
	    r->exchange != NULL ? exchange_id(r->exchange) : 0, resume_name(r),
	    why);
	if (r->exchange != NULL)
		exchange_measured(
		    r->exchange, upload_meter(u), false, resume_name(r));
	resume_answer_failure(r, why.outcome, reason, RESUME_UNKNOWN, &answer);
	if (final) {
		resume_conclude(r, PARTIAL_REFUSED, &answer);
		resume_answer_dress(r, 0, &answer);
	}
	/* Who looks is told that it is gone, or is to look later. */
	if (r->kind == RESUME_LOOK)
		answer.status = final ? 410 : 503;
	resume_end(r, outcome_word(why.outcome),
	    why.outcome == OUTCOME_OUTCOME_UNKNOWN, &answer);
}

/* ---- what there is ---- */

bool
resume_is_his(struct span whose, struct span owner)
{
	return whose.len == 0 || (whose.len == owner.len &&
				     memcmp(whose.s, owner.s, whose.len) == 0);
}

/* Keep what is known of it: the store's copy is gone after the next step.  What was judged
 * by is what holds.  False: it cannot be read. */
static bool
read_record(struct web_resume *r, const struct partial *p)
{
	if (r->kept.len > 0)
		return r->kept.len == p->record.len &&
		       memcmp(r->kept.s, p->record.s, r->kept.len) == 0;
	str_add(&r->kept, p->record.s, p->record.len);
	if (str_failed(&r->kept) || r->kept.len == 0 ||
	    !resume_record_decode(
		(struct span){r->kept.s, r->kept.len}, &r->record))
		return false;
	str_add(&r->name, r->record.name.s, r->record.name.len);
	memcpy(r->id, p->id, sizeof(r->id));
	return !str_failed(&r->name);
}

static void
go_on_as(struct web_resume *r, enum resume_stage stage)
{
	if (!read_record(r, upload_partial(&r->upload))) {
		lose(r, failure_of(OUTCOME_NO_UPLOAD, 0), NULL);
		return;
	}
	r->stage = stage;
	gate_go_on(r->pass, GATE_PASS);
}

static void
resume_on_held(struct upload *u)
{
	go_on_as(resume_of(u), RESUME_ELSEWHERE);
}

static void
resume_on_found(struct upload *u)
{
	struct web_resume *r = resume_of(u);
	const struct partial *p = upload_partial(u);

	resume_times_decode(p->state, &r->times);
	r->length = p->length;
	go_on_as(r, RESUME_HELD);
}

static void
resume_on_wanted(struct upload *u)
{
	struct web_resume *r = resume_of(u);

	r->wanted = true;
	if (r->stage == RESUME_FLOWING)
		upload_cut(u, failure_of(OUTCOME_TAKEN_OVER, 0));
}

static void
resume_on_removed(struct upload *u)
{
	struct web_resume *r = resume_of(u);
	struct response answer = {.status = 204, .outcome = OUTCOME_REMOVED};

	resume_end(r, "Removed", false, &answer);
}

static const struct upload_events upload_events = {
    .on_ready = resume_on_ready,
    .on_transferred = resume_on_transferred,
    .on_stored = resume_on_stored,
    .on_failed = resume_on_failed,
    .on_held = resume_on_held,
    .on_found = resume_on_found,
    .on_suspended = resume_on_suspended,
    .on_removed = resume_on_removed,
    .on_wanted = resume_on_wanted,
};

void
resume_find(struct web_resume *r, const char *id)
{
	r->begun = true;
	upload_resume(
	    &r->upload, &(struct upload_request){
			    .env = &r->context->env,
			    .events = &upload_events,
			    .location = r->location,
			    .store = context_store(r->context, r->location),
			    .id = exchange_id(r->exchange),
			    .partial = id,
			});
}

void
resume_await(struct web_resume *r)
{
	r->stage = RESUME_FINDING;
	upload_await(&r->upload);
}

/* ---- what is asked ---- */

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

static void
begin_creation(struct web_resume *r)
{
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
	r->stage = RESUME_BEGINNING;
	r->begun = true;
	upload_begin(
	    &r->upload, &(struct upload_request){
			    .env = &r->context->env,
			    .events = &upload_events,
			    .location = r->location,
			    .store = context_store(r->context, r->location),
			    .put = &put,
			    .claims = &r->record.whole,
			    .id = exchange_id(r->exchange),
			});
	str_fini(&state);
}

static void
append(struct web_resume *r)
{
	struct put_request put = {
	    .name = resume_name(r),
	    .length = length_after(r),
	};

	if (!copy_conditions(r, &put.pre)) {
		resume_end_failed(r, OUTCOME_NO_MEMORY, NULL, RESUME_UNKNOWN);
		return;
	}
	r->stage = RESUME_BEGINNING;
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
		append(r);
	}
}

/* All bytes are there, but a crash came before it was stored: a client that is told so
 * takes it for stored. */
static bool
is_unfinished(const struct web_resume *r, const struct partial *p)
{
	return p->phase == PARTIAL_OPEN && p->length == p->offset &&
	       r->record.concat.s == NULL;
}

static void
look(struct web_resume *r)
{
	const struct partial *p = upload_partial(&r->upload);
	struct response answer = {0};

	if (is_unfinished(r, p)) {
		r->ask.offset = p->offset;
		append(r);
		return;
	}
	resume_answer_state(r, p, &answer);
	resume_end(r, "Looked at", false, &answer);
}

void
resume_start(struct web_resume *r)
{
	exchange_take(r->exchange, &exchange_ops, r);
	r->pass = NULL;
	if (r->stage == RESUME_LOST) {
		resume_end_failed(r, r->why.outcome, r->reason, RESUME_UNKNOWN);
		return;
	}
	switch (r->kind) {
	case RESUME_CREATE:
		begin_creation(r);
		return;
	case RESUME_APPEND:
		go_on(r);
		return;
	case RESUME_LOOK:
		look(r);
		return;
	case RESUME_REMOVE:
		r->stage = RESUME_REMOVING;
		upload_remove(&r->upload);
		return;
	}
}
