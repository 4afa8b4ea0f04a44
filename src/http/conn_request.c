/*
 * The request in hand, for who handles it, and its line in the access log.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "conn_internal.h"

enum {
	BUFFER_MAX = 64 * 1024, /* of a response, to be kept for the next one */
};

void
conn_measured(
    struct conn *c, const struct meter *m, bool hashed, const char *name)
{
	if (c->group->access != NULL)
		access_measured(&c->exchange, m, hashed, name);
}

/* ---- the body ---- */

int
conn_begin_body(
    struct conn *c, const struct head *h, const char *pre, size_t len)
{
	size_t taken = 0;
	int err = 0;

	if (h->chunked)
		err = body_init_chunked(&c->body, &c->transport, pre, len);
	else
		err = body_init_length(&c->body, &c->transport,
		    h->has_length ? h->content_length : 0, pre, len);
	if (err < 0)
		return err;
	taken = c->body.pre_taken;
	if (!h->chunked && (!h->has_length || h->content_length == 0))
		c->body.source.ended = true;
	c->waits_for_100 =
	    h->expect_continue && taken == 0 && !c->body.source.ended;
	return head_reader_hold(&c->head_reader, pre + taken, len - taken);
}

/* ---- answers ---- */

void
conn_glimpse(struct conn *c, const struct head_reader_head *got)
{
	struct head h = {
	    .method = METHOD_OTHER,
	    .origin = head_glimpse_origin(got->buf, got->len),
	};

	c->from_browser = head_is_from_browser(&h);
	conn_add_fields(c, &h);
}

void
conn_add_fields(struct conn *c, const struct head *h)
{
	static const struct head none = {.method = METHOD_OTHER};
	struct handler *handler = c->group->handler;

	if (c->fields.len == 0)
		handler->add_fields(handler, h ? h : &none, &c->fields);
}

/* An empty buffer, whose memory is used again for the next response. */
static struct str *
take_buffer(void)
{
	static struct str buffer;

	if (buffer.cap > BUFFER_MAX)
		str_fini(&buffer); /* an exception, not to be kept */
	str_clear(&buffer);
	return &buffer;
}

/* Write `r` as it goes out on this connection, and note that for the log. */
static void
format(struct conn *c, const struct response *r, struct str *out)
{
	size_t content = c->head_only || r->streamed ? 0 : r->content.len;

	c->exchange.status = r->status;
	c->exchange.outcome = r->outcome;
	c->keep = c->keep && !r->close && !c->group->stopping &&
		  c->body.source.ended &&
		  c->group->conf->keepalive_timeout_ms > 0 &&
		  c->requests < c->group->conf->keepalive_requests;
	response_format(r,
	    &(struct response_form){
		.keep_alive = c->keep,
		.head_only = c->head_only,
		.tokens = c->group->conf->server_tokens,
		.fields = &c->fields,
	    },
	    out);
	c->head_len = out->len > content ? out->len - content : out->len;
	if (str_failed(out)) { /* what there is of it goes out */
		c->exchange.cut = ACCESS_NO_MEMORY;
		c->keep = false;
	}
}

/* Send `r`, which `ev` says, and free what it holds.  May end `c`. */
static void
respond(struct conn *c, enum conn_event ev, struct response *r)
{
	struct str *bytes = take_buffer();

	format(c, r, bytes);
	response_fini(r);
	conn_on(c, ev);
	response_writer_send(&c->response_writer, bytes->s, bytes->len);
}

void
conn_answer(struct conn *c, struct response *r)
{
	check_magic(c, CONN_MAGIC);
	respond(c, CONN_ANSWERED, r);
}

struct sink *
conn_stream(struct conn *c, struct response *r)
{
	struct str *bytes = take_buffer();

	check_magic(c, CONN_MAGIC);
	format(c, r, bytes);
	response_fini(r);
	conn_on(c, CONN_STREAMS);
	response_writer_hold(&c->response_writer, bytes->s, bytes->len);
	return &c->response_writer.sink;
}

void
conn_streamed(struct conn *c, bool whole, const char *outcome)
{
	check_magic(c, CONN_MAGIC);
	c->exchange.outcome = outcome;
	if (!whole) {
		conn_on(c, conn_after_cut(c));
		return;
	}
	/* The content may have been empty: then the head is held still. */
	conn_on(c, CONN_ANSWERED);
	response_writer_finish(&c->response_writer);
}

void
conn_leave(struct conn *c, const char *outcome)
{
	check_magic(c, CONN_MAGIC);
	c->exchange.outcome = outcome;
	conn_on(c, CONN_LEFT);
}

/* ---- HEADING: without a handler ---- */

/* Nobody knows where the next head would begin. */
void
conn_refuse(struct conn *c, int status, const char *why, const char *outcome)
{
	struct response r = {.close = true, .outcome = outcome};

	conn_begin_exchange(c);
	conn_add_fields(c, NULL);
	response_problem(&r, status, "%s", why);
	c->body.source.ended = false; /* whatever follows: linger */
	respond(c, CONN_REFUSED, &r);
}

/* ---- what the handler asks ---- */

uint64_t
conn_id(const struct conn *c)
{
	return c->exchange.id;
}

bool
conn_is_on_loopback(const struct conn *c)
{
	return c->on_loopback;
}

bool
conn_is_unix(const struct conn *c)
{
	return c->peer.ss.ss_family == AF_UNIX;
}

struct source *
conn_body(struct conn *c)
{
	return &c->body.source;
}

uint64_t
conn_came_ns(struct conn *c)
{
	return transport_came_ns(&c->transport);
}

uint64_t
conn_would_come_ns(struct conn *c)
{
	return transport_would_come_ns(&c->transport);
}

void
conn_leave_note(struct conn *c, void *note)
{
	free(c->note);
	c->note = note;
	c->note_for = c->requests + 1;
}

void *
conn_take_note(struct conn *c)
{
	void *note = c->note;

	c->note = NULL;
	if (c->requests == c->note_for)
		return note;
	free(note);
	return NULL;
}

void
conn_limit_body(struct conn *c, uint64_t max)
{
	body_limit(&c->body, max);
}

uint64_t
conn_body_bytes(const struct conn *c)
{
	return c->body.payload;
}

const char *
conn_body_problem(const struct conn *c)
{
	return c->body.why;
}

void
conn_continue(struct conn *c)
{
	if (!c->waits_for_100)
		return;
	c->waits_for_100 = false;
	response_writer_interim(
	    &c->response_writer, "HTTP/1.1 100 Continue\r\n\r\n");
}

bool
conn_unstream(struct conn *c)
{
	return response_writer_take_back(&c->response_writer);
}
