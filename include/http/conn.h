/*
 * http/conn.h - one client connection: requests in, answers out.
 *
 *	heading -> working -> answering | streaming -> heading ...
 *	                               \-> lingering -> over
 *
 * A connection reads a head, hands the request to its handler, and sends the
 * answer when the handler has one.  In between the socket belongs to the
 * handler's reader (through conn_body()), and is watched by nobody else.
 *
 * Each request and its answer are an exchange, which has its line in the access log
 * when it has ended.  When an answer cannot be sent whole, nothing is sent any
 * more; but further requests that are here whole are handed to the handler as
 * ever, and have their lines.
 *
 * Who ends it: only the connection itself.  Calls marked "ends the request"
 * may free it; the handler must not touch it, nor the request's body, after.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/list.h"
#include "config/config.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "http/admission.h"
#include "http/head.h"
#include "http/response.h"
#include "http/turns.h"

struct chunk_pool;
struct conn;
struct journal;
struct meter;
struct slot;

/* Who answers requests; called from the loop. */
struct handler {
	/*
	 * A request came.  `head` is valid during this call only.  The
	 * handler answers, now or later, in one of the ways below; `*request`
	 * is its own until then.
	 */
	void (*on_request)(struct handler *h, struct conn *c,
	    const struct head *head, void **request);
	/* Add the field lines, each with its CRLF, that go with whatever this
	 * request is answered with, by the handler or not; of a head that was
	 * refused there may be nothing but what was read of it. */
	void (*add_fields)(
	    struct handler *h, const struct head *head, struct str *out);
	/* The connection is being dropped: forget the request and what it
	 * has, and do not touch the connection any more.  Returns the word for
	 * how it ended, as conn_leave() has it. */
	const char *(*on_gone)(struct handler *h, void *request);
	/* The server stops now.  True: the request is forgotten, as above, and
	 * the connection says so; false: too much was done for it already, it
	 * will be answered. */
	bool (*on_stop)(struct handler *h, void *request);
};

/* What the connections of one server block share; one set per worker. */
struct connections {
	struct ev_loop *loop;
	struct chunk_pool *pool; /* whose chunks answers are streamed from */
	const struct conf_server *conf;
	struct handler *handler;
	struct slot *slot;	      /* whose `connections` they count in */
	struct admission admission;   /* its scopes; the rest is set by init */
	struct journal *access;	      /* NULL: no access log */
	void (*on_closed)(void *arg); /* there is one fewer */
	void *arg;
	bool stamped; /* their sockets are fd_stamp()ed */
	struct list conns;
	struct turns turns; /* of those with a further request at hand */
	bool stopping;	    /* no request after the present one */
	uint64_t *ids;	    /* the last id given out, of the worker */
};

/* With all that is asked for above `conns` set: ready for connections. */
void connections_init(struct connections *g);

/* Take over the accepted socket `fd`; it is closed when memory is short.  Was it
 * accepted on a loopback address? */
void connections_open(
    struct connections *g, int fd, const struct addr *peer, bool on_loopback);

/* Numbers the requests of this worker, for logs. */
uint64_t conn_id(const struct conn *c);

/* It came in by an address that only this machine reaches. */
bool conn_is_on_loopback(const struct conn *c);

/* It came in by a UNIX socket, where a proxy is, and behind it many clients. */
bool conn_is_unix(const struct conn *c);

/* The request's body, for a reader; ended from the start when it has none. */
struct source *conn_body(struct conn *c);

/* More than `max` bytes of body fail with BODY_TOO_LARGE. */
void conn_limit_body(struct conn *c, uint64_t max);

/* Bytes of body that were read so far. */
uint64_t conn_body_bytes(const struct conn *c);

/* When what was received last came, by clock_mono_ns(): see transport.h. */
uint64_t conn_came_ns(struct conn *c);

/* And when it would have, had we received all of this request at once. */
uint64_t conn_would_come_ns(struct conn *c);

/*
 * conn_leave_note(c, note), conn_take_note(c):
 * `note`, from malloc(), is the connection's from here on, for whoever handles
 * its very next request; to be left before this one is answered.  What was left
 * is the caller's then, to be freed; NULL: the request just before left nothing.
 */
void conn_leave_note(struct conn *c, void *note);
void *conn_take_note(struct conn *c);

/* Why a body is malformed: a static sentence, after BODY_BAD_FRAMING. */
const char *conn_body_problem(const struct conn *c);

/* Send 100 Continue if the client waits for it and has sent no body yet. */
void conn_continue(struct conn *c);

/* For the access log: what was measured of an upload, `m` having stopped; that
 * it is `hashed`, and its name.  They are copied. */
void conn_measured(
    struct conn *c, const struct meter *m, bool hashed, const char *name);

/*
 * conn_answer(c, r):
 * The final response; what `r` holds is freed.  When the body was not read to
 * its end, the connection closes after it, letting the client see the response
 * first.  Ends the request.
 */
void conn_answer(struct conn *c, struct response *r);

/*
 * conn_stream(c, r):
 * The head of a response whose content follows through the sink that is
 * returned; then call conn_streamed().  What `r` holds is freed.
 */
struct sink *conn_stream(struct conn *c, struct response *r);

/* Content failed: true when nothing was sent yet, not even the head; then
 * conn_answer() ends the request, else conn_streamed(). */
bool conn_unstream(struct conn *c);

/* All of the content was sent, or (false) sending failed; `ending` is the word
 * for the access log, static.  Ends the request. */
void conn_streamed(struct conn *c, bool whole, const char *outcome);

/* The client is gone, or must not get an answer: close.  Ends the request. */
void conn_leave(struct conn *c, const char *outcome);

/* One more request at most for each, answered with Connection: close; those
 * that ask for nothing are closed in a second. */
void connections_stop(struct connections *g);

/* The server stops at once: requests in hand get 503, what is being sent may
 * end, everything else is closed.  What is left in a moment is to be dropped. */
void connections_cut(struct connections *g);

/* Close them all, now; handlers are told. */
void connections_drop(struct connections *g);

#endif
