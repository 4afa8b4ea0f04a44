/*
 * The connection's state table, and what is done on each move.  What posts the
 * events stands in conn_events.c, exchange.c and connections.c.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "disk/chunk.h"
#include "conn_internal.h"
#include "shared/shm.h"

#define STALLED_S 5.0 /* send_timeout while others wait for memory */
#define LONG_S 2.0    /* where 10 ms are nothing */
#define ROOM_S 0.100  /* for another one to leave, before one is rejected */

enum {
	LOOKS = 5, /* at the progress of a response, within its limit */
};

static const char *const state_names[CONN_STATES] = {
    [CONN_HANDSHAKING] = "handshaking",
    [CONN_HEADING] = "heading",
    [CONN_WORKING] = "working",
    [CONN_STREAMING] = "streaming",
    [CONN_ANSWERING] = "answering",
    [CONN_LINGERING] = "lingering",
    [CONN_OVER] = "over",
};

static const char *const event_names[CONN_EVENTS] = {
    [CONN_READY] = "ready",
    [CONN_ASKED] = "asked",
    [CONN_REFUSED] = "refused",
    [CONN_ANSWERED] = "answered",
    [CONN_STREAMS] = "streams",
    [CONN_KEEP] = "keep",
    [CONN_LINGER] = "linger",
    [CONN_UNHEARD] = "unheard",
    [CONN_LEFT] = "left",
    [CONN_EXPIRED] = "expired",
};

void
conn_on(struct conn *c, enum conn_event ev)
{
	check_magic(c, CONN_MAGIC);
	fsm_on(&conn_table, &c->state, ev,
	    c->exchange != NULL ? c->exchange->record.id : 0, c);
}

void
conn_set_patience(struct conn *c, double seconds)
{
	if (seconds >= LONG_S)
		deadline_set_about(&c->patience, seconds);
	else
		deadline_set(&c->patience, seconds);
}

/* The handler has it in hand no longer. */
static void
conn_release(struct exchange *x)
{
	struct connections *g = conn_of(x)->group;

	if (g->asking == x)
		g->asking = NULL;
	if (x->head_kept)
		free(x->head);
	x->head_kept = false;
	x->head = NULL;
	x->ops = NULL;
	x->owner = NULL;
}

bool
conn_begin_exchange(struct conn *c)
{
	if (c->exchange != NULL)
		return true;
	c->exchange = malloc(sizeof(*c->exchange));
	if (c->exchange == NULL)
		return false;
	*c->exchange = (struct exchange){.conn = c};
	return true;
}

/* Nothing of it is left: the next one may come.  A connection that waits for one has
 * none, and holds no memory for it. */
static void
forget_exchange(struct conn *c)
{
	struct exchange *x = c->exchange;

	if (x == NULL)
		return;
	conn_release(x);
	body_fini(&x->body);
	if (x->record.who != NULL)
		admission_leave(
		    &x->conn->group->admission, &x->record.who->place);
	access_fini(&x->record);
	str_fini(&x->fields);
	free(x);
	c->exchange = NULL;
}

/* ---- progress of a response ---- */

double
conn_send_limit_s(const struct conn *c)
{
	double limit = c->group->conf->send_timeout_s;

	/* From a file no chunk is needed. */
	if (c->state == CONN_STREAMING && limit > STALLED_S &&
	    c->response_writer.file == NULL &&
	    chunk_pool_is_short(c->group->pool))
		return STALLED_S;
	return limit;
}

void
conn_await_progress(struct conn *c, double stalled_s)
{
	double limit = conn_send_limit_s(c), left = limit - stalled_s;

	conn_set_patience(c, left < limit / LOOKS ? left : limit / LOOKS);
}

/* ---- HEADING ---- */

void
conn_leave_heading(struct conn *c, enum outcome outcome)
{
	if (conn_has_begun(c) && conn_begin_exchange(c)) {
		exchange_log_begin(c->exchange);
		c->exchange->record.outcome = outcome;
	}
	conn_on(c, CONN_LEFT);
}

/* Nothing of the request before is left. */
static void
forget_request(struct conn *c)
{
	forget_exchange(c);
	transport_forget_late(&c->transport);
	c->looked = false;
}

void
conn_begin_heading(void *owner)
{
	struct conn *c = owner;

	c->looked = false;
	if (c->rejected) {
		ev_io_stop(c->group->loop, &c->readable);
		deadline_set(&c->patience, ROOM_S);
		return;
	}
	if (c->group->stopping)
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
	else
		conn_set_patience(c, c->group->conf->header_timeout_s);
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
}

/* How long the client may take until its next request begins. */
static void
set_head_patience(struct conn *c)
{
	const struct conf_server *conf = c->group->conf;

	if (head_reader_has_bytes(&c->head_reader))
		conn_set_patience(c, conf->header_timeout_s);
	else if (c->group->stopping)
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
	else
		conn_set_patience(c, conf->keepalive_timeout_s);
}

static void
await_head(void *owner)
{
	struct conn *c = owner;
	const unsigned char *more;
	size_t len;
	int err;

	body_leftover(&c->exchange->body, &more, &len);
	err = head_reader_hold(&c->head_reader, more, len);
	forget_request(c);
	head_reader_next(&c->head_reader);
	if (err < 0) {
		if (conn_begin_exchange(c))
			exchange_log_begin(c->exchange);
		conn_leave_heading(c, OUTCOME_NO_MEMORY);
		return;
	}
	set_head_patience(c);
	if (head_reader_has_bytes(&c->head_reader) || conn_is_unheard(c))
		turns_await(
		    &c->group->turns, &c->turn); /* what is here first */
	else
		transport_await_recv(
		    &c->transport, c->group->loop, &c->readable);
}

/* The client learns that this was all; what it asked for before it could know
 * is carried out all the same, as far as it is here whole. */
static void
go_on_unheard(void *owner)
{
	struct conn *c = owner;

	response_writer_mute(&c->response_writer, -EPIPE);
	c->transport.cut = true;
	transport_shutdown(&c->transport);
	await_head(c);
}

/* ---- the other states ---- */

/* WORKING: the socket is the handler's reader's. */
static void
hand_over(void *owner)
{
	struct conn *c = owner;

	ev_io_stop(c->group->loop, &c->readable);
	deadline_clear(&c->patience);
}

/* A response is about to be sent, or the end of one; this ends nothing. */
static void
begin_answer(void *owner)
{
	struct conn *c = owner;

	conn_release(c->exchange);
	ev_io_stop(c->group->loop, &c->readable);
	conn_await_progress(c, 0);
}

/* The head of one is held until content comes; this ends nothing. */
static void
begin_stream(void *owner)
{
	conn_await_progress(owner, 0);
}

/* Does the client read no response before it has sent all of its body? */
static bool
is_deaf(const struct exchange *x)
{
	return x != NULL && x->from_browser && !x->body.source.ended;
}

static void
begin_linger(void *owner)
{
	struct conn *c = owner;
	const struct conf_server *conf = c->group->conf;

	linger_begin(&c->linger, &c->transport,
	    c->rejected ? CONN_REJECTED_S : conf->lingering_time_s,
	    conf->lingering_timeout_s, is_deaf(c->exchange));
	/* What came with the head is of no use any more. */
	forget_exchange(c);
	head_reader_fini(&c->head_reader);
	transport_await_recv(&c->transport, c->group->loop, &c->readable);
	deadline_set(&c->patience, linger_left_s(&c->linger));
}

static void
conn_end(void *owner)
{
	struct conn *c = owner;
	struct connections *g = c->group;

	ev_io_stop(g->loop, &c->readable);
	response_writer_fini(&c->response_writer);
	deadline_fini(&c->patience);
	if (c->exchange != NULL)
		c->transport.cut = true;
	transport_close(&c->transport);
	head_reader_fini(&c->head_reader);
	forget_exchange(c);
	free(c->note);
	list_remove(&c->node);
	list_remove(&c->turn);
	atomic_fetch_sub(&g->slot->connections, 1);
	admission_leave(&g->admission, &c->place);
	c->magic = 0;
	free(c);
	g->on_closed(g->arg);
}

/* The mark of a move that ends the exchange: its line is written. */
static void
end_exchange(void *owner)
{
	struct conn *c = owner;

	if (c->exchange != NULL)
		exchange_log_end(c->exchange);
}

/*
 * Every move a connection can make.  One that does not speak TLS begins with
 * HEADING.  An exchange begins in HEADING, with the first byte of a head, and
 * every way out of WORKING, STREAMING, ANSWERING and, for a head that never
 * became whole, HEADING ends it once.
 */
enum {
	GOES_ON = 0,
	ENDS = CONN_ENDS_EXCHANGE,
};

/* clang-format off */
static const struct fsm_square squares[CONN_STATES][CONN_EVENTS] = {
	[CONN_HANDSHAKING] = {
		[CONN_READY]    = { FSM_ACT, CONN_HEADING,   conn_begin_heading, GOES_ON },
		[CONN_LINGER]   = { FSM_ACT, CONN_LINGERING, begin_linger,  GOES_ON },
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      GOES_ON },
		[CONN_EXPIRED]  = { FSM_ACT, CONN_OVER,      conn_end,      GOES_ON },
	},
	[CONN_HEADING] = {
		[CONN_ASKED]    = { FSM_ACT, CONN_WORKING,   hand_over,     GOES_ON },
		[CONN_REFUSED]  = { FSM_ACT, CONN_ANSWERING, begin_answer,  GOES_ON },
		[CONN_LINGER]   = { FSM_ACT, CONN_LINGERING, begin_linger,  ENDS    },
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
		[CONN_EXPIRED]  = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
	},
	[CONN_WORKING] = {
		[CONN_ANSWERED] = { FSM_ACT, CONN_ANSWERING, begin_answer,  GOES_ON },
		[CONN_STREAMS]  = { FSM_ACT, CONN_STREAMING, begin_stream,  GOES_ON },
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
	},
	[CONN_STREAMING] = {
		[CONN_ANSWERED] = { FSM_ACT, CONN_ANSWERING, begin_answer,  GOES_ON },
		[CONN_UNHEARD]  = { FSM_ACT, CONN_HEADING,   go_on_unheard, ENDS    },
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
	},
	[CONN_ANSWERING] = {
		[CONN_KEEP]     = { FSM_ACT, CONN_HEADING,   await_head,    ENDS    },
		[CONN_LINGER]   = { FSM_ACT, CONN_LINGERING, begin_linger,  ENDS    },
		[CONN_UNHEARD]  = { FSM_ACT, CONN_HEADING,   go_on_unheard, ENDS    },
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
		[CONN_EXPIRED]  = { FSM_ACT, CONN_OVER,      conn_end,      ENDS    },
	},
	[CONN_LINGERING] = {
		[CONN_LEFT]     = { FSM_ACT, CONN_OVER,      conn_end,      GOES_ON },
		[CONN_EXPIRED]  = { FSM_ACT, CONN_OVER,      conn_end,      GOES_ON },
	},
};
/* clang-format on */

const struct fsm_table conn_table = {
    .name = "connection of request",
    .states = CONN_STATES,
    .events = CONN_EVENTS,
    .state_names = state_names,
    .event_names = event_names,
    .first = CONN_HANDSHAKING,
    .final = FSM_STATE(CONN_OVER),
    .squares = squares[0],
    .marked = end_exchange,
};
