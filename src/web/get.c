/*
 * A request to read that has passed its gate: one file, or a part of it, to the client.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/flow.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "get_internal.h"

#define GET_MAGIC 0x67657421U

enum {
	WRITE_DEPTH = 1, /* a socket takes one chunk at a time */
	/* With one chunk being sent, one ready and one being read a download is as
	 * fast as with more, and a slow client holds little memory. */
	QUEUE_DEPTH = 2,
	FIELDS_LEN = 192,   /* of a file whose name the client knows */
	MEMORY_RETRY_S = 1, /* Retry-After when memory is short */
};

struct web_get {
	unsigned magic;
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	struct outgoing *outgoing;
	/* What sends the content: a flow from the store, if it `flows`; or the
	 * exchange by itself, when the store has a descriptor. */
	union {
		struct flow flow;
		struct response_file file;
	};
	bool flows;
	bool head_only;
	bool newest; /* asked for by the location's name only */
};

/* Free all that the download has. */
static void
get_release(struct web_get *g)
{
	if (g->flows)
		flow_stop(&g->flow);
	store_close(&g->outgoing);
	g->magic = 0;
	free(g);
}

static enum outcome
get_on_gone(void *owner)
{
	struct web_get *g = owner;

	check_magic(g, GET_MAGIC);
	get_release(g);
	return OUTCOME_STOPPED;
}

static const struct exchange_ops get_ops = {
    .on_gone = get_on_gone,
};

static void
note_failure(const struct web_get *g, const char *name, struct failure why)
{
	context_note_failure(g->context, g->location, "download",
	    exchange_id(g->exchange), name, why);
}

static void
answer_outcome(struct web_get *g, const char *name, enum outcome e)
{
	struct exchange *x = g->exchange;
	struct response r = {0};

	answer_problem(e,
	    &(struct answer_context){
		.prefix = g->location->prefix, .name = name},
	    &r);
	get_release(g);
	exchange_respond(x, &r);
}

static void
answer_failure(struct web_get *g, const char *name, struct failure why)
{
	note_failure(g, name, why);
	answer_outcome(g, name, why.outcome);
}

/* The newest has a name of its own, which the client may want to know. */
static void
add_location(const struct web_get *g, struct response *r)
{
	if (!g->newest)
		return;
	str_puts(&r->fields, "Content-Location: ");
	names_add_path(g->location->prefix, g->outgoing->name, &r->fields);
	str_puts(&r->fields, "\r\n");
}

/* An answer without the file: 304, 412, 416, or 400. */
static void
answer_short(struct web_get *g, const struct object_info *info, int status,
    const char *why)
{
	struct exchange *x = g->exchange;
	struct response r = {0};

	if (status == 304)
		r.status = status;
	else
		response_problem(&r, status, "%s", why);
	conditions_add_validators(info, &r.fields);
	if (status == 416)
		str_printf(&r.fields, "Content-Range: bytes */%" PRIu64 "\r\n",
		    info->size);
	r.outcome = OUTCOME_CONDITIONAL;
	get_release(g);
	exchange_respond(x, &r);
}

static void
get_on_read_all(void *owner)
{
	(void)owner;
}

static void
get_on_drained(void *owner)
{
	struct web_get *g = owner;
	struct exchange *x = g->exchange;

	check_magic(g, GET_MAGIC);
	get_release(g);
	exchange_streamed(x, true, OUTCOME_SENT);
}

static void
end_cut(struct web_get *g, enum outcome e)
{
	struct exchange *x = g->exchange;

	get_release(g);
	exchange_streamed(x, false, e);
}

static void
get_on_read_failed(void *owner, struct failure why)
{
	struct web_get *g = owner;

	check_magic(g, GET_MAGIC);
	if (exchange_unstream(g->exchange)) {
		answer_failure(g, g->outgoing->name, why);
		return;
	}
	/* Whatever it was, content that was begun is cut off. */
	why.outcome = OUTCOME_DISK_ERROR;
	note_failure(g, g->outgoing->name, why);
	end_cut(g, why.outcome);
}

/* Content that was begun is cut off: the client does not take it, or it is the server's
 * fault, which is logged. */
static void
get_on_sending_failed(void *owner, struct failure why)
{
	struct web_get *g = owner;

	check_magic(g, GET_MAGIC);
	note_failure(g, g->outgoing->name, why);
	end_cut(g, why.outcome);
}

/* ---- the answer ---- */

/* The store's file is in memory: no chunk is needed, and none is held for a client that
 * takes it slowly. */
static void
send_file(struct web_get *g, struct response *r)
{
	struct outgoing *out = g->outgoing;

	g->file = (struct response_file){
	    .fd = out->fd,
	    .offset = out->offset,
	    .end = out->end,
	    .owner = g,
	    .on_sent = get_on_drained,
	    .on_failed = get_on_sending_failed,
	};
	exchange_send_file(g->exchange, r, &g->file); /* may end `g` */
}

static void
send_by_flow(struct web_get *g, struct response *r)
{
	struct outgoing *out = g->outgoing;

	g->flows = true;
	flow_init(&g->flow);
	flow_start(&g->flow, &(struct flow_setup){
				 .loop = g->context->env.loop,
				 .pool = g->context->env.pool,
				 .account = out->account,
				 .source = &out->source,
				 .sink = exchange_stream(g->exchange, r),
				 .queue_depth = QUEUE_DEPTH,
				 .write_depth = WRITE_DEPTH,
				 .owner = g,
				 .on_read_all = get_on_read_all,
				 .on_drained = get_on_drained,
				 .on_read_failed = get_on_read_failed,
				 .on_write_failed = get_on_sending_failed,
			     });
}

/* 200 or 206 and what is in `range`. */
static void
answer_file(struct web_get *g, const struct object_info *info, int status,
    const struct conditions_range *range)
{
	struct outgoing *out = g->outgoing;
	struct exchange *x = g->exchange;
	struct response r = {.status = status, .streamed = true};

	r.content_type = "application/octet-stream";
	r.stream_length = range->len;
	(void)str_reserve(&r.fields, FIELDS_LEN); /* at once */
	str_puts(&r.fields, store_can(out->store, STORE_CAN_RANGE)
				? "Accept-Ranges: bytes\r\n"
				: "Accept-Ranges: none\r\n");
	str_puts(&r.fields, "X-Content-Type-Options: nosniff\r\n");
	conditions_add_validators(info, &r.fields);
	add_location(g, &r);
	if (status == 206)
		str_printf(&r.fields,
		    "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		    "\r\n",
		    range->first, range->first + range->len - 1, info->size);
	if (g->head_only || range->len == 0) {
		r.outcome = OUTCOME_SENT;
		get_release(g);
		exchange_respond(x, &r);
		return;
	}
	out->offset = range->first;
	out->end = range->first + range->len;
	if (out->fd != -1 && exchange_sends_files(x))
		send_file(g, &r);
	else
		send_by_flow(g, &r);
}

static void
on_open_failed(void *owner, struct failure why)
{
	struct web_get *g = owner;

	check_magic(g, GET_MAGIC);
	answer_failure(g, g->outgoing->name, why);
}

static void
on_open(void *owner, const struct object_info *info)
{
	struct web_get *g = owner;
	struct conditions_range range;
	const char *why = "";
	int status;

	check_magic(g, GET_MAGIC);
	status =
	    conditions_read(exchange_head(g->exchange), info, &range, &why);
	exchange_drop_head(g->exchange); /* a client may read for hours */
	/* A store that cannot read a part answers as if there were no Range. */
	if ((status == 206 || status == 416) &&
	    !store_can(g->outgoing->store, STORE_CAN_RANGE)) {
		status = 200;
		range = (struct conditions_range){0, info->size};
	}
	if (status == 200 || status == 206)
		answer_file(g, info, status, &range);
	else
		answer_short(g, info, status, why);
}

static const struct get_events get_events = {
    .on_ready = on_open,
    .on_failed = on_open_failed,
};

static struct web_get *
get_new(const struct get_order *o)
{
	struct exchange *x = o->exchange;
	struct web_get *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->magic = GET_MAGIC;
	g->context = o->context;
	g->exchange = x;
	g->location = o->location;
	g->head_only = exchange_head(x)->method == METHOD_HEAD;
	g->newest = o->name == NULL;
	return g;
}

static void
refuse_for_memory(struct exchange *x)
{
	struct response r = {.outcome = OUTCOME_REFUSED};

	response_problem(&r, 503, "out of memory: try again later");
	response_retry_after(&r, MEMORY_RETRY_S);
	exchange_respond(x, &r);
}

void
get_start(const struct get_order *o)
{
	struct web_get *g = get_new(o);
	struct failure failed;

	if (g == NULL) {
		refuse_for_memory(o->exchange);
		return;
	}
	if (o->slash) {
		answer_outcome(g, o->name, OUTCOME_SLASH);
		return;
	}
	exchange_take(o->exchange, &get_ops, g);
	failed = store_open(context_store(o->context, g->location), o->name,
	    &get_events, g, &g->outgoing);
	if (failure_is(failed))
		answer_failure(g, g->newest ? "the newest" : o->name, failed);
}
