/*
 * http/access.h - the access log: one line for each exchange, a request and
 * what became of it.
 *
 *	time peer id "METHOD target" status in=BYTES out=BYTES ms=N.N note
 *
 * The connection keeps the record (struct access), which has values and no texts
 * made for the line, while the exchange runs, and has the line
 * written when it has ended: when the kernel has the last byte of the response, or
 * when it is certain that it never will.  So a line says what was done, not what
 * was about to be.
 *
 * What came from the client is escaped, and clipped.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/outcome.h"
#include "base/str.h"
#include "flow/meter.h"
#include "http/head.h"

struct journal;

/* What kept a response from being sent whole. */
enum access_cut {
	ACCESS_WHOLE, /* nothing did, or `outcome` says it */
	ACCESS_CLIENT_GONE,
	ACCESS_NOT_TAKEN, /* send_timeout */
	ACCESS_STOPPED,	  /* the server */
	ACCESS_NO_MEMORY,
	ACCESS_CONNECTION_CUT, /* the response before it was not sent whole */
	ACCESS_CUT_COUNT
};

/* What there is to say of an upload when it is over. */
struct access_upload {
	bool hashed;	    /* the meter has its digest's time */
	struct meter meter; /* stopped */
	char name[];
};

/* Zeroed: nothing was asked yet.  There is one in each connection, most of which
 * are idle: so it is small. */
struct access {
	uint64_t id;	   /* of the request; 0: its head was not whole */
	uint64_t began_ns; /* by clock_mono_ns(), when its head was taken up;
			      0: nothing was asked yet */
	uint64_t ended_ns;
	/* What was asked, as it came, but clipped: the method and, right behind
	 * it, the target; or, with no `method_len`, the first bytes of what is no
	 * request line.  Empty: not known. */
	struct str asked;
	uint16_t method_len;
	bool asked_more; /* of such bytes there were more */
	bool answered;	 /* the kernel took a byte of the response */
	int status;	 /* of the response; 0: there was none */
	uint64_t in;	 /* bytes of content that were read */
	uint64_t out;	 /* and that the kernel took to send */
	enum access_cut cut;
	enum outcome outcome; /* how it ended */

	struct access_upload *upload; /* what was measured of one; or NULL */
};

/* Note what was asked, as far as `h` knows it: it has a method at least. */
void access_note_head(struct access *a, const struct head *h);

/* Note the start of `bytes`, which no request line can be read from: the first
 * line, if there is one, and not much of it. */
void access_note_start(struct access *a, const char *bytes, size_t len);

/* Copy what was measured of an upload; out of memory, nothing is said of it. */
void access_measured(
    struct access *a, const struct meter *m, bool hashed, const char *name);

/* Add what was asked, "PUT /file/x", escaped and clipped. */
void access_format_asked(const struct access *a, struct str *out);

/* Add the line of an exchange with `peer` that has ended, to a text or to a
 * log. */
void access_format(
    const struct access *a, const struct addr *peer, struct str *out);
void access_add(
    struct journal *j, const struct addr *peer, const struct access *a);

/* Free what it holds; it is zeroed. */
void access_fini(struct access *a);

#endif
