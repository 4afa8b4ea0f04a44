/*
 * The states of an upload: for upload.c, whose table this is, and for
 * tests/unit/test_states.c, which walks it.
 */
#ifndef WEB_UPLOAD_INTERNAL_H
#define WEB_UPLOAD_INTERNAL_H

#include "base/fsm.h"
#include "http/exchange.h"
#include "web/context.h"

enum upload_state {
	UPLOAD_OPENING,	   /* the store is making the file */
	UPLOAD_FLOWING,	   /* reader and writer run */
	UPLOAD_DRAINING,   /* the last byte is read, the writer still runs */
	UPLOAD_COMMITTING, /* all is written: sync and publish */
	UPLOAD_OVER,
	UPLOAD_STATES
};

enum upload_event {
	UPLOAD_OPENED,
	UPLOAD_LAST_BYTE,
	UPLOAD_EMPTIED,
	UPLOAD_COMMITTED,
	UPLOAD_FAILED, /* `outcome` says how */
	UPLOAD_GONE, /* the connection, and with it all who could be answered */
	UPLOAD_EVENTS
};

extern const struct fsm_table upload_table;

/* The one action that says 201. */
void upload_answer_stored(void *owner);

/* An upload that may begin: what passed its gate (put_gate.c). */
struct upload_request {
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	const char *name;
	bool named;			     /* by its client */
	struct preconditions *preconditions; /* NULL: none */
	const struct digest_claims *claims;
	limits_entry place; /* among max_uploads, or 0 */
};

/* Begin it; it is answered, sooner or later.  `place` and `preconditions` are the
 * upload's then.  False: out of memory, and nothing was done. */
NODISCARD bool upload_start(const struct upload_request *r);

#endif
