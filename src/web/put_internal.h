/*
 * A request to store that has passed its gate: what put_gate.c gives to put.c, or to form.c.
 */
#ifndef WEB_PUT_INTERNAL_H
#define WEB_PUT_INTERNAL_H

#include "base/digest.h"
#include "http/exchange.h"
#include "web/context.h"

struct preconditions;
struct spent_mark;

struct put_order {
	struct context *context;
	struct exchange *exchange;
	const struct conf_location *location;
	const char *name;
	bool named;	      /* by its client */
	const char *boundary; /* of a form, whose `name` may be a directory's,
				 with its slash, or ""; NULL: it is none */
	struct preconditions *preconditions; /* NULL: none */
	const struct digest_claims *claims;
	struct spent_mark *mark; /* of a link that is good once; or NULL */
	limits_entry place;	 /* among max_uploads, or 0 */
};

/* Begin the upload; it is answered, sooner or later.  `place`, `mark` and
 * `preconditions` are the upload's then.  False: out of memory, and nothing was done. */
NODISCARD bool put_start(const struct put_order *o);

/* The same for a form. */
NODISCARD bool form_start(const struct put_order *o);

#endif
