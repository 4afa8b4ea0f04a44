/*
 * http/exchange.h - one request and its response, for its handler.
 *
 *	on_request -> [ exchange_take ... ] -> exchange_respond
 *	                                    -> exchange_stream ... exchange_streamed
 *	                                    -> exchange_leave
 *
 * An exchange begins with a request's head and ends when its response was sent, or
 * will never be.  It is answered once, from within on_request() or later; a
 * handler that answers later takes it in hand, and is told when that is over
 * without it.  While it is in hand the socket is read by the handler only
 * (through exchange_body()).
 *
 * When a response cannot be sent whole, nothing is sent on that connection any more;
 * but further requests that are here whole are handed to the handler as ever.
 *
 * Calls marked "ends the exchange" may free it: the handler must not touch it, nor
 * its head and its body, after them.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/outcome.h"
#include "base/str.h"
#include "flow/sink.h"
#include "flow/source.h"
#include "http/head.h"
#include "http/response.h"

struct exchange;
struct meter;

/* Who answers requests; called from the loop. */
struct handler {
	/* A request came: answer it, or exchange_take() it to do so later. */
	void (*on_request)(struct handler *h, struct exchange *x);
	/* Add the field lines, each with its CRLF, that go with any response to
	 * this request, by the handler or not; of a head that was refused there
	 * may be nothing but what was read of it. */
	void (*add_fields)(
	    struct handler *h, const struct head *head, struct str *out);
};

/* What a handler that has an exchange in hand is told. */
struct exchange_ops {
	/* It ends without a response: give up all that belongs to it, and do not
	 * touch the exchange any more.  Returns how it ended, as exchange_leave()
	 * has it. */
	enum outcome (*on_gone)(void *owner);
	/* The server stops now.  True: it was given up, as above, and is answered
	 * with 503; false: too much was done for it already, it will be answered.
	 * NULL: on_gone() at any time. */
	bool (*on_stop)(void *owner);
};

/* It will be answered later: `owner` is told what `ops` has until then, in place
 * of the owner before. */
void exchange_take(
    struct exchange *x, const struct exchange_ops *ops, void *owner);

/*
 * exchange_watch(x), exchange_unwatch(x):
 * While the body is not being read: does the client leave?  The socket is looked at
 * every quarter of a second and nothing is read from it.  A client that has closed
 * is gone, and on_gone() tells, unless all of its body is here, or (chunked) may
 * be: then it may have closed its sending side only, and wait for the response.
 */
void exchange_watch(struct exchange *x);
void exchange_unwatch(struct exchange *x);

/* ---- the request ---- */

/* Its head; good for as long as the exchange, or until exchange_drop_head(). */
const struct head *exchange_head(const struct exchange *x);

/*
 * exchange_drop_head(x):
 * The handler has what it needs of the head.  One that is still wanted when
 * on_request() returns is copied, a kilobyte for each exchange in hand; one that
 * was dropped by then costs nothing.
 */
void exchange_drop_head(struct exchange *x);

/* Numbers the requests of this worker, for logs. */
uint64_t exchange_id(const struct exchange *x);

/* It came in by an address that only this machine reaches. */
bool exchange_is_on_loopback(const struct exchange *x);

/* It came in by a UNIX socket, where a proxy is, and behind it many clients. */
bool exchange_is_unix(const struct exchange *x);

/* The request's body, for a reader; ended from the start when it has none. */
struct source *exchange_body(struct exchange *x);

/* More than `max` bytes of body fail with TOO_LARGE. */
void exchange_limit_body(struct exchange *x, uint64_t max);

/* Bytes of body that were read so far. */
uint64_t exchange_body_bytes(const struct exchange *x);

/* Why a body is malformed: a static sentence, after BAD_FRAMING. */
const char *exchange_body_problem(const struct exchange *x);

/* When what was received last came, by clock_mono_ns(): see transport.h. */
uint64_t exchange_came_ns(struct exchange *x);

/* And when it would have, had all of this request been received at once. */
uint64_t exchange_would_come_ns(struct exchange *x);

/*
 * exchange_leave_note(x, note), exchange_take_note(x):
 * `note`, from malloc(), is the connection's from here on, for the handler of its
 * very next request; to be left before this one is answered.  What was left
 * is the caller's then, to be freed; NULL: the request just before left nothing.
 */
void exchange_leave_note(struct exchange *x, void *note);
void *exchange_take_note(struct exchange *x);

/* ---- the response ---- */

/* Send 100 Continue if the client waits for it and has sent no body yet. */
void exchange_continue(struct exchange *x);

/* For the access log: what was measured of an upload, `m` having stopped; that
 * it is `hashed`, and its name.  They are copied. */
void exchange_measured(
    struct exchange *x, const struct meter *m, bool hashed, const char *name);

/*
 * exchange_respond(x, r):
 * The final response; what `r` holds is freed.  When the body was not read to
 * its end, the connection closes after it, letting the client see the response
 * first.  Ends the exchange.
 */
void exchange_respond(struct exchange *x, struct response *r);

/* Respond with a problem (response_problem()) whose detail is `why`; `outcome` is
 * for the access log.  Ends the exchange. */
void exchange_refuse(
    struct exchange *x, int status, const char *why, enum outcome outcome);

/* Respond with the problem that `e` stands for, where it is about no location and no
 * file.  Ends the exchange. */
void exchange_fail(struct exchange *x, enum outcome e);

/*
 * exchange_stream(x, r):
 * The head of a response whose content follows through the sink that is
 * returned; then call exchange_streamed().  What `r` holds is freed.  Content of
 * RESPONSE_LENGTH_UNKNOWN is sent in chunks (RFC 9112 7.1), and to a client of
 * HTTP/1.0 until the connection closes.  Not for HEAD, nor without content: that
 * is exchange_respond()'s.
 */
struct sink *exchange_stream(struct exchange *x, struct response *r);

/* Content failed: true when nothing was sent yet, not even the head; then
 * exchange_respond() ends the exchange, else exchange_streamed(). */
bool exchange_unstream(struct exchange *x);

/* All of the content was sent, or (false) sending failed; `outcome` is for the
 * access log.  Ends the exchange. */
void exchange_streamed(struct exchange *x, bool whole, enum outcome outcome);

/* The client is gone, or must not get a response: close.  Ends the exchange. */
void exchange_leave(struct exchange *x, enum outcome outcome);

#endif
