#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "http/answer.h"
#include "http/real_ip.h"
#include "conn_internal.h"

#define WATCH_S 0.25 /* between two looks at a client that is not read from */

enum {
	BUFFER_MAX = 64 * 1024, /* of a response, to be kept for the next one */
};

/* ---- in hand ---- */

void
exchange_take(struct exchange *x, const struct exchange_ops *ops, void *owner)
{
	check(conn_of(x)->state == CONN_WORKING);
	x->ops = ops;
	x->owner = owner;
}

/* on_request() has returned, and the head will be wanted: copy it. */
static void
keep_head(struct exchange *x, const char *text, size_t len)
{
	x->head = head_copy(x->head, text, len);
	x->head_kept = x->head != NULL;
	if (x->head_kept)
		return;
	(void)x->ops->on_gone(x->owner);
	if (conn_of(x)->state == CONN_STREAMING)
		(void)exchange_unstream(x); /* its head is held still */
	exchange_fail(x, OUTCOME_NO_MEMORY);
}

void
exchange_hand_over(
    struct exchange *x, struct head *h, const char *text, size_t len)
{
	struct connections *g = conn_of(x)->group;

	x->head = h;
	x->old = h->minor == 0;
	g->asking = x;
	conn_on(conn_of(x), CONN_ASKED);
	g->handler->on_request(g->handler, x);
	if (g->asking == NULL)
		return; /* it is answered, and `x` may be gone */
	g->asking = NULL;
	check(x->ops != NULL);
	if (x->head != NULL)
		keep_head(x, text, len);
}

void
exchange_watch(struct exchange *x)
{
	check(conn_of(x)->state == CONN_WORKING && x->ops != NULL);
	deadline_set(&conn_of(x)->patience, WATCH_S);
}

void
exchange_unwatch(struct exchange *x)
{
	deadline_clear(&conn_of(x)->patience);
}

/* All of the body is here, of which at most `unread` bytes were not received yet; or
 * it may be, and reading alone would tell. */
static bool
may_be_whole(const struct exchange *x, size_t unread)
{
	const struct body *b = &x->body;
	uint64_t held = b->held_len - b->held_at;

	if (b->source.ended)
		return true;
	if (b->chunked)
		return held + unread > 0;
	return held >= b->owed || unread >= b->owed - held;
}

void
exchange_look(struct exchange *x)
{
	struct conn *c = conn_of(x);
	size_t unread;
	enum fd_peer peer = transport_peer(&c->transport, &unread);

	if (peer == FD_PEER_THERE ||
	    (peer == FD_PEER_SHUT && may_be_whole(x, unread))) {
		exchange_watch(x);
		return;
	}
	(void)x->ops->on_gone(x->owner);
	x->record.outcome = OUTCOME_CLIENT_GONE;
	conn_on(c, CONN_LEFT);
}

void
exchange_drop(struct exchange *x)
{
	x->record.outcome = x->ops->on_gone(x->owner);
	conn_on(conn_of(x), CONN_LEFT);
}

bool
exchange_stop(struct exchange *x)
{
	if (x->ops->on_stop != NULL)
		return x->ops->on_stop(x->owner);
	(void)x->ops->on_gone(x->owner);
	return true;
}

/* ---- the request ---- */

const struct head *
exchange_head(const struct exchange *x)
{
	check(x->head != NULL);
	return x->head;
}

void
exchange_drop_head(struct exchange *x)
{
	if (x->head_kept)
		free(x->head);
	x->head_kept = false;
	x->head = NULL;
}

uint64_t
exchange_id(const struct exchange *x)
{
	return x->record.id;
}

bool
exchange_is_on_loopback(const struct exchange *x)
{
	return conn_of(x)->on_loopback;
}

bool
exchange_is_unix(const struct exchange *x)
{
	return conn_of(x)->peer.ss.ss_family == AF_UNIX;
}

const char *
exchange_client_name(const struct exchange *x)
{
	return tls_client_name(&conn_of(x)->transport);
}

const struct addr *
exchange_client(const struct exchange *x)
{
	return access_client(&x->record, &conn_of(x)->peer);
}

bool
exchange_note_user(struct exchange *x, const char *name)
{
	return access_note_user(&x->record, name);
}

const char *
exchange_user(const struct exchange *x)
{
	return access_user(&x->record);
}

int
exchange_begin_body(
    struct exchange *x, const struct head *h, const char *pre, size_t len)
{
	struct conn *c = conn_of(x);
	struct body *b = &x->body;
	int err;

	if (h->chunked)
		err = body_init_chunked(b, &c->transport, pre, len);
	else
		err = body_init_length(b, &c->transport,
		    h->has_length ? h->content_length : 0, pre, len);
	if (err < 0)
		return err;
	if (!h->chunked && (!h->has_length || h->content_length == 0))
		b->source.ended = true;
	x->waits_for_100 =
	    h->expect_continue && b->pre_taken == 0 && !b->source.ended;
	return head_reader_hold(
	    &c->head_reader, pre + b->pre_taken, len - b->pre_taken);
}

struct source *
exchange_body(struct exchange *x)
{
	return &x->body.source;
}

void
exchange_limit_body(struct exchange *x, uint64_t max)
{
	body_limit(&x->body, max);
}

uint64_t
exchange_body_max(const struct exchange *x)
{
	return x->body.limit == UINT64_MAX ? 0 : x->body.limit;
}

void
exchange_want_trailer(struct exchange *x, struct body_trailer *t)
{
	body_want_trailer(&x->body, t);
}

bool
exchange_is_proxied(const struct exchange *x)
{
	const struct conn *c = conn_of(x);

	return real_ip_is_proxy(c->group->conf, &c->peer);
}

bool
exchange_is_tls(const struct exchange *x)
{
	return tls_is(&conn_of(x)->transport);
}

uint64_t
exchange_body_bytes(const struct exchange *x)
{
	return x->body.payload;
}

uint64_t
exchange_body_received(const struct exchange *x)
{
	return x->body.received;
}

const char *
exchange_body_problem(const struct exchange *x)
{
	return x->body.why;
}

uint64_t
exchange_came_ns(struct exchange *x)
{
	return transport_came_ns(&conn_of(x)->transport);
}

uint64_t
exchange_would_come_ns(struct exchange *x)
{
	return transport_would_come_ns(&conn_of(x)->transport);
}

void
exchange_leave_note(struct exchange *x, void *note)
{
	struct conn *c = conn_of(x);

	free(c->note);
	c->note = note;
	c->note_for = c->requests + 1;
}

void *
exchange_take_note(struct exchange *x)
{
	struct conn *c = conn_of(x);
	void *note = c->note;

	c->note = NULL;
	if (c->requests == c->note_for)
		return note;
	free(note);
	return NULL;
}

/* ---- lines that go with any response ---- */

void
exchange_add_fields(struct exchange *x, const struct head *h)
{
	static const struct head none = {.method = METHOD_OTHER};
	struct handler *handler = conn_of(x)->group->handler;

	if (x->fields.len == 0)
		handler->add_fields(handler, h ? h : &none, &x->fields);
	if (handler->is_literal != NULL && h != NULL)
		x->literal = handler->is_literal(handler, h);
}

void
exchange_glimpse(struct exchange *x, const struct head_reader_head *got)
{
	struct head h = {
	    .method = METHOD_OTHER,
	    .origin = head_glimpse_origin(got->buf, got->len),
	};

	x->from_browser = head_is_from_browser(&h);
	exchange_add_fields(x, &h);
}

/* ---- the response ---- */

void
exchange_measured(
    struct exchange *x, const struct meter *m, bool hashed, const char *name)
{
	if (conn_of(x)->group->observers != NULL)
		access_measured(&x->record, m, hashed, name);
}

void
exchange_note_stored(
    struct exchange *x, const char *durability, const struct digest *digest)
{
	access_note_stored(&x->record, durability, digest);
}

void
exchange_note_taken_back(struct exchange *x, const char *left)
{
	access_taken_back(&x->record, left);
}

void
exchange_note_location(struct exchange *x, const struct conf_location *l)
{
	enum head_method method = exchange_head(x)->method;

	x->record.location = l;
	x->record.stores =
	    l != NULL && (method == METHOD_PUT || method == METHOD_POST ||
			     method == METHOD_PATCH);
}

void
exchange_keep_quiet(struct exchange *x)
{
	x->record.quiet = true;
}

void
exchange_continue(struct exchange *x)
{
	if (!x->waits_for_100)
		return;
	x->waits_for_100 = false;
	response_writer_interim(
	    &conn_of(x)->response_writer, "HTTP/1.1 100 Continue\r\n\r\n");
}

bool
exchange_interim(struct exchange *x, int status, const char *fields)
{
	struct str text = {0};
	bool sent;

	if (x->old)
		return false;
	str_printf(&text, "HTTP/1.1 %d %s\r\n%s\r\n", status,
	    response_reason(status), fields);
	sent = !str_failed(&text);
	if (sent)
		response_writer_interim(&conn_of(x)->response_writer, text.s);
	str_fini(&text);
	return sent;
}

void
exchange_note_part(
    struct exchange *x, uint64_t from, uint64_t to, uint64_t length)
{
	access_note_part(&x->record, from, to, length);
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

/* May the client send another request? */
static bool
may_keep(const struct exchange *x, const struct response *r)
{
	const struct conn *c = conn_of(x);
	const struct conf_server *conf = c->group->conf;

	if (r->streamed && r->stream_length == RESPONSE_LENGTH_UNKNOWN &&
	    x->old && !x->head_only)
		return false; /* the end of the connection is its end */
	return x->keep && !r->close && !c->group->stopping &&
	       x->body.source.ended && conf->keepalive_timeout_s > 0 &&
	       c->requests < conf->keepalive_requests;
}

static struct response_form
form_of(const struct exchange *x)
{
	return (struct response_form){
	    .keep_alive = x->keep,
	    .head_only = x->head_only,
	    .old = x->old,
	    .tokens = conn_of(x)->group->conf->server_tokens,
	    .fields = &x->fields,
	};
}

/* Write `r` as it goes out on this connection, note that for the log, and free
 * what it holds. */
static void
format(struct exchange *x, struct response *r, struct str *out)
{
	size_t content = x->head_only || r->streamed ? 0 : r->content.len;
	struct response_form form;

	if (x->literal && (r->status >= 500 || r->status == 429))
		r->status = 423;
	x->record.status = r->status;
	x->record.outcome = r->outcome;
	x->keep = may_keep(x, r);
	form = form_of(x);
	response_format(r, &form, out);
	x->head_len =
	    (uint32_t)(out->len > content ? out->len - content : out->len);
	if (str_failed(out)) { /* what there is of it goes out */
		x->record.cut = ACCESS_NO_MEMORY;
		x->keep = false;
	}
	response_fini(r);
}

/* Send `r`, of which `ev` tells the connection.  May free `x`. */
static void
respond(struct exchange *x, enum conn_event ev, struct response *r)
{
	struct conn *c = conn_of(x);
	struct str *bytes = take_buffer();

	format(x, r, bytes);
	conn_on(c, ev);
	response_writer_send(&c->response_writer, bytes->s, bytes->len);
}

void
exchange_respond(struct exchange *x, struct response *r)
{
	respond(x, CONN_ANSWERED, r);
}

void
exchange_refuse(
    struct exchange *x, int status, const char *why, enum outcome outcome)
{
	struct response r = {.outcome = outcome};

	response_problem(&r, status, "%s", why);
	respond(x, CONN_ANSWERED, &r);
}

void
exchange_fail(struct exchange *x, enum outcome e)
{
	struct response r = {0};

	answer_problem(e, &(struct answer_context){0}, &r);
	respond(x, CONN_ANSWERED, &r);
}

/* Where the next head would begin cannot be known. */
void
exchange_refuse_head(struct exchange *x, struct response *r)
{
	r->close = true;
	exchange_log_begin(x);
	exchange_add_fields(x, NULL);
	x->body.source.ended = false; /* whatever follows: linger */
	respond(x, CONN_REFUSED, r);
}

struct sink *
exchange_stream(struct exchange *x, struct response *r)
{
	struct conn *c = conn_of(x);
	struct str *bytes = take_buffer();
	struct response_form form = form_of(x);
	bool chunked = response_is_chunked(r, &form);

	format(x, r, bytes);
	conn_on(c, CONN_STREAMS);
	response_writer_hold(&c->response_writer, bytes->s, bytes->len);
	if (chunked)
		response_writer_frame(&c->response_writer);
	return &c->response_writer.sink;
}

bool
exchange_sends_files(const struct exchange *x)
{
	return transport_sends_files(&conn_of(x)->transport);
}

void
exchange_send_file(
    struct exchange *x, struct response *r, struct response_file *f)
{
	struct conn *c = conn_of(x);
	struct str *bytes = take_buffer();

	check(x->head == NULL);
	format(x, r, bytes);
	conn_on(c, CONN_STREAMS);
	if (str_failed(bytes)) /* the content would be taken for its end */
		f->on_failed(f->owner, failure_of(OUTCOME_NO_MEMORY, -ENOMEM));
	else
		response_writer_send_file(
		    &c->response_writer, bytes->s, bytes->len, f);
}

bool
exchange_unstream(struct exchange *x)
{
	return response_writer_take_back(&conn_of(x)->response_writer);
}

void
exchange_streamed(struct exchange *x, bool whole, enum outcome outcome)
{
	struct conn *c = conn_of(x);

	x->record.outcome = outcome;
	if (!whole) {
		conn_on(c, conn_after_cut(c));
		return;
	}
	/* The content may have been empty: then the head is held still. */
	conn_on(c, CONN_ANSWERED);
	response_writer_finish(&c->response_writer);
}

void
exchange_leave(struct exchange *x, enum outcome outcome)
{
	x->record.outcome = outcome;
	conn_on(conn_of(x), CONN_LEFT);
}
