/*
 * flow/queue.h - the bounded queue that joins a reader to a writer.
 *
 *	source -> reader --push--> [c][c][c] --pop--> writer -> sink
 *
 * The queue is all that the two sides share; neither knows the other.  What a
 * push or a pop means for its caller is what it returns; what it means for the
 * other side is an event, which the queue's owner passes on.  Back-pressure is
 * decided here and nowhere else: the push that fills the queue stops the
 * reader, the pop that makes the first place lets it go on.  It lives on one
 * worker's loop, so there is nothing to lock.
 */
#ifndef FLOW_QUEUE_H
#define FLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/list.h"

struct chunk;

/* What a push did to the queue. */
enum queue_edge {
	QUEUE_STEADY = 0,
	QUEUE_FILLED, /* it is full now: stop reading */
};

/* What the owner is told, from within the call that causes it; it must not
 * use the queue there.  Static. */
struct queue_events {
	/* A chunk was pushed, or the queue was closed: for the side that pops. */
	void (*on_work)(void *owner);
	/* A full queue has its first free place: for the side that pushes.  (To
	 * wait for more places would make the two sides take turns.) */
	void (*on_room)(void *owner);
};

/* The fields are the module's. */
struct queue {
	const struct queue_events *events;
	void *owner;
	struct list chunks;
	unsigned depth, length;
	bool closed;
};

/* An empty queue for at most `depth` chunks (at least 1), whose owner is told. */
void queue_init(struct queue *q, size_t depth,
    const struct queue_events *events, void *owner);

/*
 * queue_push(q, c):
 * Append `c`, which the queue owns from here on.  Pushing to a full or closed
 * queue is a bug in the caller: it was told QUEUE_FILLED and kept reading.
 */
NODISCARD enum queue_edge queue_push(struct queue *q, struct chunk *c);

/* The oldest chunk, which the caller owns from here on, or NULL. */
NODISCARD struct chunk *queue_pop(struct queue *q);

/* No more will be pushed: when it is empty now, it stays so. */
void queue_close(struct queue *q);

bool queue_is_closed(const struct queue *q);
bool queue_is_full(const struct queue *q);

/* How many chunks may be pushed before it is full. */
size_t queue_room(const struct queue *q);

/* For tests. */
bool queue_is_empty(const struct queue *q);
size_t queue_length(const struct queue *q);

/* Give the chunks still in it back to their pool.  Idempotent, also for a zeroed
 * one; it may be initialised again. */
void queue_fini(struct queue *q);

#endif
