/*
 * http/exchange.h - one request and its response, for its handler.
 *
 *	on_request -> [ exchange_take ... ] -> exchange_respond
 *	                                    -> exchange_stream ... exchange_streamed
 *	                                    -> exchange_leave
 *
 * An exchange begins with the head of a request, and ends when the response was sent,
 * or certainly never will be.  It is answered once, from within on_request() or later.
 * A handler that answers later takes it in hand (exchange_take()), and is told if the
 * exchange ends before.  While it is in hand only the handler reads from the socket
 * (exchange_body()).
 *
 * When a response could not be sent whole, nothing more is sent on that connection.
 * But further requests that have arrived whole are still handed to the handler.
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

struct addr;
struct body_trailer;
struct conf_location;
struct digest;
struct exchange;
struct meter;

/* Answers requests; called from the loop. */
struct handler {
	/* A request came: answer it, or exchange_take() it to do so later. */
	void (*on_request)(struct handler *h, struct exchange *x);
	/* Add to `out` the field lines, each with its CRLF, that every response to
	 * this request has, whether the handler answers it or not.  If the head
	 * was refused, `head` has only what was read of it. */
	void (*add_fields)(
	    struct handler *h, const struct head *head, struct str *out);
	/* True when the client would take "later" (429, or a 5xx) for the loss of
	 * what it asks for: then every such answer to it has the status 423, also
	 * those that no handler gives.  NULL: none would. */
	bool (*is_literal)(struct handler *h, const struct head *head);
};

/* Calls to a handler that has an exchange in hand. */
struct exchange_ops {
	/* It ends without a response: free all that belongs to it, and do not
	 * touch the exchange any more.  Returns the outcome for the access
	 * log. */
	enum outcome (*on_gone)(void *owner);
	/* The server stops now.  True: the handler has given it up, as in
	 * on_gone(), and it is answered with 503.  False: too much was done for
	 * it already; the handler will answer.  NULL: on_gone() is called
	 * instead. */
	bool (*on_stop)(void *owner);
};

/* Take the exchange in hand: it will be answered later, and until then `ops` are called
 * with `owner`, instead of those of an earlier exchange_take(). */
void exchange_take(
    struct exchange *x, const struct exchange_ops *ops, void *owner);

/*
 * exchange_watch(x), exchange_unwatch(x):
 * For times in which the body is not read: notice when the client leaves.  The socket is
 * looked at every quarter of a second, without reading from it.  When the client has
 * closed it, on_gone() is called.  But if all of the body has arrived, or (chunked) may
 * have, the client may have closed its sending side only and wait for the response: then
 * nothing happens.
 */
void exchange_watch(struct exchange *x);
void exchange_unwatch(struct exchange *x);

/* ---- the request ---- */

/* Its head, valid as long as the exchange, or until exchange_drop_head(). */
const struct head *exchange_head(const struct exchange *x);

/*
 * exchange_drop_head(x):
 * The handler does not need the head any more.  A head that was not dropped when
 * on_request() returns is copied, which takes a kilobyte for each exchange in hand.
 */
void exchange_drop_head(struct exchange *x);

/* Numbers the requests, over all workers and restarts (shared/request_ids.h): for logs and
 * the receipt. */
uint64_t exchange_id(const struct exchange *x);

/* True when it came in by an address that only this machine can reach. */
bool exchange_is_on_loopback(const struct exchange *x);

/* True when it came in by a UNIX socket: there a proxy asks for many clients. */
bool exchange_is_unix(const struct exchange *x);

/* Who the client is, by the subject of its certificate (RFC 4514), which was verified;
 * NULL: it has shown none, or does not speak TLS.  Valid as long as the exchange. */
const char *exchange_client_name(const struct exchange *x);

/* Whose request it is: the address of the client.  Valid as long as the exchange. */
const struct addr *exchange_client(const struct exchange *x);

/* It is `name` who sends it, as was found out: for log and receipt.  Copied.  False: out of
 * memory. */
NODISCARD bool exchange_note_user(struct exchange *x, const char *name);

/* That name; NULL: nobody was asked.  Valid as long as the exchange. */
const char *exchange_user(const struct exchange *x);

/* The request's body, for a reader; ended from the start when it has none. */
struct source *exchange_body(struct exchange *x);

/* A body of more than `max` bytes (0: no limit) fails with TOO_LARGE. */
void exchange_limit_body(struct exchange *x, uint64_t max);

/* That limit; 0: there is none. */
uint64_t exchange_body_max(const struct exchange *x);

/* Keep a trailer field of the body: body_want_trailer(). */
void exchange_want_trailer(struct exchange *x, struct body_trailer *t);

/* True when its connection is that of a proxy of trusted_proxies; what a head says of
 * others is head.forwarded. */
bool exchange_is_proxied(const struct exchange *x);

/* True when it came in by TLS. */
bool exchange_is_tls(const struct exchange *x);

/* Bytes of body that were read so far: what is to be stored, and what was received of it,
 * which has the framing of a chunked one, too. */
uint64_t exchange_body_bytes(const struct exchange *x);
uint64_t exchange_body_received(const struct exchange *x);

/* After BAD_FRAMING: what is wrong with the body, a static sentence. */
const char *exchange_body_problem(const struct exchange *x);

/* When the bytes that were received last arrived (transport_came_ns()). */
uint64_t exchange_came_ns(struct exchange *x);

/* The same, less the time for which bytes of this request lay unread
 * (transport_would_come_ns()). */
uint64_t exchange_would_come_ns(struct exchange *x);

/*
 * exchange_leave_note(x, note), exchange_take_note(x):
 * A handler may leave a note for the handler of the next request on the same
 * connection, before it answers.  `note` comes from malloc() and is the connection's
 * from here on.  exchange_take_note() returns what the request just before has left,
 * for the caller to free(); NULL: nothing.
 */
void exchange_leave_note(struct exchange *x, void *note);
void *exchange_take_note(struct exchange *x);

/* ---- the response ---- */

/* Send 100 Continue if the client waits for it and has sent no body yet. */
void exchange_continue(struct exchange *x);

/* Send an interim response (1xx) with these field lines, each with its CRLF, at any time
 * before the response; nothing to a client of HTTP/1.0.  True: it is sent. */
bool exchange_interim(struct exchange *x, int status, const char *fields);

/* For the access log, before the response: how safe what was stored is (a static word), and its
 * digests; NULL: none were computed. */
void exchange_note_stored(
    struct exchange *x, const char *durability, const struct digest *digest);

/* For the access log and what is counted: the path is in location `l` (NULL: in
 * none), which stays.  While the head is there. */
void exchange_note_location(struct exchange *x, const struct conf_location *l);

/* No log is to have a line of this request. */
void exchange_keep_quiet(struct exchange *x);

/* For the access log, after exchange_measured(): the request has brought the bytes from
 * `from` to before `to` of an upload of `length` (UINT64_MAX: not known). */
void exchange_note_part(
    struct exchange *x, uint64_t from, uint64_t to, uint64_t length);

/* For the access log: the times of an upload in `m`, which has stopped, whether it was
 * `hashed`, and its name.  All are copied. */
void exchange_measured(
    struct exchange *x, const struct meter *m, bool hashed, const char *name);

/* For the access log, after these: what was stored was taken back again, but for the files
 * `left`, as exchange_measured() would be told them; "": all of it. */
void exchange_note_taken_back(struct exchange *x, const char *left);

/*
 * exchange_respond(x, r):
 * Send the final response, and free what `r` holds.  If the body was not read to its end
 * the connection is closed afterwards, in a way that lets the client see the response
 * first (http/connections.h, lingering).  Ends the exchange.
 */
void exchange_respond(struct exchange *x, struct response *r);

/* Respond with a problem (response_problem()) whose detail is `why`; `outcome` is
 * for the access log.  Ends the exchange. */
void exchange_refuse(
    struct exchange *x, int status, const char *why, enum outcome outcome);

/* Respond with the problem for `e` (http/answer.h), whose detail names no location and
 * no file.  Ends the exchange. */
void exchange_fail(struct exchange *x, enum outcome e);

/*
 * exchange_stream(x, r):
 * Begin a response whose content follows through the sink that is returned; call
 * exchange_streamed() when all of it was given to the sink.  Frees what `r` holds.
 * Content of RESPONSE_LENGTH_UNKNOWN is sent in chunks (RFC 9112 7.1); to an HTTP/1.0
 * client its end is the end of the connection.  For HEAD, and for responses without
 * content, use exchange_respond().
 */
struct sink *exchange_stream(struct exchange *x, struct response *r);

/*
 * exchange_send_file(x, r, f):
 * The same with the file `f` as the content, which is not empty: it is sent without
 * passing through our memory.  When one of its calls comes, perhaps from within, call
 * exchange_streamed(): so this may end the exchange.  `f` stays until then, or until
 * on_gone().  Only if exchange_sends_files(), and after exchange_drop_head().
 */
void exchange_send_file(
    struct exchange *x, struct response *r, struct response_file *f);
bool exchange_sends_files(const struct exchange *x);

/* The content has failed.  True when nothing was sent yet, not even the head: then
 * exchange_respond() may send another response.  False: call exchange_streamed(). */
bool exchange_unstream(struct exchange *x);

/* `whole`: all of the content was given to the sink and written; else it has failed.
 * `outcome` is for the access log.  Ends the exchange. */
void exchange_streamed(struct exchange *x, bool whole, enum outcome outcome);

/* Close the connection without a response: the client is gone, or must not get one.
 * Ends the exchange. */
void exchange_leave(struct exchange *x, enum outcome outcome);

#endif
