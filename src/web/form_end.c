/*
 * How a form ends: with a response, or without one.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "http/answer.h"
#include "upload/upload.h"
#include "web/limit_text.h"
#include "web/rights_gate.h"
#include "form_internal.h"

static void
drop_list(struct list *files, const char *last_step)
{
	struct list_node *n;

	while ((n = list_shift(files)) != NULL) {
		struct form_file *file =
		    container_of(n, struct form_file, node);

		form_file_free(&file, last_step);
	}
}

/* Files that were not committed are dropped. */
static void
drop_files(struct web_form *f, const char *last_step)
{
	form_atomic_forget(&f->atomic);
	form_file_free(&f->at, last_step);
	drop_list(&f->held, last_step);
}

void
form_end_free(struct web_form *f, const char *last_step)
{
	drop_files(f, last_step);
	drop_list(&f->named, last_step);
	response_fini(&f->failed);
	gather_fini(&f->gather);
	multipart_fini(&f->multipart);
	limits_leave(f->context->uploads.limits, &f->place);
	form_answer_fini(&f->answer);
	str_fini(&f->text);
	str_fini(&f->field);
	free(f->pre);
	free(f);
}

static bool
is_committing(const struct web_form *f)
{
	return f->at != NULL && upload_is_committing(&f->at->upload);
}

/* It ends without a response; what is stored stays. */
static enum outcome
form_on_gone(void *owner)
{
	struct web_form *f = owner;
	enum outcome e =
	    is_committing(f) ? OUTCOME_OUTCOME_UNKNOWN : OUTCOME_STOPPED;

	spent_mark_end(&f->mark, is_committing(f) || f->answer.stored > 0);
	form_end_free(f, outcome_word(e));
	return e;
}

/* A file that is being committed may get its name at any time; and of several, all or none
 * are to have it. */
static bool
form_on_stop(void *owner)
{
	struct web_form *f = owner;

	if (is_committing(f) || f->takes_back) {
		f->stops = true;
		return false;
	}
	(void)form_on_gone(f);
	return true;
}

const struct exchange_ops form_end_ops = {
    .on_gone = form_on_gone,
    .on_stop = form_on_stop,
};

void
form_end_respond(struct web_form *f, struct response *why)
{
	const char *redirect = f->location->form_redirect;
	struct exchange *x = f->exchange;
	struct spent_mark *mark = NULL;
	struct response r = {0};

	if (!f->wants_page || strcmp(redirect, "off") == 0)
		redirect = NULL;
	form_answer_respond(&f->answer, why, redirect, &r);
	if (f->answer.stored == 0 && r.outcome != OUTCOME_OUTCOME_UNKNOWN) {
		mark = f->mark;
		f->mark = NULL;
	}
	spent_mark_end(&f->mark, true);
	form_end_free(f, "Done");
	rights_gate_give_back(x, mark, &r);
}

/* ---- refusals ---- */

struct response
form_end_problem(const struct web_form *f, enum outcome e, const char *name,
    const char *reason)
{
	const struct conf_location *l = f->location;
	char limit[LIMIT_TEXT_MAX];
	struct response r = {0};

	if (e == OUTCOME_BAD_FRAMING)
		reason = exchange_body_problem(f->exchange);
	if (e == OUTCOME_BAD_FORM && reason == NULL)
		reason = f->multipart.why;
	if (reason == NULL && name == NULL)
		reason =
		    limit_text_of_user(e, l, exchange_body_max(f->exchange),
			exchange_user(f->exchange), limit);
	if (reason != NULL)
		response_problem(&r, answer_status(e), "%s", reason);
	else
		answer_problem(e,
		    &(struct answer_context){.prefix = l->prefix,
			.limit =
			    name != NULL && e == OUTCOME_TOO_LARGE
				? limit_text_of_file(l, limit)
				: limit_text(e, f->context->conf, l, limit),
			.name = name},
		    &r);
	r.outcome = e;
	return r;
}

void
form_end_fail(struct web_form *f, struct failure why, const char *reason)
{
	const char *name = f->at != NULL ? f->at->name : "(a form)";
	struct exchange *x = f->exchange;
	struct response r;

	context_note_failure(
	    f->context, f->location, "upload", exchange_id(x), name, why);
	if (answer_status(why.outcome) == 0) { /* the client has gone */
		spent_mark_end(&f->mark, f->answer.stored > 0);
		form_end_free(f, outcome_word(why.outcome));
		exchange_leave(x, why.outcome);
		return;
	}
	r = form_end_problem(f, why.outcome, NULL, reason);
	form_end_give_up(f, &r);
}

void
form_end_refuse(struct web_form *f, const char *why)
{
	form_end_fail(f, failure_of(OUTCOME_BAD_FORM, 0), why);
}

/* The log names what there is, and not what there was for a moment. */
static void
note_taken_back(struct web_form *f)
{
	struct form_answer *a = &f->answer;

	LIST_FOREACH(const struct form_file, file, &f->named, node) {
		if (!file->is_back)
			form_answer_note_left(a, file->name);
	}
	exchange_note_taken_back(
	    f->exchange, a->names.s != NULL ? a->names.s : "");
}

void
form_end_on_taken_back(void *owner, size_t left)
{
	struct web_form *f = owner;
	struct response r = f->failed;

	f->failed = (struct response){0};
	note_taken_back(f);
	if (left > 0) {
		response_fini(&r);
		response_problem(&r, 500,
		    "a file of the form could not get its name, and %zu that "
		    "had theirs before could not be taken back: they are "
		    "there; send the form again when an operator has looked "
		    "at it",
		    left);
		r.outcome = OUTCOME_OUTCOME_UNKNOWN;
	}
	form_end_respond(f, r.status != 0 ? &r : NULL);
}

void
form_end_give_up(struct web_form *f, struct response *why)
{
	drop_files(f, "Given up");
	if (list_is_empty(&f->named)) {
		form_end_respond(f, why);
		return;
	}
	if (why != NULL)
		f->failed = *why;
	f->takes_back = true;
	if (f->answer.refused == 0)
		form_answer_forget_stored(&f->answer);
	form_atomic_take_back(&f->atomic, &f->named);
}
