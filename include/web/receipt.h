/*
 * web/receipt.h - the response to an upload that was stored: JSON, and field lines.
 */
#ifndef WEB_RECEIPT_H
#define WEB_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "flow/meter.h"
#include "store/store.h"
#include "http/response.h"

struct receipt {
	uint64_t id;	      /* of the request: exchange_id() */
	const char *name;     /* below the location */
	const char *location; /* its path in a URL, for Location */
	const char *user;     /* who sent it; NULL: nobody was asked */
	uint64_t bytes;
	/* How many transfers have brought them, if they could be several: then the
	 * times are those of all of them, and the path stands in Content-Location.
	 * 0: there was one. */
	unsigned parts;
	enum durability durability;
	const struct meter *meter;	/* stopped */
	const struct digest *digest;	/* NULL: none was computed */
	const struct object_info *info; /* of what was stored */
};

/* Add the receipt to `out`, as members of a JSON object, without its braces. */
void receipt_add(const struct receipt *rc, struct str *out);

/* Add to `r` the field lines that go with the receipt of the one file that was stored:
 * Location, ETag, Last-Modified, Server-Timing and Repr-Digest (RFC 9530). */
void receipt_add_fields(const struct receipt *rc, struct str *out);

/* Both, as the whole response. */
void receipt_respond(const struct receipt *rc, struct response *r);

/* Add Server-Timing, with its CRLF. */
void receipt_add_timing(const struct meter *m, bool hashed, struct str *out);

#endif
