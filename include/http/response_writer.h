/*
 * http/response_writer.h - the sending side of a connection.
 *
 *	response ----------> \
 *	                      rest (what the socket did not take yet) -> transport
 *	writer -> a chunk -> /
 *
 * The bytes of a response go straight to the socket; only what the socket does
 * not take at once is copied.  Content that follows a response comes chunk by
 * chunk from a writer, to which the response writer is a sink.
 *
 * It sets no timer: `progress` says when the client last took something.
 */
#ifndef HTTP_RESPONSE_WRITER_H
#define HTTP_RESPONSE_WRITER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "flow/sink.h"

struct chunk;
struct transport;
struct writer;

/* The fields are the module's but for those in the first part. */
struct response_writer {
	uint64_t taken;	  /* bytes that the kernel took of the last response,
			     and of chunks behind it */
	double progress;  /* of a response or a chunk, by clock_mono_s() */
	uint64_t framing; /* bytes of `taken`, or to be, that frame chunks */
	size_t unsent;	  /* in the kernel, when it was last looked at */
	struct sink sink; /* for the writer of content */

	unsigned magic;
	int muted;	/* an errno: nothing is sent any more; 0: it is */
	bool answering; /* on_sent is due */
	bool framed;	/* the chunks of this response */
	struct ev_loop *loop;
	struct transport *transport;
	ev_io writable;
	struct str rest;
	size_t rest_sent;
	size_t ahead; /* bytes of an interim response, first in `rest` */
	struct writer *writer; /* of the flow that feeds `sink` */
	struct chunk *sending; /* ours; NULL: none */
	void *owner;
	void (*on_sent)(void *owner, int err);
};

/*
 * response_writer_init(s, loop, t, owner, on_sent):
 * `t` stays the caller's, whose socket it is.  on_sent() is called once for
 * each response_writer_send() and response_writer_finish(), perhaps from within:
 * with 0 when the kernel has all of it, or a negative errno.  It may end the
 * response writer.
 */
void response_writer_init(struct response_writer *s, struct ev_loop *loop,
    struct transport *t, void *owner, void (*on_sent)(void *owner, int err));

/*
 * response_writer_send(s, bytes, len):
 * Send a whole response, behind what is still to be sent.  `bytes` stay the
 * caller's and are not used after the call.
 */
void response_writer_send(
    struct response_writer *s, const char *bytes, size_t len);

/*
 * response_writer_hold(s, bytes, len):
 * A response whose content follows as chunks: keep a copy of its head until the
 * first chunk, to go out with it; or until response_writer_finish() when there is
 * none.  Out of memory shows as an error then.
 */
void response_writer_hold(
    struct response_writer *s, const char *bytes, size_t len);

/* The content that follows the one held is of a length that is not known: each
 * chunk is framed (RFC 9112 7.1), and response_writer_finish() marks its end. */
void response_writer_frame(struct response_writer *s);

/* No chunk follows any more: send what is held still, if anything. */
void response_writer_finish(struct response_writer *s);

/*
 * response_writer_mute(s, err):
 * A response was not sent whole, so nothing may follow it: what is left of it is
 * dropped, and on_sent() and writers are told `err` from here on, at once.  If
 * on_sent() is due for the present response, it is not called any more.  A chunk
 * being sent is a bug.
 */
void response_writer_mute(struct response_writer *s, int err);

/* Forget what is held; false when some of it was sent already. */
bool response_writer_take_back(struct response_writer *s);

/*
 * response_writer_interim(s, text):
 * Send a short text without telling when it is sent (100 Continue).  What the
 * socket does not take now goes out as soon as it does, before all else.
 */
void response_writer_interim(struct response_writer *s, const char *text);

/* Look at what the kernel still has: less than before is progress, too.  It
 * takes megabytes ahead, and takes more only when a good part is gone. */
void response_writer_look(struct response_writer *s);

/* Give up the chunk being sent: its writer is told `err`, and may end the
 * response writer.  Nothing when there is none. */
void response_writer_cut(struct response_writer *s, int err);

/* Stop watching; chunks left are a bug (their writer abandons the sink). */
void response_writer_fini(struct response_writer *s);

#endif
