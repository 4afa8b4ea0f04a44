/*
 * A connection from the inside.  Each of these files calls only those before it:
 *
 *	exchange_log.c	the line of the exchange in the access log
 *	conn.c		the state table, and what is done on each move
 *	exchange.c	the request in hand, for its handler
 *	conn_events.c	what comes from the client, and the passing of time
 *	connections.c	all connections of a server block
 */
#ifndef CONN_INTERNAL_H
#define CONN_INTERNAL_H

#include <ev.h>

#define CONN_MAGIC 0x636f6e6eU

/* For one more request when the worker stops. */
#define CONN_STOP_GRACE_S 1.0

/* To ask, and to hear that there are too many. */
#define CONN_REJECTED_S 1.0

#include "base/fsm.h"
#include "loop/deadline.h"
#include "net/transport.h"
#include "http/access.h"
#include "http/body.h"
#include "http/connections.h"
#include "http/head_reader.h"
#include "http/response_writer.h"
#include "linger.h"

enum conn_state {
	CONN_HEADING,	/* waiting for a head, or for the rest of one */
	CONN_WORKING,	/* the handler has the request */
	CONN_STREAMING, /* and sends content from a flow */
	CONN_ANSWERING, /* sending a response, or the last of it */
	CONN_LINGERING, /* answered and refused: the client may still send */
	CONN_OVER,
	CONN_STATES
};

enum conn_event {
	CONN_ASKED,    /* a good head */
	CONN_REFUSED,  /* a bad one, or one that took too long: a response
			  follows */
	CONN_ANSWERED, /* the handler has its response, or the end of it */
	CONN_STREAMS,  /* or the head of one, whose content follows */
	CONN_KEEP,     /* all sent, and another request may come */
	CONN_LINGER,   /* nothing more is sent, but the client may not have seen
			  all of it yet */
	CONN_UNHEARD, /* not all was sent, and nothing will be any more; but the
			  client may have sent further requests before */
	CONN_LEFT,    /* the client is gone, or is to be */
	CONN_EXPIRED, /* it was given time enough */
	CONN_EVENTS
};

enum {
	CONN_ENDS_EXCHANGE = 1, /* mark of a move in its table */
};

extern const struct fsm_table conn_table;

/* A request and its response; with all but `conn` zeroed, nothing came yet. */
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
	bool waits_for_100; /* and has sent nothing of its body */
};

struct conn {
	unsigned magic;
	unsigned state; /* enum conn_state */
	struct connections *group;
	struct list_node node;
	struct list_node turn; /* on group->turns: waits for its turn */
	struct transport transport;
	uint64_t requests;  /* heads that were read */
	bool on_loopback;   /* accepted there */
	bool rejected;	    /* see http/admission.h */
	limits_entry place; /* there */
	ev_io readable;
	struct head_reader head_reader;
	struct response_writer response_writer;
	struct deadline patience; /* with the client */
	struct lingering linger;
	void *note;	   /* for the handler of request `note_for`; or NULL */
	uint64_t note_for; /* by `requests` */

	struct exchange exchange; /* the present one */
	bool looked;		  /* for its head when it was due */
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

/* Note what came, which was refused or (`h`) parsed, perhaps in part. */
void exchange_log_describe(struct exchange *x,
    const struct head_reader_head *got, const struct head *h);

/* The one that runs, if any, has ended: write its line.  The next state is set
 * already. */
void exchange_log_end(struct exchange *x);

/* ---- exchange.c: for conn_events.c and connections.c ---- */

/* Set up the body, of which `len` bytes at `pre` came along.  What is not its own
 * of that is the next request's and is kept.  0 or -ENOMEM. */
NODISCARD int exchange_begin_body(
    struct exchange *x, const struct head *h, const char *pre, size_t len);

/* The head is malformed, or will never be whole: find its Origin, which decides
 * about the fields of the refusal. */
void exchange_glimpse(struct exchange *x, const struct head_reader_head *got);

/* Ask the handler for the lines that go with any response to `h`; NULL: there is
 * no head, or it was asked for already. */
void exchange_add_fields(struct exchange *x, const struct head *h);

/* HEADING: refuse whatever is asked, and close.  What `r` holds is freed. */
void exchange_refuse_head(struct exchange *x, struct response *r);

/* Hand it to the handler, with its head, whose `len` bytes at `text` are good
 * during this call only. */
void exchange_hand_over(
    struct exchange *x, struct head *h, const char *text, size_t len);

/* WORKING, and watched: is the client still there?  May end it. */
void exchange_look(struct exchange *x);

/* WORKING and STREAMING: it ends without a response, and the handler is told. */
void exchange_drop(struct exchange *x);

/* WORKING: the server stops; false: it will be answered all the same. */
bool exchange_stop(struct exchange *x);

/* ---- conn_events.c ---- */

/* A connection over `fd`, which it owns then, and `place` too; whatever one
 * that is rejected asks, it is told that there are too many.  0, or -ENOMEM
 * and nothing was taken. */
NODISCARD int conn_begin(struct connections *g, int fd, const struct addr *peer,
    limits_entry place, bool rejected, bool on_loopback);

/* HEADING: its turn has come; `n` is conn.turn. */
void conn_take_turn(struct list_node *n);

/* ---- conn.c ---- */

/*
 * The only place where a connection changes state.  The action comes last
 * because it may free `c`; callers must not touch `c` afterwards either.
 */
void conn_on(struct conn *c, enum conn_event ev);

/* HEADING: no response can be given to what is asked, if anything is: close. */
void conn_leave_heading(struct conn *c, enum outcome outcome);

/* The client has so long from now on. */
void conn_set_patience(struct conn *c, double seconds);

/* How long the client may take nothing of what it is sent, in seconds.  While
 * content is streamed it holds chunks, which others may need. */
double conn_send_limit_s(const struct conn *c);

/* Look again when it would be late, and some times before: what the client takes
 * from the kernel shows only from look to look.  It has taken nothing for
 * `stalled_s`. */
void conn_await_progress(struct conn *c, double stalled_s);

/* HEADING: something of the next request is here, so that an exchange runs. */
static inline bool
conn_has_begun(const struct conn *c)
{
	return c->exchange.record.began_ns != 0 ||
	       head_reader_has_begun(&c->head_reader) ||
	       list_is_linked(&c->turn);
}

/* The response before was not sent whole: none is sent any more, and the client
 * is not waited for. */
static inline bool
conn_is_unheard(const struct conn *c)
{
	return c->response_writer.muted != 0;
}

/* STREAMING and ANSWERING: it is certain that the response will not be sent whole.
 * Requests that came whole before that are carried out. */
static inline enum conn_event
conn_after_cut(const struct conn *c)
{
	return c->exchange.keep && c->exchange.body.source.ended ? CONN_UNHEARD
								 : CONN_LEFT;
}

#endif
