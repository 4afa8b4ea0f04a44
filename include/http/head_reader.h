/*
 * http/head_reader.h - the bytes of heads, as they come in.
 *
 *	transport -> [ a buffer shared by all ] -> head_scan -> a whole head
 *	                     |                                      ^
 *	                     \-- held: a part of a head ------------/
 *
 * A head that comes in one piece is looked at where it was received, and so is
 * what came with it.  Only one that comes in pieces gets memory of its own,
 * and so do bytes of the next request.
 */
#ifndef HTTP_HEAD_READER_H
#define HTTP_HEAD_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "http/head.h"

struct transport;

/* Zeroed: nothing came yet. */
struct head_reader {
	struct head_scan scan;
	struct str held;
};

enum head_reader_result {
	HEAD_READER_NOTHING, /* nothing new came */
	HEAD_READER_PART,    /* a part of a head, which is held */
	HEAD_READER_HEAD,    /* a whole one */
	HEAD_READER_REFUSED, /* no head: `status` and `why` */
	HEAD_READER_FAILED,  /* the client is gone, or memory is short */
};

/* What came: with HEAD_READER_HEAD, to be ended with head_reader_release(). */
struct head_reader_head {
	const char *buf;      /* `len` bytes, the head first */
	size_t head_len, len; /* the rest is the body's, or the next one's */
	struct str own;	      /* where they are, if not in the shared buffer */
	bool is_head;	      /* the method is HEAD, as far as one sees */
	int status;	      /* REFUSED */
	char why[HEAD_WHY_MAX]; /* a sentence */
	enum outcome outcome;	/* for the access log */
};

/*
 * head_reader_read(in, limits, t, ret):
 * Receive once from `t` (NULL: look at what is held only) and say what came of
 * it.  After REFUSED or FAILED it is a bug to read again.
 */
NODISCARD enum head_reader_result head_reader_read(struct head_reader *in,
    const struct head_limits *limits, struct transport *t,
    struct head_reader_head *ret);

/* Done with a head; its bytes are gone. */
void head_reader_release(struct head_reader_head *h);

/* Bytes of the next request came along: they are copied.  0 or -ENOMEM. */
NODISCARD int head_reader_hold(
    struct head_reader *in, const void *bytes, size_t len);

/* Expect the next head, which may have begun with what is held. */
void head_reader_next(struct head_reader *in);

/* Something was received that no head has ended yet. */
static inline bool
head_reader_has_bytes(const struct head_reader *in)
{
	return in->held.len > 0;
}

/* The same, and more than the empty lines that may stand before a head. */
bool head_reader_has_begun(const struct head_reader *in);

/* What is held of a head asks by HEAD. */
static inline bool
head_reader_is_head(const struct head_reader *in)
{
	return in->held.len > 0 && head_is_head(in->held.s, in->held.len);
}

void head_reader_fini(struct head_reader *in);

#endif
