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
log_closed(const struct conn_group *g, const struct addr *peer)
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
admit(struct conn_group *g, const struct addr *peer, tally_place *ret_place,
    bool *ret_turned_away)
{
	uint64_t max = g->conf->max_connections_per_ip;
	unsigned char network[8];
	size_t len = max > 0 ? addr_network(peer, network) : 0;
	enum tally_answer answer = TALLY_COUNTED;

	*ret_place = 0;
	if (len > 0)
		answer = tally_enter(&g->served, network, len, max, ret_place);
	*ret_turned_away = answer == TALLY_FULL;
	if (answer == TALLY_FULL)
		answer =
		    tally_enter(&g->turned_away, network, len, max, ret_place);
	if (answer == TALLY_CROWDED)
		log_crowded();
	if (answer == TALLY_FULL)
		log_closed(g, peer);
	return answer != TALLY_FULL;
}

bool
conn_group_readmit(struct conn *c)
{
	const struct conn_group *g = c->group;
	unsigned char network[8];
	size_t len = addr_network(&c->peer, network);
	tally_place place;

	if (tally_enter(&g->served, network, len,
		g->conf->max_connections_per_ip, &place) == TALLY_FULL)
		return false;
	tally_leave(g->served.tally, &c->place);
	c->place = place;
	c->turned_away = false;
	return true;
}

void
conn_group_look_for_room(struct conn *c)
{
	if (conn_group_readmit(c))
		deadline_set(&c->patience,
		    (double)c->group->conf->header_timeout_ms / 1e3);
	else
		deadline_set(&c->patience, CONN_TURNED_AWAY_S);
	ev_io_start(c->group->loop, &c->readable);
}

void
conn_group_await_turn(struct conn *c)
{
	struct conn_group *g = c->group;

	list_append(&g->in_turn, &c->turn);
	if (!ev_is_active(&g->turn)) {
		ev_timer_set(&g->turn, 0., 0.);
		ev_timer_start(g->loop, &g->turn);
	}
}

void
conn_group_open(
    struct conn_group *g, int fd, const struct addr *peer, bool on_loopback)
{
	static struct log_limit limit;
	bool turned_away;
	tally_place place;

	if (!admit(g, peer, &place, &turned_away)) {
		fd_close(&fd);
	} else if (conn_begin(g, fd, peer, place, turned_away, on_loopback) <
		   0) {
		tally_leave(g->served.tally, &place);
		fd_close(&fd);
		if (log_allowed(&limit))
			log_error("no memory for a connection: it is closed");
	}
}

/* Those that wait now, each once: they may well come to wait again. */
static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn_group *g = w->data;
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
conn_group_init(struct conn_group *g)
{
	list_init(&g->conns);
	list_init(&g->in_turn);
	ev_timer_init(&g->turn, on_turn, 0., 0.);
	g->turn.data = g;
}

/* The server stops: do not stay idle for long. */
static void
hurry(struct conn *c)
{
	/* It was told that it may ask again, and may be doing so just now: it
	 * is answered, and told to close. */
	if (c->state == HEADING && !intake_has_bytes(&c->intake))
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
		c->exchange.ending = h->on_gone(h, request);
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
		r.ending = "stopped";
		conn_answer(c, &r);
		response_fini(&r);
	}
}

void
conn_group_stop(struct conn_group *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		hurry(c);
}

void
conn_group_cut(struct conn_group *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		cut(c);
}

void
conn_group_drop(struct conn_group *g)
{
	g->stopping = true;
	LIST_FOREACH(struct conn, c, &g->conns, node)
		drop(c);
}
