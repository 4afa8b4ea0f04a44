#include "base/fd.h"
#include "base/log.h"
#include "http/answer.h"
#include "conn_internal.h"

void
connections_open(struct connections *g, int fd, const struct addr *peer,
    const struct connections_door *door)
{
	static struct log_limit limit;
	limits_entry place;
	enum admission_answer a = conn_admit(g, peer, &place);

	if (a == ADMISSION_CLOSED) {
		fd_close(&fd);
	} else if (conn_begin(
		       g, fd, peer, place, a == ADMISSION_REJECTED, door) < 0) {
		admission_leave(&g->admission, &place);
		fd_close(&fd);
		if (log_allowed(&limit))
			log_error("no memory for a connection: it is closed");
	}
}

void
connections_init(struct connections *g)
{
	list_init(&g->conns);
	list_init(&g->proxied);
	turns_init(&g->turns, g->loop, false, conn_take_turn);
	turns_init(&g->handshakes, g->loop, true, conn_shake_hands);
	g->admission.conf = g->conf;
}

/* The server stops: do not stay idle for long. */
static void
shorten_idle(struct conn *c)
{
	/* It was told that it may ask again, and may be doing so just now: it
	 * is answered, and told to close. */
	if ((c->state == CONN_HEADING &&
		!head_reader_has_bytes(&c->head_reader)) ||
	    (c->state == CONN_HANDSHAKING && !tls_has_begun(&c->transport) &&
		!list_is_linked(&c->turn)))
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
}

/* Close it now, whatever it does. */
static void
drop(struct conn *c)
{
	if (c->state == CONN_WORKING || c->state == CONN_STREAMING) {
		exchange_drop(c->exchange);
	} else if (c->state == CONN_HEADING) {
		conn_leave_heading(c, OUTCOME_STOPPED);
	} else {
		if (c->state == CONN_ANSWERING)
			c->exchange->record.cut = ACCESS_STOPPED;
		conn_on(c, CONN_LEFT);
	}
}

/* HEADING: a request, or part of one, is here. */
static bool
is_asking(const struct conn *c)
{
	return c->state == CONN_HEADING &&
	       (conn_has_begun(c) || transport_has_bytes(&c->transport));
}

/* Its client is to see an answer, or the end, and no reset.  Who asks with HEAD, for an
 * upload perhaps (handler.is_literal), is to ask again: that is the end. */
static void
cut(struct conn *c)
{
	static const struct answer_context none = {0};
	struct response r = {.close = true};
	bool is_head;

	if (is_asking(c) && conn_begin_exchange(c)) {
		is_head = conn_seems_head(c);
		list_remove(&c->turn);
		if (is_head) {
			exchange_log_begin(c->exchange);
			conn_leave_heading(c, OUTCOME_STOPPED);
			return;
		}
		answer_problem(OUTCOME_STOPPED, &none, &r);
		exchange_refuse_head(c->exchange, &r);
	} else if (c->state == CONN_HANDSHAKING || c->state == CONN_HEADING ||
		   c->state == CONN_STREAMING) {
		drop(c);
	} else if (c->state == CONN_WORKING && exchange_stop(c->exchange)) {
		answer_problem(OUTCOME_STOPPED, &none, &r);
		exchange_respond(c->exchange, &r);
	}
}

void
connections_stop(struct connections *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		shorten_idle(c);
}

void
connections_cut(struct connections *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		cut(c);
}

void
connections_drop(struct connections *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		drop(c);
}
