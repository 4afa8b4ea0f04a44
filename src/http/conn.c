#include "http/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "disk/chunk.h"
#include "http/access.h"
#include "conn_internal.h"
#include "shared/shm.h"

#define STALLED_S 5.0 /* send_timeout while others wait for memory */
#define ROOM_S 0.100  /* before that, for somebody to leave */
#define SLACK_S 0.001

static const char *const state_name[STATE_COUNT] = {
    [HEADING] = "heading",
    [WORKING] = "working",
    [STREAMING] = "streaming",
    [ANSWERING] = "answering",
    [LINGERING] = "lingering",
    [OVER] = "over",
};

static const char *const event_name[EVENT_COUNT] = {
    [ASKED] = "asked",
    [REFUSED] = "refused",
    [ANSWERED] = "answered",
    [STREAMS] = "streams",
    [KEEP] = "keep",
    [LINGER] = "linger",
    [UNHEARD] = "unheard",
    [LEFT] = "left",
    [EXPIRED] = "expired",
};

enum {
	LOOKS = 5, /* at the progress of an answer, within its limit */
};

static void
set_patience_ms(struct conn *c, uint64_t ms)
{
	deadline_set(&c->patience, (double)ms / 1e3);
}

/* ---- answers ---- */

/* Which way an answered request leaves its connection.  Never by closing at
 * once: with bytes unread that is a reset, which can take the answer along. */
static enum event
after_answer(const struct conn *c)
{
	return c->keep && c->body.source.ended ? KEEP : LINGER;
}

/* The response writer is done with an answer. */
static void
on_sent(void *owner, int err)
{
	struct conn *c = owner;

	check_magic(c, CONN_MAGIC);
	if (err == 0) {
		conn_on(c, after_answer(c));
		return;
	}
	c->exchange.cut = conn_is_unheard(c) ? ACCESS_CONNECTION_CUT
			  : err == -ENOMEM   ? ACCESS_NO_MEMORY
					     : ACCESS_CLIENT_GONE;
	conn_on(c, conn_after_cut(c));
}

/* ---- reading heads ---- */

static void
turn_away(struct conn *c)
{
	char why[128];

	snprintf(why, sizeof(why),
	    "there are max_connections_per_ip %" PRIu64
	    " connections from this address already: close some, or try "
	    "again later",
	    c->group->conf->max_connections_per_ip);
	conn_refuse(c, 503, why, "refused");
}

static void
refuse_late(struct conn *c)
{
	char limit[NUM_TEXT_MAX], why[128];

	num_format_time(c->group->conf->header_timeout_ms, limit);
	snprintf(why, sizeof(why),
	    "the head of the request did not arrive within header_timeout %s: "
	    "send it in one piece",
	    limit);
	c->head_only = head_reader_is_head(&c->head_reader);
	conn_refuse(c, 408, why, "refused");
}

/* A whole head is there: hand the request to the handler. */
static void
ask(struct conn *c, const struct head_reader_head *got)
{
	struct connections *g = c->group;
	struct head h = {0};
	const char *why;
	int status;

	c->requests++;
	c->exchange.id = ++*g->ids;
	conn_begin_exchange(c);
	status = head_parse(got->buf, got->head_len, &h, &why);
	/* A proxy that hands on what a browser says reads in its own way. */
	c->from_browser = head_is_from_browser(&h) && !h.forwarded;
	conn_describe(c, got, &h);
	conn_add_fields(c, &h);
	if (c->rejected && !connections_readmit(c)) {
		turn_away(c);
		return;
	}
	if (status != 0) {
		conn_refuse(c, status, why, head_refusal_word(why));
		return;
	}
	c->keep = h.keep_alive;
	if (conn_begin_body(c, &h, got->buf + got->head_len,
		got->len - got->head_len) < 0) {
		conn_leave_heading(c, "no-memory");
		return;
	}
	conn_on(c, ASKED);
	g->handler->on_request(g->handler, c, &h, &c->request);
}

/* HEADING: there is a part of a head, or nothing; wait for more of it. */
static void
await_rest(struct conn *c)
{
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	if (c->exchange.began_ns != 0 ||
	    !head_reader_has_begun(&c->head_reader))
		return;
	conn_begin_exchange(c);
	if (!c->rejected)
		set_patience_ms(c, c->group->conf->header_timeout_ms);
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
	if (conn_has_begun(c))
		conn_begin_exchange(c);
	c->exchange.outcome = "unread";
	conn_on(c, LINGER);
}

/* HEADING: bytes may have come to `from`, or (NULL) those that are held are to
 * be looked at. */
static void
read_head(struct conn *c, struct transport *from)
{
	struct head_reader_head got;

	switch (take_head(c, from, &got)) {
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
		c->head_only = got.is_head;
		ask(c, &got); /* may end `c`, but not what was got */
		head_reader_release(&got);
		return;
	case HEAD_READER_REFUSED:
		c->head_only = got.is_head;
		conn_describe(c, &got, NULL);
		conn_glimpse(c, &got);
		conn_refuse(c, got.status, got.why, got.outcome);
		return;
	case HEAD_READER_FAILED:
		conn_leave_heading(c, str_failed(&c->head_reader.held)
					  ? "no-memory"
					  : "client-gone");
		return;
	}
}

void
conn_take_turn(struct conn *c)
{
	check_magic(c, CONN_MAGIC);
	check(c->state == HEADING);
	read_head(
	    c, head_reader_has_bytes(&c->head_reader) ? NULL : &c->transport);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	check_magic(c, CONN_MAGIC);
	if (c->state == HEADING)
		read_head(c, &c->transport);
	else if (c->state == LINGERING)
		linger_discard(c);
}

/* How long the client may take nothing of what it is sent.  While content is
 * streamed it holds chunks, which others may need. */
static double
send_limit(const struct conn *c)
{
	double limit = (double)c->group->conf->send_timeout_ms / 1e3;

	if (c->state == STREAMING && limit > STALLED_S &&
	    chunk_pool_is_short(c->group->pool))
		return STALLED_S;
	return limit;
}

/* Look again when it would be late, and some times before: what the client
 * takes from the kernel shows only from look to look. */
static void
await_progress(struct conn *c, double stalled)
{
	double limit = send_limit(c), left = limit - stalled;

	deadline_set(&c->patience, left < limit / LOOKS ? left : limit / LOOKS);
}

/* ANSWERING: the client had its time to take the answer. */
static void
expire_answer(struct conn *c)
{
	enum event after = conn_after_cut(c);

	c->exchange.cut = ACCESS_NOT_TAKEN;
	conn_on(c, after == UNHEARD ? UNHEARD : EXPIRED);
}

/* ANSWERING and STREAMING: does the client take what it is sent? */
static void
look_at_progress(struct conn *c)
{
	double stalled;

	response_writer_look(&c->response_writer);
	stalled = clock_mono_s() - c->response_writer.progress;
	if (c->state == STREAMING && c->response_writer.sending == NULL)
		await_progress(c, 0); /* it waits for the disk */
	else if (stalled + SLACK_S < send_limit(c))
		await_progress(c, stalled);
	else if (c->state == STREAMING)
		response_writer_cut(&c->response_writer, -ETIMEDOUT);
	else
		expire_answer(c);
}

/* HEADING: too late, it seems; but bytes may be there that nobody has seen,
 * for this process was stopped or busy.  They are read first, once. */
static bool
has_more(struct conn *c)
{
	if (c->looked || !transport_has_bytes(&c->transport))
		return false;
	c->looked = true;
	deadline_set(&c->patience, 0);
	return true;
}

/* The client had its time. */
static void
on_due(struct deadline *d)
{
	struct conn *c = container_of(d, struct conn, patience);

	check_magic(c, CONN_MAGIC);
	if (c->state == STREAMING || c->state == ANSWERING)
		look_at_progress(c);
	else if (c->state == LINGERING)
		linger_due(c);
	else if (c->rejected && !ev_is_active(&c->readable))
		connections_look_for_room(c);
	else if (c->rejected)
		turn_away(c);
	else if (has_more(c))
		return;
	else if (head_reader_has_begun(&c->head_reader))
		refuse_late(c);
	else
		conn_on(c, EXPIRED);
}

/* ---- the states ---- */

/* Nothing of the request before is left. */
static void
forget_request(struct conn *c)
{
	body_fini(&c->body);
	c->body = (struct body){0};
	access_fini(&c->exchange);
	str_fini(&c->fields);
	transport_forget_late(&c->transport);
	c->keep = c->head_only = c->waits_for_100 = c->looked = false;
	c->from_browser = false;
}

/* How long for the next head. */
static void
set_head_patience(struct conn *c)
{
	const struct conf_server *conf = c->group->conf;

	if (head_reader_has_bytes(&c->head_reader))
		set_patience_ms(c, conf->header_timeout_ms);
	else if (c->group->stopping)
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
	else
		set_patience_ms(c, conf->keepalive_timeout_ms);
}

/* HEADING: for the next head. */
static void
await_head(struct conn *c)
{
	const unsigned char *more;
	size_t len;
	int err;

	body_leftover(&c->body, &more, &len);
	err = head_reader_hold(&c->head_reader, more, len);
	forget_request(c);
	head_reader_next(&c->head_reader);
	if (err < 0) {
		conn_begin_exchange(c);
		conn_leave_heading(c, "no-memory");
		return;
	}
	set_head_patience(c);
	if (head_reader_has_bytes(&c->head_reader) || conn_is_unheard(c))
		connections_await_turn(c); /* what is here comes first */
	else
		transport_await_recv(
		    &c->transport, c->group->loop, &c->readable);
}

/* The client learns that this was all; what it asked for before it could know
 * is carried out all the same, as far as it is here whole. */
static void
go_on_unheard(struct conn *c)
{
	response_writer_mute(&c->response_writer, -EPIPE);
	transport_shutdown(&c->transport);
	await_head(c);
}

/* WORKING: the socket is the handler's reader's. */
static void
hand_over(struct conn *c)
{
	ev_io_stop(c->group->loop, &c->readable);
	deadline_clear(&c->patience);
}

/* A response is about to be sent, or the end of one; this ends nothing. */
static void
begin_answer(struct conn *c)
{
	c->request = NULL;
	ev_io_stop(c->group->loop, &c->readable);
	await_progress(c, 0);
}

/* The head of one is held until content comes; this ends nothing. */
static void
begin_stream(struct conn *c)
{
	await_progress(c, 0);
}

static void
finish(struct conn *c)
{
	struct connections *g = c->group;

	ev_io_stop(g->loop, &c->readable);
	response_writer_fini(&c->response_writer);
	deadline_fini(&c->patience);
	transport_close(&c->transport);
	body_fini(&c->body);
	head_reader_fini(&c->head_reader);
	access_fini(&c->exchange);
	str_fini(&c->fields);
	free(c->note);
	list_remove(&c->node);
	list_remove(&c->turn);
	atomic_fetch_sub(&g->slot->connections, 1);
	limits_leave(g->served.limits, &c->place);
	c->magic = 0;
	free(c);
	g->on_closed(g->arg);
}

/* Does the exchange end with a move?  Then its line is written. */
enum {
	GOES_ON = false,
	ENDS = true,
};

typedef void act_fn(struct conn *c);

/*
 * Every move a connection can make.  An exchange begins in HEADING, with the
 * first byte of a head, and every way out of WORKING, STREAMING, ANSWERING and,
 * for a head that never became whole, HEADING ends it once.
 */
/* clang-format off */
static const struct move {
	act_fn *act;
	enum state next;
	bool ends;
} moves[STATE_COUNT][EVENT_COUNT] = {
	[HEADING] = {
		[ASKED]    = { hand_over,     WORKING,   GOES_ON },
		[REFUSED]  = { begin_answer,  ANSWERING, GOES_ON },
		[LINGER]   = { linger_begin,  LINGERING, ENDS    },
		[LEFT]     = { finish,        OVER,      ENDS    },
		[EXPIRED]  = { finish,        OVER,      ENDS    },
	},
	[WORKING] = {
		[ANSWERED] = { begin_answer,  ANSWERING, GOES_ON },
		[STREAMS]  = { begin_stream,  STREAMING, GOES_ON },
		[LEFT]     = { finish,        OVER,      ENDS    },
	},
	[STREAMING] = {
		/* The content may have been empty: the head is held still. */
		[ANSWERED] = { begin_answer,  ANSWERING, GOES_ON },
		[UNHEARD]  = { go_on_unheard, HEADING,   ENDS    },
		[LEFT]     = { finish,        OVER,      ENDS    },
	},
	[ANSWERING] = {
		[KEEP]     = { await_head,    HEADING,   ENDS    },
		[LINGER]   = { linger_begin,  LINGERING, ENDS    },
		[UNHEARD]  = { go_on_unheard, HEADING,   ENDS    },
		[LEFT]     = { finish,        OVER,      ENDS    },
		[EXPIRED]  = { finish,        OVER,      ENDS    },
	},
	[LINGERING] = {
		[LEFT]     = { finish,        OVER,      GOES_ON },
		[EXPIRED]  = { finish,        OVER,      GOES_ON },
	},
};
/* clang-format on */

void
conn_on(struct conn *c, enum event ev)
{
	const struct move *m;

	check_magic(c, CONN_MAGIC);
	check(c->state < STATE_COUNT && ev < EVENT_COUNT);
	m = &moves[c->state][ev];
	if (m->act == NULL)
		die("connection of request %" PRIu64 ": %s while %s",
		    c->exchange.id, event_name[ev], state_name[c->state]);
	log_debug("connection of request %" PRIu64 ": %s: %s -> %s",
	    c->exchange.id, event_name[ev], state_name[c->state],
	    state_name[m->next]);
	c->state = m->next;
	if (m->ends)
		conn_end_exchange(c);
	m->act(c);
}

/* ---- for the group ---- */

int
conn_begin(struct connections *g, int fd, const struct addr *peer,
    limits_entry place, bool rejected, bool on_loopback)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->magic = CONN_MAGIC;
	c->state = HEADING;
	c->group = g;
	c->peer = *peer;
	c->place = place;
	c->rejected = rejected;
	c->on_loopback = on_loopback;
	transport_init_plain(&c->transport, fd);
	/* A UNIX socket has no stamps, and would pass us descriptors beside. */
	c->transport.stamped = g->stamped && peer->ss.ss_family != AF_UNIX;
	list_append(&g->conns, &c->node);
	atomic_fetch_add(&g->slot->connections, 1);
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	c->readable.data = c;
	response_writer_init(
	    &c->response_writer, g->loop, &c->transport, c, on_sent);
	deadline_init(&c->patience, g->loop, on_due);
	if (rejected) {
		deadline_set(&c->patience, ROOM_S);
		return 0;
	}
	set_patience_ms(c, g->conf->header_timeout_ms);
	transport_await_recv(&c->transport, g->loop, &c->readable);
	return 0;
}
