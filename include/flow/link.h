/*
 * flow/link.h - what a reader and a writer share: the two ends, the queue between
 * them, and whom they tell.
 *
 *	source -> reader --> [ queue ] --> writer -> sink
 *
 * It is part of the flow; all that it points to outlives both.
 */
#ifndef FLOW_LINK_H
#define FLOW_LINK_H

#include <stddef.h>

#include "base/failure.h"
#include "flow/queue.h"

struct chunk_pool;
struct ev_loop;
struct meter;
struct sink;
struct source;
struct tap;
struct trace;

struct flow_link {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct source *source;
	struct sink *sink;
	struct tap *tap; /* beside the sink; NULL: none */
	struct queue queue;
	struct meter *meter;
	struct trace *trace; /* NULL: off */
	unsigned depth;	     /* chunks the sink has at most, and the tap */

	/* Each of these may end the side that calls it. */
	void (*on_read_all)(void *owner);
	void (*on_drained)(void *owner);
	void (*on_read_failed)(void *owner, struct failure why);
	void (*on_write_failed)(void *owner, struct failure why);
	void *owner;
};

#endif
