/*
 * web/readiness.h - are uploads taken now?  For those who ask before they send some, such as
 * a load balancer.
 *
 * The answer is that of the worker that is asked: what it knows of its stores already, which
 * for disks is what all workers know.  Nothing is tried out for it.
 */
#ifndef WEB_READINESS_H
#define WEB_READINESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/exchange.h"

struct context;
struct slot;

struct readiness {
	const struct slot
	    *slot;     /* where the master says that the server stops */
	bool stopping; /* this worker */
	const struct context *const *contexts; /* of all blocks */
	size_t count;
};

/* True: uploads are taken.  False: not now; or not in some location, and *why, a line, says
 * which one. */
bool readiness_judge(const struct readiness *r, struct str *why);

/* Answer a GET or HEAD by that: 200, or 503 with the reason; other methods get 405.  It is
 * not logged.  Ends the exchange. */
void readiness_answer(const struct readiness *r, struct exchange *x);

/* True when the request was for the path `health` of its block, and is answered: then
 * `x` may be gone. */
bool readiness_answers(const struct context *c, struct exchange *x);

#endif
