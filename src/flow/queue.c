#include "flow/queue.h"

#include <limits.h>

#include "disk/chunk.h"

void
queue_init(struct queue *q, size_t depth, const struct queue_events *events,
    void *owner)
{
	check(depth >= 1 && depth <= UINT_MAX);
	*q = (struct queue){
	    .events = events, .owner = owner, .depth = (unsigned)depth};
	list_init(&q->chunks);
}

enum queue_edge
queue_push(struct queue *q, struct chunk *c)
{
	check(c != NULL);
	check(q->length < q->depth);
	check(!q->closed);

	list_append(&q->chunks, &c->node);
	q->length++;
	q->events->on_work(q->owner);
	return q->length == q->depth ? QUEUE_FILLED : QUEUE_STEADY;
}

struct chunk *
queue_pop(struct queue *q)
{
	struct list_node *n = list_shift(&q->chunks);

	if (n == NULL)
		return NULL;
	if (q->length-- == q->depth)
		q->events->on_room(q->owner);
	return container_of(n, struct chunk, node);
}

void
queue_close(struct queue *q)
{
	q->closed = true;
	q->events->on_work(q->owner);
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
queue_room(const struct queue *q)
{
	return q->depth - q->length;
}

size_t
queue_length(const struct queue *q)
{
	return q->length;
}

void
queue_fini(struct queue *q)
{
	struct list_node *n;

	while (q->length > 0 && (n = list_shift(&q->chunks)) != NULL) {
		q->length--;
		chunk_give(container_of(n, struct chunk, node));
	}
}
