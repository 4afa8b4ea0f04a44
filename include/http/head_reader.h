/*
 * http/head_reader.h - receives the bytes of heads.
 *
 *	transport -> [ a buffer shared by all ] -> head_scan -> a whole head
 *	                     |                                      ^
 *	                     \-- held: a part of a head ------------/
 *
 * A head that arrives in one piece is parsed in the buffer where it was received, which
 * all connections of a worker share.  Only a head that arrives in pieces, and bytes of
 * the next request, are copied to memory of their own.
 */
#ifndef HTTP_HEAD_READER_H
#define HTTP_HEAD_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "http/head.h"

struct transport;

/* Zeroed: nothing was received yet. */
struct head_reader {
	struct head_scan scan;
	struct str held;
};

enum head_reader_result {
	HEAD_READER_NOTHING, /* nothing was received */
	HEAD_READER_PART,    /* a part of a head, which is held */
	HEAD_READER_HEAD,    /* a whole head */
	HEAD_READER_REFUSED, /* no valid head: see `status` and `why` */
	HEAD_READER_FAILED,  /* the client is gone, or memory is short */
};

/* What was received; with HEAD_READER_HEAD the caller ends it with
 * head_reader_release(). */
struct head_reader_head {
	const char *buf;	/* `len` bytes, the head first */
	size_t head_len, len;	/* behind the head: body, or next request */
	struct str own;		/* holds `buf`, if the shared buffer does not */
	bool is_head;		/* it seems to begin with the method HEAD */
	int status;		/* REFUSED */
	char why[HEAD_WHY_MAX]; /* a sentence */
	enum outcome outcome;	/* for the access log */
};

/*
 * head_reader_read(in, limits, t, ret):
 * Receive once from `t`; or, when it is NULL, only look at what is held.  After REFUSED
 * or FAILED it must not be called again.
 */
NODISCARD enum head_reader_result head_reader_read(struct head_reader *in,
    const struct head_limits *limits, struct transport *t,
    struct head_reader_head *ret);

/* The caller is done with the head: its bytes become invalid. */
void head_reader_release(struct head_reader_head *h);

/* Keep a copy of bytes of the next request.  0 or -ENOMEM. */
NODISCARD int head_reader_hold(
    struct head_reader *in, const void *bytes, size_t len);

/* Begin the next head, with the bytes that are held, if any. */
void head_reader_next(struct head_reader *in);

/* True when bytes are held. */
static inline bool
head_reader_has_bytes(const struct head_reader *in)
{
	return in->held.len > 0;
}

/* True when more is held than the empty lines that may stand before a head. */
bool head_reader_has_begun(const struct head_reader *in);

/* True when what is held begins with the method HEAD, or a part of it. */
static inline bool
head_reader_may_be_head(const struct head_reader *in)
{
	return in->held.len > 0 && head_may_be_head(in->held.s, in->held.len);
}

void head_reader_fini(struct head_reader *in);

#endif
