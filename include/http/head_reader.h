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
struct intake {
	struct head_scan scan;
	struct str held;
};

enum intake_result {
	INTAKE_NOTHING, /* nothing new came */
	INTAKE_PART,	/* a part of a head, which is held */
	INTAKE_HEAD,	/* a whole one */
	INTAKE_REFUSED, /* no head: `status` and `why` */
	INTAKE_FAILED,	/* the client is gone, or memory is short */
};

/* What came: with INTAKE_HEAD, to be ended with intake_release(). */
struct intake_head {
	const char *buf;      /* `len` bytes, the head first */
	size_t head_len, len; /* the rest is the body's, or the next one's */
	struct str own;	      /* where they are, if not in the shared buffer */
	bool is_head;	      /* the method is HEAD, as far as one sees */
	int status;	      /* REFUSED */
	char why[HEAD_WHY_MAX]; /* a sentence */
	const char *ending;	/* its word for the access log: static */
};

/*
 * intake_read(in, limits, t, ret):
 * Receive once from `t` (NULL: look at what is held only) and say what came of
 * it.  After REFUSED or FAILED it is a bug to read again.
 */
NODISCARD enum intake_result intake_read(struct intake *in,
    const struct head_limits *limits, struct transport *t,
    struct intake_head *ret);

/* Done with a head; its bytes are gone. */
void intake_release(struct intake_head *h);

/* Bytes of the next request came along: they are copied.  0 or -ENOMEM. */
NODISCARD int intake_hold(struct intake *in, const void *bytes, size_t len);

/* Expect the next head, which may have begun with what is held. */
void intake_next(struct intake *in);

/* Something was received that no head has ended yet. */
static inline bool
intake_has_bytes(const struct intake *in)
{
	return in->held.len > 0;
}

/* The same, and more than the empty lines that may stand before a head. */
bool intake_has_begun(const struct intake *in);

/* What is held of a head asks by HEAD. */
static inline bool
intake_is_head(const struct intake *in)
{
	return in->held.len > 0 && head_is_head(in->held.s, in->held.len);
}

void intake_fini(struct intake *in);

#endif
