/*
 * app/receipt.h - what is said of an upload when it is over: to its client
 * (JSON, and fields), and in the access log.
 */
#ifndef APP_RECEIPT_H
#define APP_RECEIPT_H

#include <stdint.h>

#include "app/endings.h"
#include "base/str.h"
#include "disk/digest.h"
#include "flow/meter.h"
#include "http/response.h"
#include "store/store.h"

struct receipt {
	enum ending ending;
	const char *name;     /* below the location */
	const char *location; /* where it can be read, as in a URL */
	uint64_t bytes;
	enum durability durability;
	const struct meter *meter;   /* stopped, or never started */
	const struct digest *digest; /* NULL: none was computed */
};

/* The receipt of one that is stored: content, Location, Server-Timing,
 * Repr-Digest (RFC 9530). */
void receipt_respond(const struct receipt *rc, struct response *r);

/* For the access log: how it ended, and who waited for whom. */
void receipt_note(const struct receipt *rc, struct str *note);

#endif
