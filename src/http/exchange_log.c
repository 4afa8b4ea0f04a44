/*
 * The exchange's line in the access log, from its first byte to its end.
 */
#include "base/clock.h"
#include "conn_internal.h"

void
conn_begin_exchange(struct conn *c)
{
	if (c->exchange.began_ns == 0)
		c->exchange.began_ns = clock_mono_ns();
}

/* Bytes of further requests came along, and the connection is to close: who
 * sent them sees that, but nobody looked what they ask. */
static void
log_unread(struct conn *c)
{
	struct access rest = {.outcome = "unread"};
	const unsigned char *more;
	size_t len;

	if (!c->body.source.ended)
		return; /* what came is the body's, or nobody knows */
	body_leftover(&c->body, &more, &len);
	if (len > 0 || head_reader_has_bytes(&c->head_reader))
		access_add(c->group->access, &c->peer, &rest);
}

/* With method and target there is something to be recognised. */
static bool
is_request(const struct head *h)
{
	return h != NULL && h->method_text.len > 0 && h->target.len > 0;
}

void
conn_describe(
    struct conn *c, const struct head_reader_head *got, const struct head *h)
{
	if (c->group->access == NULL)
		return;
	if (is_request(h))
		access_describe(h, &c->exchange.asked);
	else
		access_describe_start(got->buf, got->len, &c->exchange.asked);
}

void
conn_end_exchange(struct conn *c)
{
	struct access *x = &c->exchange;
	uint64_t taken = c->response_writer.taken;

	if (x->began_ns == 0)
		return;
	if (c->group->access != NULL) {
		x->ended_ns = clock_mono_ns();
		x->in = c->body.payload;
		x->answered = x->status != 0 && taken > 0;
		x->out = x->answered && taken > c->head_len
			     ? taken - c->head_len
			     : 0;
		access_add(c->group->access, &c->peer, x);
		if (c->state != CONN_HEADING)
			log_unread(c);
	}
	x->began_ns = 0; /* it has its line */
}
