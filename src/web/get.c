#include "web/get.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/flow.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "web/outcome.h"

#define DOWNLOAD_MAGIC 0x646f776eU

enum {
	WRITE_DEPTH = 1, /* a socket takes one chunk at a time */
	/* With one chunk being sent, one ready and one being read a download is as
	 * fast as with more, and a slow client holds little memory. */
	QUEUE_DEPTH = 2,
};

struct download {
	unsigned magic;
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	struct outgoing *outgoing;
	struct flow flow; /* runs once the content is being streamed */
	bool head_only;
	bool newest; /* asked for by the location's name only */
};

/* Free all that the download has. */
static void
download_release(struct download *d)
{
	flow_stop(&d->flow);
	store_close(&d->outgoing);
	d->magic = 0;
	free(d);
}

static const char *
download_on_gone(void *owner)
{
	struct download *d = owner;

	check_magic(d, DOWNLOAD_MAGIC);
	download_release(d);
	return outcome_word(OUTCOME_STOPPED);
}

static const struct exchange_ops download_ops = {
    .on_gone = download_on_gone,
};

static void
note_failure(
    const struct download *d, const char *name, enum outcome e, int err)
{
	context_note_failure(d->context, d->location, "download",
	    exchange_id(d->exchange), name, e, err);
}

static void
answer_outcome(struct download *d, const char *name, enum outcome e)
{
	struct exchange *x = d->exchange;
	struct response r = {0};

	outcome_respond(e,
	    &(struct outcome_context){
		.prefix = d->location->prefix, .name = name},
	    &r);
	r.outcome = outcome_word(e);
	download_release(d);
	exchange_respond(x, &r);
}

static void
answer_error(struct download *d, const char *name, int err)
{
	enum outcome e = outcome_of_store_error(err);

	/* For a read these only mean that there is no such file. */
	if (err == -ENOTDIR || err == -ENAMETOOLONG)
		e = OUTCOME_NOT_FOUND;
	if (err == -EISDIR)
		e = OUTCOME_NO_LISTING;
	note_failure(d, name, e, err);
	answer_outcome(d, name, e);
}

/* The newest has a name of its own, which the client may want to know. */
static void
add_location(const struct download *d, struct response *r)
{
	if (!d->newest)
		return;
	str_puts(&r->fields, "Content-Location: ");
	if (strcmp(d->location->prefix, "/") != 0)
		str_puts(&r->fields, d->location->prefix);
	str_puts(&r->fields, "/");
	names_encode(d->outgoing->name, &r->fields);
	str_puts(&r->fields, "\r\n");
}

/* An answer without the file: 304, 412, 416, or 400. */
static void
answer_short(struct download *d, int status, const char *why)
{
	struct exchange *x = d->exchange;
	struct response r = {0};

	if (status == 304)
		r.status = status;
	else
		response_problem(&r, status, "%s", why);
	conditions_add_validators(&d->outgoing->version, &r.fields);
	if (status == 416)
		str_printf(&r.fields, "Content-Range: bytes */%" PRIu64 "\r\n",
		    d->outgoing->version.size);
	r.outcome = "conditional";
	download_release(d);
	exchange_respond(x, &r);
}

static void
download_on_read_all(void *owner)
{
	(void)owner;
}

static void
download_on_drained(void *owner)
{
	struct download *d = owner;
	struct exchange *x = d->exchange;

	check_magic(d, DOWNLOAD_MAGIC);
	download_release(d);
	exchange_streamed(x, true, outcome_word(OUTCOME_SENT));
}

static void
end_cut(struct download *d, enum outcome e)
{
	struct exchange *x = d->exchange;

	download_release(d);
	exchange_streamed(x, false, outcome_word(e));
}

static void
download_on_read_failed(void *owner, int err)
{
	struct download *d = owner;

	check_magic(d, DOWNLOAD_MAGIC);
	if (exchange_unstream(d->exchange)) {
		answer_error(d, d->outgoing->name, err == -ENOENT ? -EIO : err);
		return;
	}
	note_failure(d, d->outgoing->name, OUTCOME_DISK_ERROR, err);
	end_cut(d, OUTCOME_DISK_ERROR);
}

/* The client does not take it. */
static void
download_on_write_failed(void *owner, int err)
{
	struct download *d = owner;

	check_magic(d, DOWNLOAD_MAGIC);
	end_cut(d, err == -ETIMEDOUT ? OUTCOME_NOT_TAKEN : OUTCOME_CLIENT_GONE);
}

/* 200 or 206 and what is in `range`. */
static void
answer_file(
    struct download *d, int status, const struct conditions_range *range)
{
	struct outgoing *out = d->outgoing;
	struct exchange *x = d->exchange;
	struct response r = {.status = status, .streamed = true};

	r.content_type = "application/octet-stream";
	r.stream_length = range->len;
	str_puts(&r.fields, "Accept-Ranges: bytes\r\n"
			    "X-Content-Type-Options: nosniff\r\n");
	conditions_add_validators(&d->outgoing->version, &r.fields);
	add_location(d, &r);
	if (status == 206)
		str_printf(&r.fields,
		    "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		    "\r\n",
		    range->first, range->first + range->len - 1,
		    out->version.size);
	if (d->head_only || range->len == 0) {
		r.outcome = outcome_word(OUTCOME_SENT);
		download_release(d);
		exchange_respond(x, &r);
		return;
	}
	out->offset = range->first;
	out->end = range->first + range->len;
	if (flow_start(
		&d->flow, &(struct flow_setup){
			      .loop = d->context->loop,
			      .pool = d->context->pool,
			      .account = out->account,
			      .source = &out->source,
			      .sink = exchange_stream(x, &r),
			      .queue_depth = QUEUE_DEPTH,
			      .write_depth = WRITE_DEPTH,
			      .owner = d,
			      .on_read_all = download_on_read_all,
			      .on_drained = download_on_drained,
			      .on_read_failed = download_on_read_failed,
			      .on_write_failed = download_on_write_failed,
			  }) < 0)
		download_on_read_failed(d, -ENOMEM);
}

static void
on_open_failed(void *owner, int err)
{
	struct download *d = owner;

	check_magic(d, DOWNLOAD_MAGIC);
	answer_error(d, d->outgoing->name, err);
}

static void
on_open(void *owner)
{
	struct download *d = owner;
	struct conditions_range range;
	const char *why = "";
	int status;

	check_magic(d, DOWNLOAD_MAGIC);
	status = conditions_read(
	    exchange_head(d->exchange), &d->outgoing->version, &range, &why);
	if (status == 200 || status == 206)
		answer_file(d, status, &range);
	else
		answer_short(d, status, why);
}

static const struct get_events get_events = {
    .on_ready = on_open,
    .on_failed = on_open_failed,
};

static struct download *
download_new(struct context *c, struct exchange *x, const struct route *route)
{
	struct download *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->magic = DOWNLOAD_MAGIC;
	d->context = c;
	d->exchange = x;
	d->location = route->location;
	d->head_only = exchange_head(x)->method == METHOD_HEAD;
	d->newest = route->kind == ROUTE_READ_NEWEST;
	flow_init(&d->flow);
	return d;
}

/* Whether a name ends in one slash, as a directory's does. */
static bool
ends_in_slash(struct span name)
{
	return name.len >= 2 && name.s[name.len - 1] == '/' &&
	       name.s[name.len - 2] != '/';
}

void
download_begin(struct context *c, struct exchange *x, const struct route *route)
{
	char name[FILE_NAME_SIZE];
	const char *why = "out of memory: try again later";
	struct download *d = NULL;
	bool slash = ends_in_slash(route->name);
	int status = 0, err;

	if (route->kind == ROUTE_READ_NAMED)
		status = names_decode(route->name.s, route->name.len - slash,
		    route->location->policy.dotfiles, name, &why);
	if (status == 0) {
		d = download_new(c, x, route);
		status = d ? 0 : 503;
	}
	if (status != 0) {
		exchange_refuse(x, status, why, "refused");
		return;
	}
	if (slash) {
		answer_outcome(d, name, OUTCOME_SLASH);
		return;
	}
	exchange_take(x, &download_ops, d);
	err = store_open(context_store(c, d->location), d->newest ? NULL : name,
	    &get_events, d, &d->outgoing);
	if (err < 0)
		answer_error(d, d->newest ? "the newest" : name, err);
}
