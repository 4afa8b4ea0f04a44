/*
 * http/body.h - the body of a request: framing, as a source for a reader.
 *
 *	transport -> [ body: what belongs to it, framing taken out ] -> chunk
 *
 * A body with a Content-Length is received straight into the chunk and never
 * past its end.  A chunked one is received so that the framing lands in the
 * chunk's free part too and is squeezed out there; payload never moves from
 * one of our chunks to another.  Each receive asks for what the current HTTP
 * chunk still owes and the 7 bytes of a last chunk, or for 4 KiB where a size
 * line is due: so at most 4 KiB of the next request are read along.
 *
 * Framing is strict: what two readers could understand differently is
 * refused.  Chunk extensions are skipped and trailer fields checked and
 * dropped, both within limits.
 *
 * What came with the head is copied, and given out before anything is
 * received; source.ready says so while there are such bytes.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "flow/source.h"

struct transport;

enum {
	BODY_EXTENSION_MAX = 16384, /* chunk extensions of a whole body */
	BODY_TRAILER_MAX = 8192,    /* all trailer lines of a body */
	BODY_OVERREAD_MAX = 4096,   /* of the next request, from the socket */
};

/* Where the bytes of a chunked body stand (RFC 9112 7.1). */
enum body_state {
	BODY_SIZE,	   /* in the digits of a chunk's size */
	BODY_EXTENSION,	   /* behind them, up to CR */
	BODY_SIZE_LF,	   /* LF of the size line */
	BODY_DATA,	   /* payload: `owed` bytes */
	BODY_DATA_CR,	   /* CR behind it */
	BODY_DATA_LF,	   /* LF behind it */
	BODY_TRAILER,	   /* at a line start behind the last chunk */
	BODY_TRAILER_NAME, /* in a field's name */
	BODY_TRAILER_TEXT, /* in its value */
	BODY_TRAILER_LF,   /* LF of a trailer line */
	BODY_END_LF,	   /* LF of the empty line at the end */
	BODY_DONE,
	BODY_STATE_COUNT
};

/*
 * The fields are the module's but for those in the first part.  It fails with
 * CLIENT_GONE, when it ended or broke off before its end (the errno says how; 0:
 * it just ended), BAD_FRAMING, TOO_LARGE (body_limit()) or NO_MEMORY.
 */
struct body {
	struct source source; /* what the reader reads */
	uint64_t received;    /* bytes of this body so far, framing included */
	uint64_t payload;     /* of them without the framing */
	size_t pre_taken;     /* how much of what came with the head */
	const char *why;      /* BAD_FRAMING: static sentence */

	struct transport *transport;
	uint64_t limit;
	uint64_t owed; /* of the body, or of the current HTTP chunk */
	bool chunked;
	enum body_state state;

	/* Bytes that were received and did not go into a chunk: those that
	 * came with the head, later those of the next request. */
	unsigned char *held;
	size_t held_at, held_len;

	/* The framing element being read. */
	unsigned digits;
	unsigned extension_len, trailer_len; /* in the whole body */
	unsigned name_len;
	char name[18]; /* a trailer's name in lower case, clipped */
};

/*
 * body_init_length(b, t, len, pre, pre_len):
 * A body of `len` bytes, of which the first are at `pre`: the lesser of `len`
 * and `pre_len`, as pre_taken then says; they are copied, and the rest of
 * `pre` is the next request's.  `t` stays the caller's and must outlive the
 * body.  0, or -ENOMEM and nothing to end.
 */
NODISCARD int body_init_length(struct body *b, struct transport *t,
    uint64_t len, const void *pre, size_t pre_len);

/*
 * body_init_chunked(b, t, pre, pre_len):
 * A chunked body.  Where it ends is not known yet, so all of `pre` is taken
 * (copied); body_leftover() has what was not its.
 */
NODISCARD int body_init_chunked(
    struct body *b, struct transport *t, const void *pre, size_t pre_len);

/*
 * body_limit(b, max):
 * Fail with TOO_LARGE as soon as it is certain that there are more than
 * `max` bytes of payload (0: any number): with a Content-Length at the first
 * read, else at the size line of the HTTP chunk that goes over.  To be called
 * before the first read.
 */
void body_limit(struct body *b, uint64_t max);

/*
 * body_leftover(b, ret_bytes, ret_len):
 * After the end: the bytes of the next request that were received along, none
 * for a body with a length.  At most BODY_OVERREAD_MAX, or what came with the
 * head.  They are the body's, until body_fini().
 */
void body_leftover(
    const struct body *b, const unsigned char **ret_bytes, size_t *ret_len);

/* Free what it holds, at any time; idempotent, also for a zeroed one. */
void body_fini(struct body *b);

#endif
