/*
 * The inside of a connection.  Each of these files calls only those listed before it:
 *
 *	exchange_log.c	the line of the exchange in the access log
 *	conn.c		the state table, and the actions of its moves
 *	exchange.c	the request in hand, for its handler
 *	conn_events.c	bytes from the client, and time that passes
 *	connections.c	all connections of a server block
 */
#ifndef CONN_INTERNAL_H
#define CONN_INTERNAL_H

#include <ev.h>

#define CONN_MAGIC 0x636f6e6eU

/* How long an idle connection may send one more request when the worker stops. */
#define CONN_STOP_GRACE_S 1.0

/* How long a connection beyond max_connections_per_ip has to ask and to be refused. */
#define CONN_REJECTED_S 1.0

#include "base/fsm.h"
#include "loop/deadline.h"
#include "net/tls.h"
#include "net/transport.h"
#include "http/access.h"
#include "http/body.h"
#include "http/connections.h"
#include "http/head_reader.h"
#include "http/response_writer.h"
#include "linger.h"

enum conn_state {
	CONN_HANDSHAKING, /* of TLS, before anything else */
	CONN_HEADING,	  /* waiting for a head, or for the rest of one */
	CONN_WORKING,	  /* the handler has the request */
	CONN_STREAMING,	  /* the handler sends content by a flow */
	CONN_ANSWERING,	  /* sending a response, or the last of it */
	CONN_LINGERING,	  /* answered, but the client may still send */
	CONN_OVER,
	CONN_STATES
};

enum conn_event {
	CONN_READY,    /* the handshake is done, or there is none */
	CONN_ASKED,    /* a good head */
	CONN_REFUSED,  /* a malformed head, or one that took too long: a
			  response follows */
	CONN_ANSWERED, /* the handler has its response, or the end of it */
	CONN_STREAMS,  /* the handler has a head, whose content follows */
	CONN_KEEP,     /* all is sent, and another request may come */
	CONN_LINGER,   /* nothing more is sent, but the client may not have seen
			  all of it yet */
	CONN_UNHEARD, /* a response was not sent whole, so nothing more is sent;
			  but further requests may have arrived before */
	CONN_LEFT,    /* the client has left, or the connection is to close */
	CONN_EXPIRED, /* the client's time is up */
	CONN_EVENTS
};

enum {
	CONN_ENDS_EXCHANGE = 1, /* mark of a move in its table */
};

extern const struct fsm_table conn_table;

/* A request and its response, from the first byte of its head on. */
struct exchange {
	struct conn *conn;    /* whose it is */
	struct access record; /* what is known of it, for its line in the log */
	const struct exchange_ops
	    *ops; /* of the handler's that has it in hand; NULL: none */
	void *owner;
	struct head *head; /* NULL: not there yet, or not any more */
	struct str fields; /* that go with any response to it */
	struct body body;
	uint32_t head_len; /* of its response: bytes that are no content */
	bool head_kept;	   /* `head` is a copy, to be freed */
	bool keep;	   /* the client may send another */
	bool head_only;
	bool old;	    /* HTTP/1.0 */
	bool from_browser;  /* and through no proxy, as far as one says so */
	bool literal;	    /* handler.is_literal */
	bool waits_for_100; /* and has sent nothing of its body */
};

struct conn {
	unsigned magic;
	unsigned state; /* enum conn_state */
	struct connections *group;
	struct list_node node;
	/* On group->turns, or group->handshakes: waits for its turn. */
	struct list_node turn;
	struct transport transport;
	uint64_t requests;  /* heads that were read */
	bool on_loopback;   /* accepted there */
	bool rejected;	    /* see http/admission.h */
	bool no_tls;	    /* the client does not speak it, and should */
	limits_entry place; /* there */
	ev_io readable;
	struct head_reader head_reader;
	struct response_writer response_writer;
	struct deadline patience; /* with the client */
	struct lingering linger;
	void *note;	   /* for the handler of request `note_for`; or NULL */
	uint64_t note_for; /* by `requests` */

	struct exchange *exchange; /* the present one; NULL: nothing of it is
				      here, or there is no memory for it */
	bool looked;		   /* for its head when it was due */
	struct addr peer; /* allocated as far as it is in use: the last one */
};

/* Whose exchange it is. */
static inline struct conn *
conn_of(const struct exchange *x)
{
	check_magic(x->conn, CONN_MAGIC);
	return x->conn;
}

/* ---- exchange_log.c: all of it is for the line in the access log ---- */

/* It begins, unless it has. */
void exchange_log_begin(struct exchange *x);

/* Note the request: from `h`, if it was parsed as far as that, else from the bytes. */
void exchange_log_describe(struct exchange *x,
    const struct head_reader_head *got, const struct head *h);

/* The exchange has ended: write its line, unless none has begun.  The state is the next
 * one already. */
void exchange_log_end(struct exchange *x);

/* ---- exchange.c: for conn_events.c and connections.c ---- */

/* Set up the body.  `len` bytes at `pre` came with the head; those that are not the
 * body's belong to the next request, and are kept.  0 or -ENOMEM. */
NODISCARD int exchange_begin_body(
    struct exchange *x, const struct head *h, const char *pre, size_t len);

/* The head is malformed, or will never be whole: find its Origin, on which field lines
 * of the refusal depend. */
void exchange_glimpse(struct exchange *x, const struct head_reader_head *got);

/* Ask the handler, once, for the field lines of all responses to `h`; NULL: there is no
 * head. */
void exchange_add_fields(struct exchange *x, const struct head *h);

/* HEADING: refuse the request with `r`, whatever it is, and close.  Frees what `r`
 * holds. */
void exchange_refuse_head(struct exchange *x, struct response *r);

/* Hand the exchange to the handler.  Its head lies in the `len` bytes at `text`, which are
 * valid during this call only. */
void exchange_hand_over(
    struct exchange *x, struct head *h, const char *text, size_t len);

/* WORKING, after exchange_watch(): look whether the client is still there.  May end the
 * exchange. */
void exchange_look(struct exchange *x);

/* WORKING and STREAMING: end it without a response; the handler is told. */
void exchange_drop(struct exchange *x);

/* WORKING: the server stops.  True: the handler has given it up, and it can be answered
 * with 503; false: the handler will answer. */
bool exchange_stop(struct exchange *x);

/* ---- conn_events.c ---- */

/* Count a connection, unless what a trusted proxy passes on is counted by the request. */
NODISCARD enum admission_answer conn_admit(
    struct connections *g, const struct addr *peer, limits_entry *ret_place);

/* Begin a connection, which owns `fd` and `place`, and speaks TLS if there is a `port`.  If
 * it is `rejected`, its requests are refused because there are too many connections.  0; or
 * -ENOMEM, and `fd` and `place` stay the caller's. */
NODISCARD int conn_begin(struct connections *g, int fd, const struct addr *peer,
    limits_entry place, bool rejected, const struct connections_door *door);

/* HEADING: its turn has come; `n` is conn.turn. */
void conn_take_turn(struct list_node *n);

/* HANDSHAKING: the same. */
void conn_shake_hands(struct list_node *n);

/* HEADING: does what is asked seem to be a HEAD?  It is read for that, and cannot be asked any
 * more. */
bool conn_seems_head(struct conn *c);

/* ---- conn.c ---- */

/*
 * The only place where a connection changes state.  The action comes last
 * because it may free `c`; callers must not touch `c` afterwards either.
 */
void conn_on(struct conn *c, enum conn_event ev);

/* HEADING, at first: wait for a head. */
void conn_begin_heading(void *conn);

/* HEADING: make sure of an exchange; false when out of memory. */
NODISCARD bool conn_begin_exchange(struct conn *c);

/* HEADING: close without a response, whether a request has begun or not. */
void conn_leave_heading(struct conn *c, enum outcome outcome);

/* The client has so many seconds from now on. */
void conn_set_patience(struct conn *c, double seconds);

/* For how many seconds the client may take nothing of a response.  Less while content
 * is streamed and other connections wait for its chunks. */
double conn_send_limit_s(const struct conn *c);

/* The client has taken nothing for `stalled_s`: set the time of the next look.  There are
 * several looks before its time is up, since only they show what it has taken from
 * the kernel. */
void conn_await_progress(struct conn *c, double stalled_s);

/* HEADING: true when bytes of the next request are here, so that an exchange has begun. */
static inline bool
conn_has_begun(const struct conn *c)
{
	return (c->exchange != NULL && c->exchange->record.began_ns != 0) ||
	       head_reader_has_begun(&c->head_reader) ||
	       list_is_linked(&c->turn);
}

/* True when an earlier response was not sent whole: no response is sent any more, and
 * the connection does not wait for further requests. */
static inline bool
conn_is_unheard(const struct conn *c)
{
	return c->response_writer.muted != 0;
}

/* STREAMING and ANSWERING: the event when it is certain that the response will not be
 * sent whole.  Requests that have arrived whole are still carried out. */
static inline enum conn_event
conn_after_cut(const struct conn *c)
{
	return c->exchange->keep && c->exchange->body.source.ended
		   ? CONN_UNHEARD
		   : CONN_LEFT;
}

#endif
