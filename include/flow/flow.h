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
	struct chunk_account *account; /* of the device it goes to or from */
	struct source *source;
	struct sink *sink;
	struct tap *tap; /* reads what passes, beside the sink; NULL: none */
	size_t queue_depth;
	unsigned write_depth;
	struct reader_limits limits; /* of the source */
	void *owner;
	void (*on_read_all)(void *owner); /* the last byte is in the queue */
	void (*on_drained)(void *owner);  /* and has been written */
	/* A side failed; the flow is at rest and is to be stopped. */
	void (*on_read_failed)(void *owner, struct failure why);
	void (*on_write_failed)(void *owner, struct failure why);
};

struct flow {
	struct flow_link link; /* `trace` is the owner's to set and to end */
	struct reader reader;
	struct writer writer;
	struct meter meter; /* started by flow_init */
};

/* Nothing runs yet, but the meter: both sides wait for the disk. */
void flow_init(struct flow *f);

/* Let it flow. */
void flow_start(struct flow *f, const struct flow_setup *setup);

/* From within on_read_failed(): take the source as ended, so that what was read is
 * written.  on_read_all() follows from within, then on_drained(). */
void flow_drain(struct flow *f);

/* Stop both sides and give back what they hold.  The source and the sink are
 * told to forget them.  Another flow_start() may follow, with another source: the
 * meter and the trace go on.  Idempotent. */
void flow_rest(struct flow *f);

/* The same for good: the meter stops, too; its figures stay. */
void flow_stop(struct flow *f);

#endif
