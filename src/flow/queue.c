#include "flow/queue.h"

#include <stdlib.h>

#include "disk/chunk.h"

struct queue {
	size_t depth, head, length;
	bool closed;
	struct queue_events events;
	struct chunk *ring[];
};

struct queue *
queue_new(size_t depth, const struct queue_events *events)
{
	struct queue *q;

	check(depth >= 1);
	q = calloc(1, sizeof(*q) + depth * sizeof(struct chunk *));
	if (q == NULL)
		return NULL;
	q->depth = depth;
	q->events = *events;
	return q;
}

enum queue_edge
queue_push(struct queue *q, struct chunk *c)
{
	check(c != NULL);
	check(q->length < q->depth);
	check(!q->closed);

	q->ring[(q->head + q->length) % q->depth] = c;
	q->length++;
	q->events.on_work(q->events.owner);
	return q->length == q->depth ? QUEUE_FILLED : QUEUE_STEADY;
}

struct chunk *
queue_pop(struct queue *q)
{
	struct chunk *c;

	if (q->length == 0)
		return NULL;
	c = q->ring[q->head];
	q->head = (q->head + 1) % q->depth;
	if (q->length-- == q->depth)
		q->events.on_room(q->events.owner);
	return c;
}

void
queue_close(struct queue *q)
{
	q->closed = true;
	q->events.on_work(q->events.owner);
}

bool
queue_is_closed(const struct queue *q)
{
	return q->closed;
}

bool
queue_is_empty(const struct queue *q)
{
	return q->length == 0;
}

bool
queue_is_full(const struct queue *q)
{
	return q->length == q->depth;
}

size_t
queue_length(const struct queue *q)
{
	return q->length;
}

void
queue_free(struct queue **qp)
{
	struct queue *q = *qp;

	if (q == NULL)
		return;
	for (size_t i = 0; i < q->length; i++)
		chunk_give(q->ring[(q->head + i) % q->depth]);
	free(q);
	*qp = NULL;
}
