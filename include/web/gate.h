/*
 * web/gate.h - what a request passes between its head and its body.
 *
 *	head -> step -> step -> ... -> passed -> body
 *	          |       \--- waits ... gate_go_on()
 *	          \--- answered
 *
 * A gate is a list of steps.  Each lets the request pass, answers it, or waits for
 * something (another server, say) that decides later.  While one waits the body is
 * not read, and a client that leaves is seen (exchange_watch()).
 *
 * The steps judge a pass: a struct whose first member is a struct gate_pass, made by
 * the caller, on the stack if need be.  It is copied when a step waits, so it may
 * hold no pointer to itself, nor into the request's head.
 */
#ifndef WEB_GATE_H
#define WEB_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/exchange.h"

enum gate_verdict {
	GATE_PASS,
	GATE_ANSWERED, /* the step has answered: the exchange may be gone */
	GATE_WAIT,     /* wait() is called next */
};

struct gate_pass;

struct gate_step {
	enum gate_verdict (*judge)(struct gate_pass *p);
	/* Begin what decides: one gate_go_on() follows, later, from the loop.  `p`
	 * is at the place where it stays until then.  NULL: it never waits. */
	void (*wait)(struct gate_pass *p);
	/* The exchange is over without that: no gate_go_on() may follow. */
	void (*forget)(struct gate_pass *p);
};

struct gate {
	const struct gate_step *steps;
	size_t count;
	size_t pass_size; /* bytes of the struct that begins with a gate_pass */
	/* All let it pass: what the pass holds is the caller's to take.  The pass
	 * itself ends when this returns. */
	void (*passed)(struct gate_pass *p);
	/* It will not pass: give back what the pass holds. */
	void (*undo)(struct gate_pass *p);
};

/* The fields are the module's but for those in the first part. */
struct gate_pass {
	struct exchange *exchange;

	const struct gate *gate;
	size_t at;
	bool kept; /* in memory of its own */
};

/*
 * gate_begin(g, p):
 * Have `p`, of whose fields `exchange` is set, pass the gate.  When this returns the
 * caller's pass is of no use any more, whatever became of it.
 */
void gate_begin(const struct gate *g, struct gate_pass *p);

/* What the step waited for has come: GATE_PASS, or GATE_ANSWERED by it. */
void gate_go_on(struct gate_pass *p, enum gate_verdict v);

#endif
