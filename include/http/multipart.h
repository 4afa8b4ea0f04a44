/*
 * http/multipart.h - a form (multipart/form-data, RFC 7578): a source in front of a source.
 *
 *	body -> [ multipart ] -> head    reads on to the next part, and gives no bytes
 *	                      -> part    gives the payload of that part, and ends with it
 *
 * The two sources take turns: `head` is read to its end, then, unless there was no further
 * part, `part` is, and so on.  Each is for a reader of its own; both end before the body
 * does, but for the last.  Between two of them nobody has to read.
 *
 *	--B CRLF fields CRLF CRLF payload CRLF --B CRLF fields ... CRLF --B-- [CRLF] end
 *
 * Payload is received straight into the reader's chunk, and the delimiter is looked for
 * there.  What is behind it was received too early: that is kept, and copied later.  So is
 * the head of a part, with what came along with it.  Never more than MULTIPART_HELD bytes
 * are kept, and none while the client is silent within a large file.  Bytes at the end of
 * a chunk that may begin a delimiter are taken off it, and not kept: they are those of the
 * delimiter, and are written anew if it turns out to be none.
 *
 * It is strict: what another program might take for the end of a part, or not, is refused,
 * and so is anything before the first delimiter or behind the last.  The last part ends only
 * when the body has ended: so a form that is refused for its end was not stored before.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/source.h"
#include "http/part_head.h"

enum {
	MULTIPART_HELD = 64 * 1024,	/* bytes that are kept at most */
	MULTIPART_HEAD_MAX = 8 * 1024,	/* bytes of the head of a part */
	MULTIPART_READ_MAX = 64 * 1024, /* bytes of one receive */
	MULTIPART_DELIMITER_MAX = 4 + PART_BOUNDARY_MAX, /* CRLF -- boundary */
};

#define MULTIPART_LENGTH_UNKNOWN UINT64_MAX

/* Where in the form the next byte is that was not looked at. */
enum multipart_state {
	MULTIPART_START,    /* before the first boundary */
	MULTIPART_AFTER,    /* behind a delimiter: CRLF or -- */
	MULTIPART_HEAD,	    /* in the head of a part */
	MULTIPART_DATA,	    /* in its payload */
	MULTIPART_EPILOGUE, /* behind the last delimiter */
	MULTIPART_DONE,	    /* and behind the end of the body */
};

/*
 * The fields are the module's but for those in the first part.  Both sources fail with
 * BAD_FORM (`why`), FORM_LIMIT (too many parts), NO_MEMORY, or as the body does.
 */
struct multipart {
	struct source head; /* it has ended: `found` says what there is */
	struct source part;
	/* After the end of `head`: there is a further part, with this head and
	 * length; that of a small one is known, if all of it has come. */
	bool found;
	bool empty; /* it has no bytes */
	struct part_head said;
	uint64_t length;
	const char *why; /* BAD_FORM: static sentence */

	struct source *inner;
	enum multipart_state state;
	uint64_t parts, parts_max; /* found so far, and at most; 0: any */
	uint64_t given, given_max; /* bytes of this part, and at most */

	/* CRLF -- boundary. */
	char delimiter[MULTIPART_DELIMITER_MAX];
	size_t delimiter_len;
	/* Of the delimiter, so many bytes have come, and were not given. */
	size_t matched;
	/* Of these, the first are no payload: the CRLF that ends a head. */
	size_t unseen;
	/* It was none: these bytes of it are payload, still to be given. */
	size_t spill, spill_end;

	/* Bytes that were received and not looked at, but for `scanned`. */
	unsigned char *held; /* NULL: none */
	size_t held_at, held_len;
	size_t scanned;	   /* of them, in which a head does not end */
	unsigned epilogue; /* bytes of the CRLF behind the last delimiter */
};

/* Begin a form.  `inner` is the caller's, and outlives it.  `boundary` is one of
 * part_head_boundary(). */
void multipart_init(struct multipart *m, struct source *inner,
    const char *boundary, uint64_t parts_max);

/*
 * multipart_next(m):
 * The source that leads to the next part, or to the end of the form.  At the beginning, or
 * when `part` was read to its end and the form is not done.
 */
struct source *multipart_next(struct multipart *m);

/*
 * multipart_part(m, max):
 * The payload of the part that was found, or the rest of it, when this was called before.
 * With more than `max` bytes (0: any) from here on this source fails with TOO_LARGE; the
 * form has not failed by that.
 */
struct source *multipart_part(struct multipart *m, uint64_t max);

/* Bytes of the part that were given so far. */
static inline uint64_t
multipart_given(const struct multipart *m)
{
	return m->given;
}

/* There is more of the part that was found, or may be: its end is to be read. */
static inline bool
multipart_is_within(const struct multipart *m)
{
	return m->state == MULTIPART_DATA || m->state == MULTIPART_AFTER ||
	       m->state == MULTIPART_EPILOGUE;
}

/* The parts are all read, and so is the body. */
static inline bool
multipart_is_done(const struct multipart *m)
{
	return m->state == MULTIPART_DONE;
}

/* Free what it holds, at any time; idempotent, also for a zeroed one. */
void multipart_fini(struct multipart *m);

#endif
