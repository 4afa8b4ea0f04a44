/*
 * flow/flow.h - one reader and one writer, joined by one queue.
 *
 *	source -> reader --put--> [ queue ] --get--> writer -> sink
 *	                                                   \-> tap
 *
 * An upload is a flow from a request body into a file, a download a flow from a file
 * into a socket.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "base/check.h"
#include "log/trace.h"
#include "flow/meter.h"
#include "flow/queue.h"
#include "flow/reader.h"
#include "flow/writer.h"

struct flow_setup {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account *account; /* what its chunks are charged to */
	struct source *source;
	struct sink *sink;
	struct tap *tap;      /* reads what goes to the sink; NULL: none */
	size_t queue_depth;   /* chunks in the queue at most */
	unsigned write_depth; /* chunks that the sink has at most */
	struct reader_limits limits; /* on the source */
	void *owner;
	void (*on_read_all)(void *owner); /* the last byte is in the queue */
	void (*on_drained)(void *owner);  /* and has been written */
	/* One side has failed.  The owner stops the flow (flow_rest(), flow_stop()),
	 * or, when it was the reader, may drain it (flow_drain()). */
	void (*on_read_failed)(void *owner, struct failure why);
	void (*on_write_failed)(void *owner, struct failure why);
};

struct flow {
	struct flow_link link; /* the owner sets `trace`, and ends it */
	struct reader reader;
	struct writer writer;
	struct meter meter; /* started by flow_init */
};

/* Nothing runs yet but the meter. */
void flow_init(struct flow *f);

/* Start it; `setup` is copied. */
void flow_start(struct flow *f, const struct flow_setup *setup);

/* The source is to be taken for one that has failed with `why`, unless it has ended:
 * on_read_failed() is called from within. */
void flow_cut(struct flow *f, struct failure why);

/* To be called from within on_read_failed(): take the source as ended, so that what was
 * read is written.  on_read_all() is called from within, and on_drained() follows. */
void flow_drain(struct flow *f);

/* Stop both sides and give back what they hold; source and sink are told (abandon()).
 * Another flow_start() may follow, with another source: meter and trace go on.
 * Idempotent. */
void flow_rest(struct flow *f);

/* The same for good: the meter stops, too; its figures stay. */
void flow_stop(struct flow *f);

#endif
