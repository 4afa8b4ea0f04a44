/*
 * web/gate.h - the checks that a request passes between its head and its body.
 *
 *	head -> step -> step -> ... -> passed -> body
 *	          |       \--- waits ... gate_go_on()
 *	          \--- answered
 *
 * A gate is a list of steps.  Each step lets the request pass, answers it, or waits for
 * something that decides later (another server, say).  While a step waits the body is
 * not read, and a client that leaves is noticed (exchange_watch()).
 *
 * A request is carried through the gate by a pass: a struct of the caller, which begins
 * with a struct gate_pass and may be on the stack.  It is copied when a step waits, so
 * it must not contain pointers to itself, nor into the request's head.
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
	/* After GATE_WAIT: begin what decides.  It ends with one gate_go_on(),
	 * later, from the loop; until then `p` stays where it is.  NULL: the step
	 * never waits. */
	void (*wait)(struct gate_pass *p);
	/* The exchange ended while the step waited: do not call gate_go_on(). */
	void (*forget)(struct gate_pass *p);
};

struct gate {
	const struct gate_step *steps;
	size_t count;
	size_t pass_size; /* bytes of the struct that begins with a gate_pass */
	/* All steps have let it pass: take over what the pass holds.  The pass
	 * is freed when this returns. */
	void (*passed)(struct gate_pass *p);
	/* It does not pass: give back what the pass holds. */
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
 * Let `p`, in which `exchange` is set, pass the gate.  When this returns the caller must
 * not use `p` any more, whether it has passed or not.
 */
void gate_begin(const struct gate *g, struct gate_pass *p);

/* What the step waited for has decided: GATE_PASS; or GATE_ANSWERED, when the step has
 * answered the exchange. */
void gate_go_on(struct gate_pass *p, enum gate_verdict v);

#endif
