/*
 * What comes to a connection: bytes, its turn, the end of a response, or the end
 * of its client's time.  Each becomes an event of its state table (conn.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/host.h"
#include "base/log.h"
#include "shared/request_ids.h"
#include "base/num.h"
#include "conn_internal.h"
#include "http/real_ip.h"
#include "shared/metrics.h"
#include "shared/shm.h"

#define SLACK_S 0.001

enum {
	CROWD_RETRY_S = 1, /* Retry-After of max_connections_per_ip */
};

/* ---- responses ---- */

/* How an answered request leaves its connection.  Never by closing at once: with
 * bytes unread that is a reset, which can take the response along. */
static enum conn_event
after_answer(const struct conn *c)
{
	return c->exchange->keep && c->exchange->body.source.ended
		   ? CONN_KEEP
		   : CONN_LINGER;
}

/* The response writer is done with a response. */
static void
on_sent(void *owner, int err)
{
	struct conn *c = owner;

	check_magic(c, CONN_MAGIC);
	if (err == 0) {
		conn_on(c, after_answer(c));
		return;
	}
	c->exchange->record.cut = conn_is_unheard(c) ? ACCESS_CONNECTION_CUT
				  : err == -ENOMEM   ? ACCESS_NO_MEMORY
						     : ACCESS_CLIENT_GONE;
	conn_on(c, conn_after_cut(c));
}

/* ANSWERING: the client had its time to take the response. */
static void
expire_answer(struct conn *c)
{
	enum conn_event after = conn_after_cut(c);

	c->exchange->record.cut = ACCESS_NOT_TAKEN;
	conn_on(c, after == CONN_UNHEARD ? CONN_UNHEARD : CONN_EXPIRED);
}

static void
give_up(struct conn *c)
{
	transport_give_up(&c->transport);
	if (c->state == CONN_STREAMING)
		response_writer_cut(&c->response_writer, -ETIMEDOUT);
	else
		expire_answer(c);
}

/* ANSWERING and STREAMING: does the client take what it is sent? */
static void
look_at_progress(struct conn *c)
{
	double stalled;

	response_writer_look(&c->response_writer);
	stalled = clock_recent_s() - c->response_writer.progress;
	if (c->state == CONN_STREAMING &&
	    !response_writer_has_content(&c->response_writer))
		conn_await_progress(c, 0); /* it waits for the disk */
	else if (stalled + SLACK_S < conn_send_limit_s(c))
		conn_await_progress(c, stalled);
	else
		give_up(c);
}

/* ---- heads ---- */

static void
refuse_crowd(struct conn *c)
{
	struct response r = {.outcome = OUTCOME_REFUSED};

	response_problem(&r, 503,
	    "there are max_connections_per_ip %" PRIu64
	    " connections from this address already: close some, or try "
	    "again later",
	    c->group->conf->max_connections_per_ip);
	response_retry_after(&r, CROWD_RETRY_S);
	exchange_refuse_head(c->exchange, &r);
}

/* What came to a port for TLS is none, whatever else it is. */
static const char no_tls[] =
    "this port speaks TLS, and what came is plain HTTP: use https:// in place "
    "of http://";

/* It would be stored, or looked for, where the client does not think of. */
static const char misdirected[] =
    "the Host of the request is the name of another server block than the "
    "connection was made for: make one that asks for this name (SNI; in nginx: "
    "proxy_ssl_server_name on, and proxy_ssl_name)";

/* What came is no request, or none that is understood. */
static void
refuse_request(
    struct conn *c, int status, const char *why, enum outcome outcome)
{
	struct response r = {.outcome = outcome};

	response_problem(&r, status, "%s", why);
	exchange_refuse_head(c->exchange, &r);
}

static void
refuse_late(struct conn *c)
{
	struct response r = {.outcome = OUTCOME_REFUSED};
	char limit[NUM_TEXT_MAX];

	num_format_seconds(c->group->conf->header_timeout_s, limit);
	response_problem(&r, 408,
	    "the head of the request did not arrive within header_timeout %s: "
	    "send it in one piece",
	    limit);
	exchange_refuse_head(c->exchange, &r);
}

/* One that was rejected: is there room by now?  Then it is served. */
static bool
is_readmitted(struct conn *c)
{
	if (!admission_retry(&c->group->admission, &c->peer, &c->place))
		return false;
	c->rejected = false;
	return true;
}

/* Find the client of a request that a proxy has passed on.  False: out of memory. */
static bool
find_client(struct conn *c, struct head *h)
{
	const struct conf_server *conf = c->group->conf;
	struct addr client;

	if (conf->trusted_proxies.count == 0)
		return true;
	real_ip_distrust(conf, h, &c->peer);
	return !real_ip_find(conf, h, &c->peer, &client) ||
	       access_note_client(&c->exchange->record, &client);
}

/* Are there too many requests from the client?  Its connection is the proxy's, which is
 * not counted. */
static bool
is_crowded(struct conn *c)
{
	struct access_who *who = c->exchange->record.who;

	if (who == NULL)
		return c->rejected && !is_readmitted(c);
	return admission_enter(&c->group->admission, &who->addr, &who->place) !=
	       ADMISSION_SERVED;
}

/* Is the request for another server block than the client's handshake? */
static bool
is_misdirected(const struct conn *c, const struct head *h)
{
	struct host_port at;

	return host_split(h->host.s, h->host.len, &at) &&
	       tls_is_of_another(&c->transport, at.host, at.len);
}

/* A whole head is there: hand the request to the handler. */
static void
conn_ask(struct conn *c, const struct head_reader_head *got)
{
	struct connections *g = c->group;
	struct head h = {0};
	char bad[TLS_WHY_MAX];
	const char *why;
	int status;

	c->requests++;
	c->exchange->record.id = request_ids_take(g->ids);
	exchange_log_begin(c->exchange);
	status = head_parse(got->buf, got->head_len, &h, &why);
	/* A proxy that hands on what a browser says reads in its own way. */
	c->exchange->from_browser = head_is_from_browser(&h) && !h.forwarded;
	exchange_log_describe(c->exchange, got, &h);
	exchange_add_fields(c->exchange, &h);
	if (status == 0 && !find_client(c, &h)) {
		conn_leave_heading(c, OUTCOME_NO_MEMORY);
		return;
	}
	if (is_crowded(c)) {
		refuse_crowd(c);
		return;
	}
	if (c->no_tls) {
		refuse_request(c, 400, no_tls, OUTCOME_NO_TLS);
		return;
	}
	if (status != 0) {
		refuse_request(c, status, why, head_refusal_outcome(why));
		return;
	}
	if (is_misdirected(c, &h)) {
		refuse_request(c, 421, misdirected, OUTCOME_MISDIRECTED);
		return;
	}
	if (tls_refuses(&c->transport, bad)) {
		refuse_request(c, 400, bad, OUTCOME_CERTIFICATE);
		return;
	}
	c->exchange->record.minor = (uint8_t)(h.minor + 1);
	c->exchange->keep = h.keep_alive;
	if (exchange_begin_body(c->exchange, &h, got->buf + got->head_len,
		got->len - got->head_len) < 0) {
		conn_leave_heading(c, OUTCOME_NO_MEMORY);
		return;
	}
	exchange_hand_over(c->exchange, &h, got->buf, got->head_len);
}

/* There is a part of a head, or nothing; wait for more of it. */
static void
await_rest(struct conn *c)
{
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	if (c->exchange->record.began_ns != 0 ||
	    !head_reader_has_begun(&c->head_reader))
		return;
	exchange_log_begin(c->exchange);
	if (!c->rejected)
		conn_set_patience(c, c->group->conf->header_timeout_s);
}

/* One that is unheard is not waited for: all of it that is here is read. */
static enum head_reader_result
take_head(struct conn *c, struct transport *from, struct head_reader_head *ret)
{
	const struct conf_server *conf = c->group->conf;
	const struct head_limits limits = {
	    .line = (uint32_t)conf->max_request_line,
	    .size = (uint32_t)conf->max_header_size,
	    .fields = (uint32_t)conf->max_header_fields,
	};
	enum head_reader_result result;

	do {
		result = head_reader_read(&c->head_reader, &limits, from, ret);
		from = &c->transport;
	} while (result == HEAD_READER_PART && conn_is_unheard(c));
	return result;
}

/* All that came whole is done.  The client may be there still, and sending: a
 * reset could take along what it has not read yet. */
static void
leave_unheard(struct conn *c)
{
	if (conn_has_begun(c) && conn_begin_exchange(c)) {
		exchange_log_begin(c->exchange);
		c->exchange->record.outcome = OUTCOME_UNREAD;
	}
	conn_on(c, CONN_LINGER);
}

/* Bytes may have come to `from`, or (NULL) those that are held are to be looked
 * at. */
static void
read_head(struct conn *c, struct transport *from)
{
	struct head_reader_head got;
	enum head_reader_result result = take_head(c, from, &got);

	if (result != HEAD_READER_NOTHING && !conn_begin_exchange(c)) {
		if (result == HEAD_READER_HEAD)
			head_reader_release(&got);
		conn_on(c, CONN_LEFT);
		return;
	}
	switch (result) {
	case HEAD_READER_NOTHING:
		if (conn_is_unheard(c))
			leave_unheard(c);
		else
			transport_await_recv(
			    &c->transport, c->group->loop, &c->readable);
		return;
	case HEAD_READER_PART:
		await_rest(c);
		return;
	case HEAD_READER_HEAD:
		c->exchange->head_only = got.is_head;
		conn_ask(c, &got); /* may end `c`, but not what was got */
		head_reader_release(&got);
		return;
	case HEAD_READER_REFUSED:
		c->exchange->head_only = got.is_head;
		exchange_log_describe(c->exchange, &got, NULL);
		exchange_glimpse(c->exchange, &got);
		if (c->no_tls)
			refuse_request(c, 400, no_tls, OUTCOME_NO_TLS);
		else
			refuse_request(c, got.status, got.why, got.outcome);
		return;
	case HEAD_READER_FAILED:
		conn_leave_heading(c, str_failed(&c->head_reader.held)
					  ? OUTCOME_NO_MEMORY
					  : OUTCOME_CLIENT_GONE);
		return;
	}
}

bool
conn_seems_head(struct conn *c)
{
	struct head_reader_head got;
	bool is;

	switch (take_head(
	    c, list_is_linked(&c->turn) ? NULL : &c->transport, &got)) {
	case HEAD_READER_HEAD:
		is = got.is_head;
		head_reader_release(&got);
		return is;
	case HEAD_READER_REFUSED:
		return got.is_head;
	case HEAD_READER_NOTHING:
	case HEAD_READER_PART:
	case HEAD_READER_FAILED:
	default:
		return head_reader_may_be_head(&c->head_reader);
	}
}

void
conn_take_turn(struct list_node *n)
{
	struct conn *c = container_of(n, struct conn, turn);

	check_magic(c, CONN_MAGIC);
	check(c->state == CONN_HEADING);
	read_head(
	    c, head_reader_has_bytes(&c->head_reader) ? NULL : &c->transport);
}

/* It was rejected; but one that was served may have left meanwhile. */
static void
look_for_room(struct conn *c)
{
	if (is_readmitted(c))
		conn_set_patience(c, c->group->conf->header_timeout_s);
	else
		deadline_set(&c->patience, CONN_REJECTED_S);
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
}

/* Too late, it seems; but bytes may be there that were not read yet, for this
 * process was stopped or busy.  They are read first, once. */
static bool
has_more(struct conn *c)
{
	if (c->looked || !transport_has_bytes(&c->transport))
		return false;
	c->looked = true;
	deadline_set(&c->patience, 0);
	return true;
}

/*
 * HEADING: the client had its time.  Of what may be a HEAD it is not known yet for what; of an
 * upload it is not to be told 4xx or 5xx, at which clients begin anew (handler.is_literal): the
 * end of the connection has them ask again.
 */
static void
expire_heading(struct conn *c)
{
	if (c->rejected && !ev_is_active(&c->readable))
		look_for_room(c);
	else if (!c->rejected && has_more(c))
		return;
	else if (!c->rejected && !head_reader_has_begun(&c->head_reader))
		conn_on(c, CONN_EXPIRED);
	else if (!conn_begin_exchange(c))
		conn_on(c, CONN_EXPIRED);
	else if (head_reader_may_be_head(&c->head_reader))
		conn_leave_heading(
		    c, c->rejected ? OUTCOME_REFUSED : OUTCOME_TOO_SLOW);
	else if (c->rejected)
		refuse_crowd(c);
	else
		refuse_late(c);
}

/* ---- HANDSHAKING ---- */

/* The client is there, but there will be no requests of it. */
static void
log_handshake(const struct conn *c, const char *why)
{
	static struct log_limit limit;
	char from[ADDR_TEXT_MAX];

	if (!log_allowed(&limit))
		return;
	addr_format(&c->peer, from);
	log_info("TLS: the handshake with %s failed: %s", from, why);
}

/* What a trusted proxy passes on is counted by the request: see conn_events.c. */
enum admission_answer
conn_admit(
    struct connections *g, const struct addr *peer, limits_entry *ret_place)
{
	if (!real_ip_is_told(g->conf, peer))
		return admission_enter(&g->admission, peer, ret_place);
	*ret_place = 0;
	return ADMISSION_SERVED;
}

/* The connection is one of the server block that the client has asked for, and counts
 * there from now on.  False: there it has no place. */
static bool
move_to(struct conn *c, struct connections *g)
{
	enum admission_answer answer;

	if (g == c->group)
		return true;
	admission_leave(&c->group->admission, &c->place);
	list_remove(&c->node);
	c->group = g;
	list_append(&g->conns, &c->node);
	answer = conn_admit(g, &c->peer, &c->place);
	c->rejected = answer == ADMISSION_REJECTED;
	return answer != ADMISSION_CLOSED;
}

static void
count(const struct connections *g, enum metrics_counter what)
{
	if (g->counted != NULL)
		metrics_add(g->counted, what, 1);
}

static void
shake_hands(struct conn *c)
{
	int err = transport_handshake(&c->transport);

	if (err != -EAGAIN && err != -EPROTONOSUPPORT)
		count(c->group,
		    err == 0 ? METRICS_HANDSHAKES : METRICS_HANDSHAKES_FAILED);

	if (err == -EAGAIN) {
		transport_await_recv(
		    &c->transport, c->group->loop, &c->readable);
	} else if (err == 0) {
		conn_on(c, move_to(c, tls_owner(&c->transport)) ? CONN_READY
								: CONN_LEFT);
	} else if (err == -EPROTONOSUPPORT) {
		transport_become_plain(&c->transport);
		c->no_tls = true;
		conn_on(c, CONN_READY);
	} else if (err == -EPROTO) {
		/* It was told by an alert, which a reset could take along. */
		log_handshake(c, tls_why(&c->transport));
		transport_become_plain(&c->transport);
		conn_on(c, CONN_LINGER);
	} else {
		conn_on(c, CONN_LEFT);
	}
}

void
conn_shake_hands(struct list_node *n)
{
	struct conn *c = container_of(n, struct conn, turn);

	check_magic(c, CONN_MAGIC);
	check(c->state == CONN_HANDSHAKING);
	deadline_go_on(&c->patience);
	shake_hands(c);
}

/* A step of a handshake takes as long as hundreds of others do: there is one in each
 * iteration of the loop.  Those that wait for it are not late: their bytes are here. */
static void
await_handshake(struct conn *c)
{
	if (turns_take_free(&c->group->handshakes)) {
		shake_hands(c);
		return;
	}
	ev_io_stop(c->group->loop, &c->readable);
	deadline_hold(&c->patience);
	turns_await(&c->group->handshakes, &c->turn);
}

/* The client had its time. */
static void
expire_handshake(struct conn *c)
{
	if (has_more(c)) {
		await_handshake(c);
		return;
	}
	if (tls_has_begun(&c->transport))
		log_handshake(c, "it took longer than handshake_timeout");
	count(c->group, METRICS_HANDSHAKES_FAILED);
	conn_on(c, CONN_EXPIRED);
}

/* ---- LINGERING ---- */

static void
go_on_lingering(struct conn *c, enum linger_verdict verdict)
{
	if (verdict != LINGER_ON) {
		conn_on(c, verdict == LINGER_LEFT ? CONN_LEFT : CONN_EXPIRED);
		return;
	}
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	deadline_set(&c->patience, linger_left_s(&c->linger));
}

/* ---- the watchers ---- */

static void
conn_on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	check_magic(c, CONN_MAGIC);
	if (c->state == CONN_HEADING)
		read_head(c, &c->transport);
	else if (c->state == CONN_HANDSHAKING)
		await_handshake(c);
	else if (c->state == CONN_LINGERING)
		go_on_lingering(c, linger_discard(&c->linger, &c->transport,
				       c->group->conf->lingering_timeout_s));
}

/* The client had its time. */
static void
on_due(struct deadline *d)
{
	struct conn *c = container_of(d, struct conn, patience);

	check_magic(c, CONN_MAGIC);
	if (c->state == CONN_STREAMING || c->state == CONN_ANSWERING)
		look_at_progress(c);
	else if (c->state == CONN_WORKING)
		exchange_look(c->exchange);
	else if (c->state == CONN_LINGERING)
		go_on_lingering(c, linger_due(&c->linger, &c->transport));
	else if (c->state == CONN_HANDSHAKING)
		expire_handshake(c);
	else
		expire_heading(c);
}

int
conn_begin(struct connections *g, int fd, const struct addr *peer,
    limits_entry place, bool rejected, const struct connections_door *door)
{
	size_t peer_size = addr_size(peer);
	struct conn *c = calloc(1, offsetof(struct conn, peer) + peer_size + 1);

	if (c == NULL)
		return -ENOMEM;
	if (door->tls == NULL) {
		transport_init_plain(&c->transport, fd);
	} else if (transport_init_tls(&c->transport, fd, door->tls) < 0) {
		free(c);
		return -ENOMEM;
	}
	c->magic = CONN_MAGIC;
	c->state = door->tls != NULL ? CONN_HANDSHAKING : CONN_HEADING;
	c->group = g;
	memcpy(&c->peer, peer, peer_size);
	c->place = place;
	c->rejected = rejected;
	c->on_loopback = door->on_loopback;
	c->transport.timed = g->stamped;
	/* A UNIX socket has no stamps, and would pass us descriptors beside,
	 * whoever is the client behind the proxy. */
	c->transport.stamped = g->stamped && !fd_is_unix(fd);
	list_append(&g->conns, &c->node);
	atomic_fetch_add(&g->slot->connections, 1);
	count(g, METRICS_CONNECTIONS);
	ev_io_init(&c->readable, conn_on_readable, fd, EV_READ);
	c->readable.data = c;
	response_writer_init(
	    &c->response_writer, g->loop, &c->transport, c, on_sent);
	deadline_init(&c->patience, g->loop, on_due);
	if (c->state == CONN_HEADING) {
		conn_begin_heading(c);
		return 0;
	}
	conn_set_patience(c, g->conf->handshake_timeout_s);
	transport_await_recv(&c->transport, g->loop, &c->readable);
	return 0;
}
