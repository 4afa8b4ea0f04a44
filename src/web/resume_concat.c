/*
 * An upload that is made of others (concatenation of tus): each of them is looked at, and
 * then they are read one after the other into a new one.  They stay as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/resume_fields.h"
#include "upload/takeover.h"
#include "resume_states.h"

struct concat {
	struct web_resume *resume;
	struct incoming *looked_at; /* held while that lasts; or NULL */
	struct takeover_wait wait;  /* until it is let go, perhaps */
	struct outgoing *source;    /* that is read; or NULL */
	uint64_t sum;
	size_t count, at;
	char ids[][PARTIAL_ID_LEN + 1];
};

static void
concat_free(void *feed)
{
	struct concat *c = feed;

	takeover_end(&c->wait);
	store_abort(&c->looked_at);
	store_close(&c->source);
	free(c);
}

static void
refuse_concat(struct concat *c, const char *why)
{
	struct response answer = {.outcome = OUTCOME_RESUMABLE};

	response_problem(&answer, 400, "%s", why);
	resume_end(c->resume, "Refused", false, &answer);
}

static void
fail_concat(struct concat *c, enum outcome e)
{
	struct response answer = {0};

	resume_answer_failure(c->resume, e, NULL, RESUME_UNKNOWN, &answer);
	resume_end(c->resume, outcome_word(e), false, &answer);
}

/* ---- reading them ---- */

static void
concat_on_open(void *owner, const struct object_info *info)
{
	struct concat *c = owner;
	struct web_resume *r = c->resume;

	(void)info;
	resume_on(r, RESUME_TRANSFER);
	upload_transfer(&r->upload, &(struct transfer){
					.source = &c->source->source,
					.queue_depth = r->location->queue_depth,
					.keep = true,
				    });
}

/* The parts are there still, so nothing of what was copied is worth keeping. */
static void
give_up_concat(struct concat *c, enum outcome e)
{
	struct web_resume *r = c->resume;
	struct response answer = {0};

	resume_answer_failure(r, e, NULL, RESUME_UNKNOWN, &answer);
	upload_conclude(&r->upload, PARTIAL_REFUSED, (struct span){0});
	resume_end(r, outcome_word(e), false, &answer);
}

static void
concat_on_open_failed(void *owner, struct failure why)
{
	give_up_concat(owner, why.outcome);
}

static const struct get_events get_events = {
    .on_ready = concat_on_open,
    .on_failed = concat_on_open_failed,
};

static void
concat_next(struct web_resume *r, struct failure why)
{
	struct concat *c = r->feed_owner;
	struct failure failed;

	store_close(&c->source);
	if (failure_is(why)) {
		give_up_concat(c, why.outcome);
		return;
	}
	if (c->at == c->count) {
		if (upload_offset(&r->upload) == r->length)
			resume_part_ended(r, failure_none());
		else
			give_up_concat(c, OUTCOME_DISK_ERROR);
		return;
	}
	resume_on(r, RESUME_NEXT);
	failed = store_open_partial(context_store(r->context, r->location),
	    c->ids[c->at++], &get_events, c, &c->source);
	if (failure_is(failed))
		give_up_concat(c, failed.outcome);
}

static const struct resume_feed feed = {
    .next = concat_next,
    .free = concat_free,
};

/* ---- looking at them ---- */

static void look_at_next(struct concat *c);

/* NULL: it can be a part. */
static const char *
concat_fault(const struct concat *c, const struct partial *p)
{
	static const char unknown[] =
	    "one of the URLs in Upload-Concat is no upload of yours";
	struct resume_record other;

	if (!resume_record_decode(p->record, &other) ||
	    !resume_is_his(other.owner, c->resume->record.owner))
		return unknown;
	if (p->phase == PARTIAL_EXPIRED || p->phase == PARTIAL_REFUSED)
		return "one of the uploads in Upload-Concat is gone";
	if (!other.partial)
		return "one of the uploads in Upload-Concat was not begun "
		       "with Upload-Concat: partial";
	if (p->offset != p->length)
		return "one of the uploads in Upload-Concat is not finished";
	return NULL;
}

static void
concat_on_found(void *owner)
{
	struct concat *c = owner;
	const struct partial *p = c->looked_at->partial;
	const char *fault = concat_fault(c, p);

	if (fault == NULL && p->offset > INT64_MAX - c->sum)
		fault = "the parts are longer than any file can be";
	if (fault != NULL) {
		refuse_concat(c, fault);
		return;
	}
	c->sum += p->offset;
	takeover_end(&c->wait);
	store_abort(&c->looked_at);
	c->at++;
	look_at_next(c);
}

static void
concat_on_try(struct takeover_wait *w)
{
	struct concat *c = container_of(w, struct concat, wait);

	if (c->looked_at == NULL) /* it is not being tried already */
		look_at_next(c);  /* may free `c` */
}

/* A sweep has it for a moment, or the request that has brought its last bytes; who has it
 * for longer is not disturbed.  False: it was waited for. */
static bool
await_part(struct concat *c)
{
	const struct web_resume *r = c->resume;

	if (!list_is_linked(&c->wait.node)) {
		c->wait.on_try = concat_on_try;
		takeover_look(r->context->env.takeover, &c->wait, c->ids[c->at],
		    clock_mono_ns());
	} else if (takeover_is_over(&c->wait)) {
		return false;
	}
	store_abort(&c->looked_at);
	return true;
}

static void
concat_on_failed(void *owner, struct failure why, const char *reason)
{
	struct concat *c = owner;

	(void)reason;
	if (why.outcome == OUTCOME_HELD && await_part(c))
		return;
	if (why.outcome == OUTCOME_NO_UPLOAD)
		refuse_concat(
		    c, "one of the URLs in Upload-Concat is no upload here");
	else
		fail_concat(c, why.outcome);
}

static const struct put_events put_events = {
    .on_found = concat_on_found,
    .on_failed = concat_on_failed,
};

static void
look_at_next(struct concat *c)
{
	struct web_resume *r = c->resume;
	struct failure why;

	if (c->at == c->count) {
		if (r->size_max > 0 && c->sum > r->size_max) {
			fail_concat(c, OUTCOME_TOO_LARGE);
			return;
		}
		c->at = 0;
		r->length = r->ask.length = c->sum;
		resume_start(r);
		return;
	}
	why = store_resume(context_store(r->context, r->location),
	    c->ids[c->at], &put_events, c, &c->looked_at);
	if (failure_is(why))
		fail_concat(c, why.outcome);
}

/* The client has left, or the server stops. */
static enum outcome
concat_on_gone(void *owner)
{
	struct concat *c = owner;

	resume_release(c->resume, outcome_word(OUTCOME_STOPPED), false);
	return OUTCOME_STOPPED;
}

static const struct exchange_ops concat_ops = {
    .on_gone = concat_on_gone,
};

void
resume_concat_start(struct web_resume *r, struct span urls)
{
	struct span rest = urls, url, id;
	struct concat *c;
	size_t count = 0;

	while (resume_fields_next_url(&rest, &url))
		count++;
	c = calloc(1, sizeof(*c) + count * sizeof(c->ids[0]));
	if (c == NULL) {
		struct response answer = {0};

		resume_answer_failure(
		    r, OUTCOME_NO_MEMORY, NULL, RESUME_UNKNOWN, &answer);
		resume_end(r, "No memory", false, &answer);
		return;
	}
	c->resume = r;
	r->feed = &feed;
	r->feed_owner = c;
	exchange_take(r->exchange, &concat_ops, c);
	while (resume_fields_next_url(&urls, &url)) {
		id = resume_fields_id(url, r->location->prefix);
		if (id.s == NULL || !partial_is_id(id.s, id.len)) {
			refuse_concat(c,
			    "one of the URLs in Upload-Concat is no upload of "
			    "this location");
			return;
		}
		memcpy(c->ids[c->count++], id.s, id.len);
	}
	look_at_next(c);
}
