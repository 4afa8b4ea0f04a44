/*
 * http/turns.h - whose turn it is to have its next request read, or its handshake done.
 *
 * A client may send requests one behind the other without waiting for responses
 * (a pipeline).  Each further one is taken up in a loop iteration of its own, so
 * that a long pipeline does not hold up other clients.
 *
 * Handshakes of TLS take long: of all that wait there is one in each iteration.
 */
#ifndef HTTP_TURNS_H
#define HTTP_TURNS_H

#include <ev.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/list.h"

/* The fields are the module's. */
struct turns {
	struct ev_loop *loop;
	ev_timer timer;
	struct list waiting;
	bool singly;
	unsigned last; /* the iteration of the last turn, if they come singly */
	void (*take)(struct list_node *n);
};

/* take(n) is called when the turn of `n` has come.  It may have `n` wait again, and
 * end the waiting of any other.  `singly`: one turn in each iteration, and not one for
 * each that waits. */
void turns_init(struct turns *t, struct ev_loop *loop, bool singly,
    void (*take)(struct list_node *n));

/* Is a turn free in this iteration, where they come singly?  Then it is the caller's. */
NODISCARD bool turns_take_free(struct turns *t);

/* Wait for a turn: `n` stays the caller's, and list_remove() ends the waiting. */
void turns_await(struct turns *t, struct list_node *n);

#endif
