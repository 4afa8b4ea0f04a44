/*
 * The exchange's record, for the access log and others that are told of its end.
 */
#include "base/clock.h"
#include "http/observer.h"
#include "conn_internal.h"

/* Does anybody want to know what was asked for, and when? */
static bool
is_log_read(const struct observer *o)
{
	while (o != NULL && !o->reads_log)
		o = o->next;
	return o != NULL;
}

void
exchange_log_begin(struct exchange *x)
{
	if (x->record.began_ns != 0)
		return;
	/* Where nobody reads it, it only matters that it has begun. */
	x->record.began_ns =
	    is_log_read(conn_of(x)->group->observers) ? clock_mono_ns() : 1;
}

static void
tell(struct conn *c, const struct access *record)
{
	const struct exchange_ended e = {.record = record,
	    .peer = &c->peer,
	    .certificate = tls_client_name(&c->transport),
	    .tls = tls_version(&c->transport),
	    .server = c->group->conf};
	struct observer *o;

	for (o = c->group->observers; o != NULL; o = o->next)
		o->on_ended(o, &e);
}

/* Bytes of further requests came along, and the connection is to close: the
 * client sees that, but what they ask was never looked at. */
static void
log_unread(struct conn *c)
{
	struct access rest = {.outcome = OUTCOME_UNREAD};
	const struct body *b = &c->exchange->body;
	const unsigned char *more;
	size_t len;

	if (!b->source.ended)
		return; /* what came is the body's, or cannot be told from it */
	body_leftover(b, &more, &len);
	if (len > 0 || head_reader_has_bytes(&c->head_reader))
		tell(c, &rest);
}

/* With method and target there is something to be recognised. */
static bool
is_request(const struct head *h)
{
	return h != NULL && h->method_text.len > 0 && h->target.len > 0;
}

void
exchange_log_describe(struct exchange *x, const struct head_reader_head *got,
    const struct head *h)
{
	if (!is_log_read(conn_of(x)->group->observers))
		return;
	if (conn_of(x)->group->detailed && h != NULL && x->record.more == NULL)
		access_note_more(&x->record, h);
	if (is_request(h))
		access_note_head(&x->record, h);
	else
		access_note_start(&x->record, got->buf, got->len);
}

void
exchange_log_end(struct exchange *x)
{
	struct conn *c = conn_of(x);
	struct access *a = &x->record;
	uint64_t taken = c->response_writer.taken;
	uint64_t beside = x->head_len + c->response_writer.framing;

	if (a->began_ns == 0)
		return;
	if (c->group->observers != NULL) {
		if (is_log_read(c->group->observers))
			a->ended_ns = clock_mono_ns();
		a->in = x->body.payload;
		a->answered = a->status != 0 && taken > 0;
		a->out = a->answered && taken > beside ? taken - beside : 0;
		tell(c, a);
		if (c->state != CONN_HEADING)
			log_unread(c);
	}
	a->began_ns = 0; /* it has its line */
}
