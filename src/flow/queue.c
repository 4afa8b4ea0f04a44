#include "flow/queue.h"

#include <stdlib.h>

#include "disk/chunk.h"

struct queue {
	size_t depth, head, length;
	bool closed;
	struct chunk *ring[];
};

struct queue *
queue_new(size_t depth)
{
	struct queue *q;

	check(depth >= 1);
	q = calloc(1, sizeof(*q) + depth * sizeof(struct chunk *));
	if (q != NULL)
		q->depth = depth;
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
	return q->length == q->depth ? QUEUE_FILLED : QUEUE_STEADY;
}

struct chunk *
queue_pop(struct queue *q, enum queue_edge *ret_edge)
{
	struct chunk *c;

	*ret_edge = QUEUE_STEADY;
	if (q->length == 0)
		return NULL;
	c = q->ring[q->head];
	q->head = (q->head + 1) % q->depth;
	if (q->length-- == q->depth)
		*ret_edge = QUEUE_DRAINED;
	return c;
}

void
queue_close(struct queue *q)
{
	q->closed = true;
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
	enum queue_edge edge;
	struct chunk *c;

	if (*qp == NULL)
		return;
	while ((c = queue_pop(*qp, &edge)) != NULL)
		chunk_give(c);
	free(*qp);
	*qp = NULL;
}
