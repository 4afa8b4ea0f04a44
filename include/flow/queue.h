/*
 * flow/queue.h - the bounded queue that joins a reader to a writer.
 *
 *	source -> reader --push--> [c][c][c] --pop--> writer -> sink
 *
 * The queue is all the two sides share, and back-pressure is decided nowhere
 * else: the push that fills it says "stop reading", the pop that makes the
 * first place says "read again".  It lives on one worker's loop, so there is
 * nothing to lock.
 */
#ifndef FLOW_QUEUE_H
#define FLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct chunk;
struct queue;

/* What a push or a pop did to the flow.  Whoever caused it acts on it. */
enum queue_edge {
	QUEUE_STEADY = 0,
	QUEUE_FILLED,  /* by push: stop the reader's watcher */
	QUEUE_DRAINED, /* by pop: start it again */
};

/*
 * queue_new(depth):
 * An empty queue for at most `depth` chunks (at least 1).  The pop that makes
 * the first place in a full queue reports QUEUE_DRAINED: waiting for more
 * would be taking turns.  NULL when out of memory.  The caller owns it until
 * queue_free().
 */
NODISCARD struct queue *queue_new(size_t depth);

/*
 * queue_push(q, c):
 * Append `c`, which the queue owns from here on.  Pushing to a full or closed
 * queue is a bug in the caller: it was told QUEUE_FILLED and kept reading.
 */
NODISCARD enum queue_edge queue_push(struct queue *q, struct chunk *c);

/*
 * queue_pop(q, ret_edge):
 * The oldest chunk, which the caller owns from here on, or NULL.
 */
NODISCARD struct chunk *queue_pop(struct queue *q, enum queue_edge *ret_edge);

/* No more will be pushed: when it is empty now, it stays so. */
void queue_close(struct queue *q);

bool queue_is_closed(const struct queue *q);
bool queue_is_full(const struct queue *q);

/* For tests. */
bool queue_is_empty(const struct queue *q);
size_t queue_length(const struct queue *q);

/*
 * queue_free(qp):
 * Free the queue, give the chunks still in it back to their pool, and clear
 * the caller's pointer.  Does nothing if *qp is NULL.
 */
void queue_free(struct queue **qp);

#endif
