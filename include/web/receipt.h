/*
 * web/receipt.h - what its client is told of an upload that is stored: JSON, and
 * fields.
 */
#ifndef WEB_RECEIPT_H
#define WEB_RECEIPT_H

#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "flow/meter.h"
#include "store/store.h"
#include "http/response.h"

struct receipt {
	const char *name;     /* below the location */
	const char *location; /* where it can be read, as in a URL */
	uint64_t bytes;
	enum durability durability;
	const struct meter *meter;	/* stopped */
	const struct digest *digest;	/* NULL: none was computed */
	const struct object_info *info; /* of what was stored */
};

/* The receipt of one that is stored: content, Location, ETag, Last-Modified,
 * Server-Timing, Repr-Digest (RFC 9530). */
void receipt_respond(const struct receipt *rc, struct response *r);

#endif
