#include <inttypes.h>

#include "base/fd.h"
#include "base/log.h"
#include "conn_internal.h"
#include "shared/limits.h"

/* The table of counts is too small for all these addresses. */
static void
log_crowded(void)
{
	static struct log_limit limit;

	if (log_allowed(&limit))
		log_warn("max_connections_per_ip: no room to count some "
			 "addresses: restart, if worker_connections was raised "
			 "since the start");
}

/* Whoever is closed without an answer is nowhere else to be seen. */
static void
log_closed(const struct connections *g, const struct addr *peer)
{
	static struct log_limit limit;
	char text[ADDR_TEXT_MAX];

	if (!log_allowed(&limit))
		return;
	addr_format(peer, text);
	log_warn("max_connections_per_ip %" PRIu64
		 ": twice as many come from %s: closing the rest",
	    g->conf->max_connections_per_ip, text);
}

/*
 * Count the connection of `peer`, if that is limited.  Of those beyond the
 * limit as many again are told so, when they ask; more are not even told.
 * False: close it.
 */
static bool
admit(struct connections *g, const struct addr *peer, limits_entry *ret_place,
    bool *ret_rejected)
{
	uint64_t max = g->conf->max_connections_per_ip;
	unsigned char network[8];
	size_t len = max > 0 ? addr_network(peer, network) : 0;
	enum limits_answer answer = LIMITS_COUNTED;

	*ret_place = 0;
	if (len > 0)
		answer = limits_enter(&g->served, network, len, max, ret_place);
	*ret_rejected = answer == LIMITS_FULL;
	if (answer == LIMITS_FULL)
		answer =
		    limits_enter(&g->rejected, network, len, max, ret_place);
	if (answer == LIMITS_CROWDED)
		log_crowded();
	if (answer == LIMITS_FULL)
		log_closed(g, peer);
	return answer != LIMITS_FULL;
}

bool
connections_readmit(struct conn *c)
{
	const struct connections *g = c->group;
	unsigned char network[8];
	size_t len = addr_network(&c->peer, network);
	limits_entry place;

	if (limits_enter(&g->served, network, len,
		g->conf->max_connections_per_ip, &place) == LIMITS_FULL)
		return false;
	limits_leave(g->served.limits, &c->place);
	c->place = place;
	c->rejected = false;
	return true;
}

void
connections_look_for_room(struct conn *c)
{
	if (connections_readmit(c))
		deadline_set(&c->patience,
		    (double)c->group->conf->header_timeout_ms / 1e3);
	else
		deadline_set(&c->patience, CONN_REJECTED_S);
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
}

void
connections_await_turn(struct conn *c)
{
	struct connections *g = c->group;

	list_append(&g->in_turn, &c->turn);
	if (!ev_is_active(&g->turn)) {
		ev_timer_set(&g->turn, 0., 0.);
		ev_timer_start(g->loop, &g->turn);
	}
}

void
connections_open(
    struct connections *g, int fd, const struct addr *peer, bool on_loopback)
{
	static struct log_limit limit;
	bool rejected;
	limits_entry place;

	if (!admit(g, peer, &place, &rejected)) {
		fd_close(&fd);
	} else if (conn_begin(g, fd, peer, place, rejected, on_loopback) < 0) {
		limits_leave(g->served.limits, &place);
		fd_close(&fd);
		if (log_allowed(&limit))
			log_error("no memory for a connection: it is closed");
	}
}

/* Those that wait now, each once: they may well come to wait again. */
static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct connections *g = w->data;
	struct list_node *last = g->in_turn.head.prev, *n;

	(void)revents;
	do {
		n = list_shift(&g->in_turn);
		if (n != NULL)
			conn_take_turn(container_of(n, struct conn, turn));
	} while (n != last && n != NULL);
	if (!list_is_empty(&g->in_turn)) {
		ev_timer_set(w, 0., 0.);
		ev_timer_start(loop, w);
	}
}

void
connections_init(struct connections *g)
{
	list_init(&g->conns);
	list_init(&g->in_turn);
	ev_timer_init(&g->turn, on_turn, 0., 0.);
	g->turn.data = g;
}

/* The server stops: do not stay idle for long. */
static void
shorten_idle(struct conn *c)
{
	/* It was told that it may ask again, and may be doing so just now: it
	 * is answered, and told to close. */
	if (c->state == HEADING && !head_reader_has_bytes(&c->head_reader))
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
}

/* Close it now, whatever it does. */
static void
drop(struct conn *c)
{
	struct handler *h = c->group->handler;
	void *request = c->request;

	if (c->state == WORKING || c->state == STREAMING) {
		c->request = NULL;
		c->exchange.outcome = h->on_gone(h, request);
	} else if (c->state == ANSWERING) {
		c->exchange.cut = ACCESS_STOPPED;
	} else if (c->state == HEADING) {
		conn_leave_heading(c, "stopped");
		return;
	}
	conn_on(c, LEFT);
}

/* Its client is to see an answer, or the end, and no reset. */
static void
cut(struct conn *c)
{
	static const char why[] =
	    "the server is stopping; nothing was stored: try again later";
	struct handler *h = c->group->handler;
	struct response r = {.close = true};

	if (c->state == HEADING &&
	    (conn_has_begun(c) || transport_has_bytes(&c->transport))) {
		list_remove(&c->turn);
		conn_refuse(c, 503, why, "stopped");
	} else if (c->state == HEADING || c->state == STREAMING) {
		drop(c);
	} else if (c->state == WORKING && h->on_stop(h, c->request)) {
		response_problem(&r, 503, why);
		r.outcome = "stopped";
		conn_answer(c, &r);
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
