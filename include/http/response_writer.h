/*
 * http/response_writer.h - the sending side of a connection.
 *
 *	response ----------> \
 *	                      rest (what the socket did not take yet) -> transport
 *	writer -> a chunk -> /
 *	a file -----------> /
 *
 * The bytes of a response are given to the socket at once; only what it does not take
 * is copied.  Streamed content comes chunk by chunk from a writer, whose sink the
 * response writer is; or all of it from a file, from which the transport sends by
 * itself.
 *
 * It sets no timer; `progress` tells its owner when the client last took something.
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
struct response_file;
struct transport;
struct writer;

/* The fields are the module's but for those in the first part. */
struct response_writer {
	uint64_t taken;	  /* bytes that the kernel took of the last response and
			     the chunks behind it */
	double progress;  /* clock_recent_s() when the client last took bytes */
	uint64_t framing; /* bytes of chunk framing, in `taken` or to be sent */
	size_t unsent;	  /* bytes in the kernel at the last look */
	struct sink sink; /* for the writer of content */

	unsigned magic;
	int muted;	/* a negative errno: nothing is sent any more; 0: no */
	bool answering; /* on_sent() is due */
	bool framed;	/* this response is sent in HTTP chunks */
	uint32_t ahead; /* bytes of an interim response, first in `rest` */
	struct ev_loop *loop;
	struct transport *transport;
	ev_io writable;
	struct str rest;
	size_t rest_sent;
	struct writer *writer;	    /* of the flow that feeds `sink` */
	struct chunk *sending;	    /* ours; NULL: none */
	struct response_file *file; /* the handler's; NULL: none */
	void *owner;
	void (*on_sent)(void *owner, int err);
};

/*
 * response_writer_init(s, loop, t, owner, on_sent):
 * Send over `t`, which stays the caller's.  on_sent() is called once for each
 * response_writer_send() and response_writer_finish(), perhaps from within the call: with
 * 0 when the kernel has taken all of the response, or with a negative errno.  It may end
 * the response writer.
 */
void response_writer_init(struct response_writer *s, struct ev_loop *loop,
    struct transport *t, void *owner, void (*on_sent)(void *owner, int err));

/*
 * response_writer_send(s, bytes, len):
 * Send a whole response, behind what is still to be sent.  `bytes` are not used after the
 * call.
 */
void response_writer_send(
    struct response_writer *s, const char *bytes, size_t len);

/*
 * response_writer_hold(s, bytes, len):
 * Begin a response whose content follows as chunks: keep a copy of its head, which is
 * sent together with the first chunk, or by response_writer_finish().  If there is no
 * memory for the copy, sending fails then.
 */
void response_writer_hold(
    struct response_writer *s, const char *bytes, size_t len);

/*
 * response_writer_send_file(s, bytes, len, f):
 * Send a response: these bytes, which are not used after the call, and the file `f` as its
 * content.  For a transport that sends files.  f->on_sent() or f->on_failed() is called
 * once, perhaps from within the call; until then `f` is in use.
 */
void response_writer_send_file(struct response_writer *s, const char *bytes,
    size_t len, struct response_file *f);

/* After response_writer_hold(): the length of the content is not known.  So each chunk is
 * sent with the framing of RFC 9112 7.1, and response_writer_finish() sends the last,
 * empty one. */
void response_writer_frame(struct response_writer *s);

/* All content was written: send what is still held, if anything. */
void response_writer_finish(struct response_writer *s);

/*
 * response_writer_mute(s, err):
 * A response was not sent whole, so nothing may follow it: drop the rest of it, and
 * from here on fail at once with `err`, as on_sent() and writers are told.  An
 * on_sent() that is due is not called any more.  No chunk may be being sent.
 */
void response_writer_mute(struct response_writer *s, int err);

/* Drop what is held.  False when some of it was sent already. */
bool response_writer_take_back(struct response_writer *s);

/*
 * response_writer_interim(s, text):
 * Send a short text (100 Continue), for which on_sent() is not called.  What the socket
 * does not take now is sent later, before everything else.
 */
void response_writer_interim(struct response_writer *s, const char *text);

/* Ask how much the kernel still has to send: less than at the last look is progress,
 * too.  (The kernel takes megabytes at once, and takes more only when much of that was
 * sent.) */
void response_writer_look(struct response_writer *s);

/* Content is here that the client has to take. */
static inline bool
response_writer_has_content(const struct response_writer *s)
{
	return s->sending != NULL || s->file != NULL;
}

/* Give up the content that is being sent, if there is some: its writer, or its file's
 * owner, is told `err`, and may end the response writer. */
void response_writer_cut(struct response_writer *s, int err);

/* End it.  It must have no chunk: a writer abandons its sink first.  The owner of a file
 * is told nothing. */
void response_writer_fini(struct response_writer *s);

#endif
