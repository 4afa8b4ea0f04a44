/*
 * http/access.h - the access log: one line for each answer.
 *
 *	time peer id "METHOD target" status in=BYTES out=BYTES ms=N.N note
 *
 * What came from the client is escaped, and clipped.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "http/head.h"

struct journal;

struct access {
	const struct addr *peer;
	uint64_t id;	  /* of the request; 0: there was none */
	const char *line; /* from access_describe(); NULL: nothing was asked */
	int status;	  /* 0: not answered */
	uint64_t in, out; /* bytes of content */
	uint64_t ms_10;	  /* tenths of a millisecond it took */
	const char *note; /* NULL: none */
};

/* Add what was asked, "PUT /file/x", as far as `h` knows it. */
void access_describe(const struct head *h, struct str *out);

/* Add the line; nothing when `j` is NULL. */
void access_add(struct journal *j, const struct access *a);

#endif
