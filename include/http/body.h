/*
 * http/body.h - the body of a request, as a source for a reader.
 *
 *	transport -> [ body: what belongs to it, framing taken out ] -> chunk
 *
 * A body with a Content-Length is received straight into the chunk, or into several
 * chunks at once, or into a pipe, and never beyond the body's end.  A chunked body is
 * received together with its framing into the free part of one chunk, and the framing is
 * removed there: payload is never copied from one chunk to another.  Each receive asks
 * for the rest of the current HTTP chunk and the 7 bytes of a last chunk, or, where a
 * size line comes next, for 4 KiB.  So at most 4 KiB of the next request are received
 * along with the body.
 *
 * Framing is strict: what two parsers could understand differently is refused.
 * Chunk extensions are skipped, trailer fields are checked and dropped, both within
 * limits; but one that is wanted is kept (body_want_trailer()).
 *
 * Bytes that came with the head are copied, and read first; source.ready is true until
 * the first read after them.
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
	BODY_EXTENSION_MAX = 16384,  /* chunk extensions of a whole body */
	BODY_TRAILER_MAX = 8192,     /* all trailer lines of a body */
	BODY_TRAILER_KEPT = 160,     /* of the value of one that is wanted */
	BODY_OVERREAD_MAX = 4096,    /* of the next request, from the socket */
	BODY_SPLICE_MIN = 64 * 1024, /* so much must be to come for a pipe */
};

/* A trailer field that its handler wants, which gives the memory, too: other fields are
 * dropped. */
struct body_trailer {
	const char *name; /* in lower case, at most 17 bytes */
	bool came;
	bool cut; /* longer than there is room for */
	size_t len;
	char value[BODY_TRAILER_KEPT]; /* white space around it included */
};

/* The position in a chunked body (RFC 9112 7.1). */
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
	uint64_t payload;     /* the same without framing */
	size_t pre_taken;     /* bytes that were taken of `pre` at init */
	const char *why;      /* BAD_FRAMING: static sentence */

	struct transport *transport;
	uint64_t limit;
	uint64_t owed; /* bytes to come of the body, or of the HTTP chunk */
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
	bool keeps;    /* the line is of the one that is wanted */
	struct body_trailer *wanted; /* the handler's; NULL: none */
};

/*
 * body_init_length(b, t, len, pre, pre_len):
 * A body of `len` bytes.  Its first bytes, up to `pre_len`, are at `pre`; they are copied,
 * and pre_taken says how many; the rest of `pre` belongs to the next request.  `t` stays
 * the caller's and must outlive the body.  0; or -ENOMEM, and there is nothing to end.
 */
NODISCARD int body_init_length(struct body *b, struct transport *t,
    uint64_t len, const void *pre, size_t pre_len);

/*
 * body_init_chunked(b, t, pre, pre_len):
 * A chunked body.  It is not known yet where it ends, so all of `pre` is taken (copied),
 * and body_leftover() gives back what belongs to the next request.
 */
NODISCARD int body_init_chunked(
    struct body *b, struct transport *t, const void *pre, size_t pre_len);

/*
 * body_limit(b, max):
 * Fail with TOO_LARGE as soon as it is certain that the payload is longer than `max`
 * bytes (0: no limit): with a Content-Length at the first read, otherwise at the size
 * line of the HTTP chunk that exceeds it.  To be called before the first read.
 */
void body_limit(struct body *b, uint64_t max);

/* Keep the trailer field t->name, which *t has after the end of the body, if it came.  `t`
 * is zeroed but for its name, and must outlive the body.  A second line of it is
 * refused. */
void body_want_trailer(struct body *b, struct body_trailer *t);

/*
 * body_leftover(b, ret_bytes, ret_len):
 * After the end of the body: the bytes of the next request that were received along
 * with it; for a body with a length none.  There are at most BODY_OVERREAD_MAX, or what
 * came with the head.  They are the body's, until body_fini().
 */
void body_leftover(
    const struct body *b, const unsigned char **ret_bytes, size_t *ret_len);

/* Free what it holds, at any time; idempotent, also for a zeroed one. */
void body_fini(struct body *b);

#endif
