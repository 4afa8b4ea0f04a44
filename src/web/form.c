/*
 * A form: the parts of one body become fields, or uploads, one after the other.
 *
 *	seek the next part --> a field: gather it --------------------------> seek
 *	        |          \-> a file: name, upload, commit, receipt -------> seek
 *	        |                 \-> refused: read on to its end ----------> seek
 *	        \-> there is none: commit what was held back; respond
 *
 * A file is committed as soon as it is whole, and stays, whatever comes behind it; but with
 * form_atomic, or when the URL names it and it may have to be the only one, it is held until
 * the form has ended.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/signed_link.h"
#include "auth/spent.h"
#include "http/answer.h"
#include "http/media_type.h"
#include "upload/names.h"
#include "upload/upload.h"
#include "web/rights_gate.h"
#include "form_internal.h"
#include "put_internal.h"

enum {
	/* Of a file that is refused, so much is read to get at what is behind it;
	 * when there is more of it the form is answered instead. */
	SKIP_MAX = 8 * 1024 * 1024,
};

static void form_seek(struct web_form *f);
static void form_commit(struct web_form *f);

static struct web_form *
form_of(struct upload *u)
{
	return container_of(u, struct form_file, upload)->owner;
}

/* ---- between two parts ---- */

/* What was held is durable: give it its names. */
static void
form_on_settled(void *owner, int err)
{
	struct web_form *f = owner;

	if (err < 0)
		form_end_fail(f, failure_of_errno(err), NULL);
	else
		form_commit(f);
}

static struct reader_limits
form_limits(struct web_form *f)
{
	return (struct reader_limits){
	    .client.silence_s = f->context->conf->body_timeout_s,
	    .client.rate_min = f->location->min_rate,
	    .client.rate_min_for_s = f->location->min_rate_grace_s,
	    .rate_max = f->location->limit_rate,
	    .past = &f->past,
	};
}

/* All was read.  */
static void
form_all_read(struct web_form *f)
{
	if (f->files == 0)
		form_end_refuse(f,
		    "the form has no file: nothing was stored (a "
		    "file is a part with a filename)");
	else if (list_is_empty(&f->held))
		form_end_respond(f, NULL);
	else if (f->location->form_atomic)
		form_atomic_settle(&f->atomic, &f->held);
	else
		form_commit(f);
}

static void
form_next(struct web_form *f)
{
	if (f->stops)
		form_end_fail(f, failure_of(OUTCOME_STOPPED, 0), NULL);
	else if (multipart_is_done(&f->multipart))
		form_all_read(f);
	else
		form_seek(f);
}

static void
gather(struct web_form *f, struct source *s, struct str *text, size_t most,
    void (*on_done)(void *owner, struct failure why))
{
	gather_start(&f->gather, &(struct gather_setup){
				     .source = s,
				     .limits = form_limits(f),
				     .text = text,
				     .most = most,
				     .on_done = on_done,
				     .owner = f,
				 });
}

/* The form itself has failed, and not only what was read of this part. */
static bool
has_failed(const struct web_form *f)
{
	return failure_is(f->multipart.head.failure);
}

static void
on_skipped(void *owner, struct failure why)
{
	struct web_form *f = owner;

	if (!failure_is(why))
		form_next(f);
	else if (has_failed(f) || why.outcome != OUTCOME_TOO_LARGE)
		form_end_fail(f, why, NULL);
	else
		form_end_respond(f, NULL); /* it is too long to be read on */
}

/* Read on to the end of the part. */
static void
form_skip(struct web_form *f)
{
	if (!multipart_is_within(&f->multipart))
		form_next(f);
	else
		gather(f, multipart_part(&f->multipart, SKIP_MAX), NULL, 0,
		    on_skipped);
}

/* ---- fields ---- */

static bool
names_files(const struct web_form *f, const char *field)
{
	const struct conf_list *by = &f->location->form_name;

	return by->count == 2 && strcmp(by->values[1], field) == 0;
}

static void
on_field(void *owner, struct failure why)
{
	struct web_form *f = owner;
	const char *name = f->multipart.said.name;
	struct str *text = &f->text;

	if (f->gather.over)
		why = failure_of(OUTCOME_FIELDS_TOO_LARGE, 0);
	if (failure_is(why)) {
		form_end_fail(f, why, NULL);
		return;
	}
	f->fields_left -= text->len;
	form_answer_add_field(
	    &f->answer, name, text->s ? text->s : "", text->len);
	if (names_files(f, name)) {
		str_clear(&f->field);
		str_add(&f->field, text->s, text->len);
		f->naming.field = f->field.s;
		if (memchr(f->field.s, '\0', f->field.len) != NULL) {
			form_end_refuse(f,
			    "the field that names the files has a "
			    "NUL");
			return;
		}
	}
	form_next(f);
}

static void
read_field(struct web_form *f)
{
	size_t len = strlen(f->multipart.said.name);

	if (len > f->fields_left) {
		form_end_fail(f, failure_of(OUTCOME_FIELDS_TOO_LARGE, 0), NULL);
		return;
	}
	f->fields_left -= len;
	str_clear(&f->text);
	gather(f, multipart_part(&f->multipart, 0), &f->text, f->fields_left,
	    on_field);
}

/* ---- files ---- */

static bool
holds_files(const struct web_form *f)
{
	return f->location->form_atomic || form_name_is_given(&f->naming);
}

/* The file f->at, or, when that is NULL, one that was not even begun, is refused with
 * `problem`. */
static void
refuse_file(struct web_form *f, const char *name, struct response *problem)
{
	if (holds_files(f))
		form_answer_forget_stored(&f->answer);
	form_answer_add_refused(&f->answer,
	    f->at != NULL ? f->at->field : f->multipart.said.name, name,
	    problem);
	form_file_free(&f->at, "Refused");
	if (holds_files(f))
		form_end_give_up(f, NULL);
	else
		form_skip(f);
}

static void
form_on_ready(struct upload *u)
{
	struct web_form *f = form_of(u);

	upload_transfer(u, &(struct transfer){
			       .source = multipart_part(&f->multipart,
				   f->location->form_max_file_size),
			       .queue_depth = f->location->queue_depth,
			       .limits = form_limits(f),
			   });
}

static void
commit_file(struct web_form *f)
{
	struct form_file *file = f->at;
	bool ordered = !file->made && f->location->policy.overwrite;

	upload_commit(
	    &file->upload, ordered ? exchange_would_come_ns(f->exchange) : 0);
}

/* Of all forms with one link, this is the one that may be stored; or it is not. */
static void
form_on_claimed(void *owner, int err)
{
	struct web_form *f = owner;
	struct exchange *x = f->exchange;

	if (err == 0) {
		commit_file(f);
		return;
	}
	spent_mark_end(&f->mark, false);
	form_end_free(f, "The link is spent");
	rights_gate_refuse_once(x, err);
}

/* Have f->at stored. */
static void
claim_file(struct web_form *f)
{
	if (f->mark != NULL && !spent_is_claimed(f->mark))
		spent_claim(f->mark, f, form_on_claimed);
	else
		commit_file(f);
}

static void
form_on_transferred(struct upload *u, struct failure why)
{
	struct web_form *f = form_of(u);

	(void)why; /* one that fails is not kept */
	if (!holds_files(f)) {
		claim_file(f);
		return;
	}
	list_append(&f->held, &f->at->node);
	f->at = NULL;
	form_next(f);
}

/* The next of those that were held. */
static void
form_commit(struct web_form *f)
{
	struct list_node *n = list_shift(&f->held);

	check(n != NULL);
	f->at = container_of(n, struct form_file, node);
	claim_file(f);
}

static void
form_on_stored(struct upload *u, const struct stored *s)
{
	struct web_form *f = form_of(u);
	struct form_file *file = f->at;
	struct str location = {0};
	enum outcome e = s->replaced ? OUTCOME_REPLACED : OUTCOME_STORED;
	struct receipt receipt;

	if (s->superseded)
		e = OUTCOME_SUPERSEDED;
	names_add_path(f->location->prefix, file->name, &location);
	receipt = (struct receipt){
	    .id = exchange_id(f->exchange),
	    .name = file->name,
	    .location = location.s,
	    .user = exchange_user(f->exchange),
	    .bytes = upload_offset(u),
	    .meter = upload_meter(u),
	    .durability = s->durability,
	    .digest = upload_digest(u),
	    .info = &s->info,
	};
	form_answer_add_stored(&f->answer, file->field, &receipt, e);
	exchange_measured(f->exchange, receipt.meter, receipt.digest != NULL,
	    f->answer.names.s);
	exchange_note_stored(
	    f->exchange, durability_name[s->durability], receipt.digest);
	str_fini(&location);
	if (!holds_files(f)) {
		form_file_free(&f->at, "Done");
		form_next(f);
		return;
	}
	form_file_stored(file, s);
	list_append(&f->named, &file->node);
	f->at = NULL;
	if (list_is_empty(&f->held))
		form_end_respond(f, NULL);
	else
		form_commit(f);
}

/* It is this file that cannot be stored, and others may be. */
static bool
is_of_file(const struct web_form *f, enum outcome e)
{
	return !has_failed(f) && outcome_blame(e) == BLAME_CLIENT &&
	       answer_status(e) != 0 && e != OUTCOME_TOO_SLOW &&
	       e != OUTCOME_BELOW_RATE;
}

static void
form_on_failed(struct upload *u, struct failure why, const char *reason)
{
	struct web_form *f = form_of(u);
	struct response problem;
	char name[FILE_NAME_SIZE];

	if (!is_of_file(f, why.outcome)) {
		form_end_fail(f, why, reason);
		return;
	}
	memcpy(name, f->at->name, strlen(f->at->name) + 1);
	problem = form_end_problem(f, why.outcome, name, reason);
	refuse_file(f, name, &problem);
}

static bool
form_describe(struct upload *u, struct live_record *r)
{
	const struct form_file *file =
	    container_of(u, struct form_file, upload);
	const struct web_form *f = file->owner;

	live_set_client(r, exchange_client(f->exchange));
	live_set_user(r, exchange_user(f->exchange));
	live_set_name(r, file->name);
	r->form = true;
	r->bytes = upload_given(u);
	return true;
}

static const struct upload_events form_upload_events = {
    .on_ready = form_on_ready,
    .on_transferred = form_on_transferred,
    .on_stored = form_on_stored,
    .on_failed = form_on_failed,
    .describe = form_describe,
};

static void
upload_file(struct web_form *f, struct form_file *file)
{
	const struct multipart *m = &f->multipart;
	bool known = m->length != MULTIPART_LENGTH_UNKNOWN;
	struct put_request request = {
	    .name = file->name,
	    .length = known ? m->length : STORE_LENGTH_UNKNOWN,
	    .collect = known && !holds_files(f),
	};

	if (f->pre != NULL) {
		request.pre = preconditions_copy(f->pre);
		if (request.pre == NULL) {
			free(file);
			form_end_fail(
			    f, failure_of(OUTCOME_NO_MEMORY, 0), NULL);
			return;
		}
	}
	if (!file->made && f->location->policy.overwrite)
		request.head_ns = f->head_ns;
	f->at = file;
	upload_begin(
	    &file->upload, &(struct upload_request){
			       .env = &f->context->env,
			       .events = &form_upload_events,
			       .location = f->location,
			       .store = context_store(f->context, f->location),
			       .put = &request,
			       .claims = &(const struct digest_claims){0},
			       .id = exchange_id(f->exchange),
			   });
}

static void
begin_file(struct web_form *f)
{
	const struct part_head *said = &f->multipart.said;
	char name[FILE_NAME_SIZE];
	struct form_file *file;
	struct response problem;
	const char *why;
	enum outcome e;
	bool made;

	if (f->files++ > 0 && form_name_is_given(&f->naming)) {
		form_end_refuse(f,
		    "the form has several files, and the URL names one: send "
		    "it to the location, or to a directory (with a slash at "
		    "the end), or send one file");
		return;
	}
	e = form_name_choose(&f->naming, said, name, &made, &why);
	if (e != OUTCOME_NONE) {
		problem = form_end_problem(f, e, said->filename, why);
		refuse_file(f, said->filename, &problem);
		return;
	}
	file = form_file_new(f, name, said->name);
	if (file == NULL) {
		form_end_fail(f, failure_of(OUTCOME_NO_MEMORY, 0), NULL);
		return;
	}
	file->made = made;
	upload_file(f, file);
}

/* ---- parts ---- */

static void
on_sought(void *owner, struct failure why)
{
	struct web_form *f = owner;
	const struct multipart *m = &f->multipart;
	const struct part_head *said = &m->said;

	if (failure_is(why))
		form_end_fail(f, why, NULL);
	else if (!m->found)
		form_all_read(f);
	else if (!said->has_filename && !said->is_binary)
		read_field(f);
	else if (m->empty && said->filename[0] == '\0')
		form_skip(f); /* no file was chosen */
	else
		begin_file(f);
}

static void
form_seek(struct web_form *f)
{
	gather(f, multipart_next(&f->multipart), NULL, 0, on_sought);
}

/* ---- the beginning ---- */

bool
form_start(const struct put_order *o)
{
	struct web_form *f = calloc(1, sizeof(*f));
	const char *user = exchange_user(o->exchange);

	if (f == NULL)
		return false;
	f->exchange = o->exchange;
	f->context = o->context;
	f->location = o->location;
	f->mark = o->mark;
	f->pre = o->preconditions;
	f->place = o->place;
	f->head_ns = exchange_came_ns(o->exchange);
	f->wants_page =
	    media_type_prefers_html(exchange_head(o->exchange)->accept);
	f->fields_left = (size_t)o->location->form_max_field_size;
	list_init(&f->held);
	list_init(&f->named);
	f->atomic = (struct form_atomic){
	    .store = context_store(o->context, o->location),
	    .owner = f,
	    .on_settled = form_on_settled,
	    .on_taken_back = form_end_on_taken_back,
	};
	memcpy(f->path, o->name, strlen(o->name) + 1);
	f->naming = (struct form_naming){
	    .server = o->context->conf,
	    .location = o->location,
	    .path = f->path,
	    .generates = user != NULL && signed_link_is_user(user),
	};
	multipart_init(&f->multipart, exchange_body(o->exchange), o->boundary,
	    o->location->form_max_parts);
	gather_init(&f->gather, &o->context->forms, o->context->env.loop,
	    o->context->env.pool);
	exchange_take(o->exchange, &form_end_ops, f);
	exchange_drop_head(o->exchange);
	exchange_continue(o->exchange);
	form_seek(f);
	return true;
}
