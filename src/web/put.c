/*
 * A request to store: an exchange, the one transfer of its body, and the commit that
 * follows at once.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "auth/spent.h"
#include "http/answer.h"
#include "http/resume_fields.h"
#include "upload/names.h"
#include "upload/upload.h"
#include "web/handshake.h"
#include "web/limit_text.h"
#include "web/receipt.h"
#include "web/rights_gate.h"
#include "put_internal.h"

enum {
	/* Of a body as it is sent, with a head before it: the buffers of a
	 * connection have room for so much from its beginning. */
	UNREAD_MAX = 32 * 1024,
};

struct web_put {
	struct exchange *exchange;
	struct upload upload;
	struct spent_mark *mark; /* of a link that is good once; or NULL */
	uint64_t length;	 /* or STORE_LENGTH_UNKNOWN */
	bool named;		 /* by its client */
	char name[];
};

static struct web_put *
put_of(struct upload *u)
{
	return container_of(u, struct web_put, upload);
}

static const struct context *
context_of(const struct web_put *p)
{
	return context_of_env(p->upload.env);
}

/* ---- its end ---- */

/* Free all that it has; a response, if there is one, is sent after.  `is_spent`: it is
 * stored, or may be, and so the link with which it came is not good any more. */
static void
put_release(struct web_put *p, const char *last_step, bool is_spent)
{
	spent_mark_end(&p->mark, is_spent);
	upload_end(&p->upload, last_step);
	free(p);
}

/* It ends without a response.  A file that is being committed may still get its
 * name. */
static enum outcome
put_on_gone(void *owner)
{
	struct web_put *p = owner;
	enum outcome e = upload_is_committing(&p->upload)
			     ? OUTCOME_OUTCOME_UNKNOWN
			     : OUTCOME_STOPPED;

	put_release(p, outcome_word(e), e == OUTCOME_OUTCOME_UNKNOWN);
	return e;
}

/* A file that is being committed may get its name at any time. */
static bool
put_on_stop(void *owner)
{
	struct web_put *p = owner;

	if (upload_is_committing(&p->upload))
		return false;
	(void)put_on_gone(p);
	return true;
}

static const struct exchange_ops exchange_ops = {
    .on_gone = put_on_gone,
    .on_stop = put_on_stop,
};

/* ---- what the upload tells ---- */

static void
put_on_ready(struct upload *u)
{
	struct web_put *p = put_of(u);
	const struct conf_location *l = u->location;

	exchange_continue(p->exchange);
	upload_transfer(u,
	    &(struct transfer){
		.source = exchange_body(p->exchange),
		.queue_depth = l->queue_depth,
		.limits =
		    {
			.client.silence_s = context_of(p)->conf->body_timeout_s,
			.client.rate_min = l->min_rate,
			.client.rate_min_for_s = l->min_rate_grace_s,
			.rate_max = l->limit_rate,
		    },
	    });
}

/* Does it matter when it came?  No other upload can have a generated name. */
static bool
has_an_order(const struct web_put *p)
{
	return p->named && p->upload.location->policy.overwrite;
}

/* When its last byte came, had nothing held up the client.  A short one is sent whole,
 * whether somebody reads it or not. */
static uint64_t
last_byte_ns(const struct web_put *p)
{
	return exchange_body_received(p->exchange) <= UNREAD_MAX
		   ? exchange_came_ns(p->exchange)
		   : exchange_would_come_ns(p->exchange);
}

static void
put_commit(struct web_put *p)
{
	upload_commit(&p->upload, has_an_order(p) ? last_byte_ns(p) : 0);
}

/* Of all uploads with one link, this is the one that may be stored; or it is not. */
static void
put_on_claimed(void *owner, int err)
{
	struct web_put *p = owner;
	struct exchange *x = p->exchange;

	if (err == 0) {
		put_commit(p);
		return;
	}
	put_release(p, "The link is spent", false);
	rights_gate_refuse_once(x, err);
}

static void
put_on_transferred(struct upload *u, struct failure why)
{
	struct web_put *p = put_of(u);

	(void)why; /* one that fails is not kept */
	if (p->mark != NULL)
		spent_claim(p->mark, p, put_on_claimed);
	else
		put_commit(p);
}

static struct receipt
receipt_of(
    const struct web_put *p, const struct stored *s, const char *location)
{
	return (struct receipt){
	    .id = exchange_id(p->exchange),
	    .name = p->name,
	    .location = location,
	    .user = exchange_user(p->exchange),
	    .bytes = exchange_body_bytes(p->exchange),
	    .meter = upload_meter(&p->upload),
	    .durability = s->durability,
	    .digest = upload_digest(&p->upload),
	    .info = &s->info,
	};
}

static void
put_on_stored(struct upload *u, const struct stored *s)
{
	struct web_put *p = put_of(u);
	struct exchange *x = p->exchange;
	struct response r = {.content_type = "application/json"};
	struct str location = {0};
	struct receipt receipt;
	enum outcome e = s->replaced ? OUTCOME_REPLACED : OUTCOME_STORED;

	r.status = answer_status(e);
	if (s->superseded)
		e = OUTCOME_SUPERSEDED;
	if (p->named && e == OUTCOME_STORED)
		handshake_note(x, u->location, p->name, &s->info);
	names_add_path(u->location->prefix, p->name, &location);
	receipt = receipt_of(p, s, location.s);
	receipt_respond(&receipt, &r);
	r.outcome = e;
	exchange_measured(x, receipt.meter, receipt.digest != NULL, p->name);
	exchange_note_stored(
	    x, durability_name[receipt.durability], receipt.digest);
	put_release(p, "Done", true);
	exchange_respond(x, &r);
	str_fini(&location);
}

/* What the client is told of an upload that ended with `e`; for `reason`, if that is
 * known. */
static void
describe_failure(const struct web_put *p, enum outcome e, const char *reason,
    struct response *r)
{
	const struct conf_location *l = p->upload.location;
	char limit[LIMIT_TEXT_MAX];

	if (e == OUTCOME_BAD_FRAMING)
		reason = exchange_body_problem(p->exchange);
	if (reason == NULL)
		reason =
		    limit_text_of_user(e, l, exchange_body_max(p->exchange),
			exchange_user(p->exchange), limit);
	if (reason != NULL)
		response_problem(r, answer_status(e), "%s", reason);
	else
		answer_problem(e,
		    &(struct answer_context){.prefix = l->prefix,
			.limit = limit_text(e, context_of(p)->conf, l, limit),
			.name = p->name},
		    r);
	r->outcome = e;
}

static void
put_on_failed(struct upload *u, struct failure why, const char *reason)
{
	struct web_put *p = put_of(u);
	struct exchange *x = p->exchange;
	bool leaves = answer_status(why.outcome) == 0; /* the client has gone */
	struct spent_mark *mark = NULL;
	struct response r = {0};

	context_note_failure(
	    context_of(p), u->location, "upload", exchange_id(x), p->name, why);
	if (!leaves)
		describe_failure(p, why.outcome, reason, &r);
	exchange_measured(x, upload_meter(u), false, p->name);
	if (!leaves && why.outcome != OUTCOME_OUTCOME_UNKNOWN) {
		mark = p->mark;
		p->mark = NULL;
	}
	put_release(p, outcome_word(why.outcome),
	    why.outcome == OUTCOME_OUTCOME_UNKNOWN);
	if (leaves)
		exchange_leave(x, why.outcome);
	else
		rights_gate_give_back(x, mark, &r);
}

static bool
put_describe(struct upload *u, struct live_record *r)
{
	const struct web_put *p = put_of(u);

	live_set_client(r, exchange_client(p->exchange));
	live_set_user(r, exchange_user(p->exchange));
	live_set_name(r, p->name);
	r->bytes = exchange_body_bytes(p->exchange);
	if (p->length != STORE_LENGTH_UNKNOWN)
		r->length = p->length;
	return true;
}

static const struct upload_events upload_events = {
    .on_ready = put_on_ready,
    .on_transferred = put_on_transferred,
    .on_stored = put_on_stored,
    .on_failed = put_on_failed,
    .describe = put_describe,
};

/* ---- the beginning ---- */

static struct web_put *
put_new(const struct put_order *o)
{
	size_t len = strlen(o->name);
	struct web_put *p = malloc(offsetof(struct web_put, name) + len + 1);

	if (p == NULL)
		return NULL;
	p->exchange = o->exchange;
	p->mark = o->mark;
	p->named = o->named;
	memcpy(p->name, o->name, len + 1);
	return p;
}

/* Its client wants each byte to go on at once (RFC 10036). */
static bool
is_incremental(const struct head *h)
{
	bool is;

	return resume_fields_boolean(h->incremental, &is) && is;
}

/* The head is needed no longer than for this. */
static void
begin_upload(struct web_put *p, const struct put_order *o)
{
	const struct head *h = exchange_head(p->exchange);
	struct put_request request = {
	    .name = p->name,
	    .length = h->has_length ? h->content_length : STORE_LENGTH_UNKNOWN,
	    .collect =
		h->has_length && !h->expect_continue && !is_incremental(h),
	    .pre = o->preconditions,
	};
	char first[OBJECT_ETAG_SIZE];

	p->length = request.length;
	if (p->named && o->location->policy.overwrite)
		request.head_ns = exchange_came_ns(p->exchange);
	if (p->named &&
	    handshake_follows(p->exchange, o->location, p->name, h, first))
		request.forerunner = first;
	exchange_drop_head(p->exchange);
	upload_begin(
	    &p->upload, &(struct upload_request){
			    .env = &o->context->env,
			    .events = &upload_events,
			    .location = o->location,
			    .store = context_store(o->context, o->location),
			    .put = &request,
			    .claims = o->claims,
			    .id = exchange_id(p->exchange),
			    .place = o->place,
			});
}

bool
put_start(const struct put_order *o)
{
	struct web_put *p = put_new(o);

	if (p == NULL)
		return false;
	exchange_take(o->exchange, &exchange_ops, p);
	begin_upload(p, o);
	return true;
}
