/*
 * flow/reader.h - the reading side of a flow: source -> chunk -> queue.
 *
 * A watcher on the source's descriptor.  It takes a chunk from the pool when
 * there is something to read and not before, so that a silent client holds no
 * memory; puts it into the queue when it is full, when the source has ended,
 * or when the source was silent for 10 ms (100 ms where the sink likes whole
 * chunks); and stops while the queue is full or the pool is dry.
 *
 * The client's clocks (its silence, its rate) run only while the reader waits
 * for it: a full queue, a dry pool and a rate that we set stop them.  A client
 * whose bytes are there is not too slow: then this process was busy.
 */
#ifndef FLOW_READER_H
#define FLOW_READER_H

#include <ev.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/failure.h"
#include "loop/deadline.h"
#include "disk/chunk.h"
#include "log/trace.h"
#include "flow/client_clock.h"
#include "flow/meter.h"
#include "flow/pace.h"
#include "flow/queue.h"
#include "flow/sink.h"
#include "flow/source.h"

/* What a source may and must do; zeroed: as it likes. */
struct reader_limits {
	struct client_limits client; /* else TOO_SLOW, BELOW_RATE */
	uint64_t rate_max;	     /* bytes per second */
};

/* What a reader is joined to; all of it outlives the reader. */
struct reader_setup {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account *account;
	struct source *source;
	struct queue *queue;
	const struct sink *sink; /* behind the writer: see whole_chunks */
	struct meter *meter;
	struct trace *trace;
	void *owner;
	/* The last byte was read and put.  May end the reader. */
	void (*on_ended)(void *owner);
	/* The source failed, or passed a limit.  May end the reader. */
	void (*on_failed)(void *owner, struct failure why);
};

struct reader {
	unsigned magic;
	struct reader_setup to;
	ev_io watcher;	      /* on the source's descriptor; fed otherwise */
	struct deadline look; /* at the clocks, or the end of a pace's pause */
	struct client_clock clock;
	struct pace pace;
	double filling_since;
	struct chunk_claim claim;
	struct chunk *filling; /* ours, part-filled; NULL: none */
	bool pacing;	       /* rate_max is reached: no reading for a while */
	bool reading_ahead;    /* the source has our chunk (SOURCE_TAKEN) */
	bool running;
};

/* Begin to read, within `limits`, which are copied as `setup` is.  The first
 * attempt is made from the loop, not in here. */
void reader_start(struct reader *r, const struct reader_setup *setup,
    const struct reader_limits *limits);

/* The queue has a place again: go on, from the loop. */
void reader_resume(struct reader *r);

/* The source brings back a chunk it took, and bytes were added to it, or (`why` says
 * so) it has failed.  The reader owns the chunk from here on.  May end the reader. */
void reader_filled(struct reader *r, struct chunk *c, struct failure why);

/* The source cannot go on.  A chunk that it has taken stays its own until
 * abandon().  May end the reader. */
void reader_failed(struct reader *r, struct failure why);

/* From within on_failed(): take the source as ended, so that what was read is put;
 * on_ended() follows from within. */
void reader_finish(struct reader *r);

/* Stop for good and give back what it holds; idempotent. */
void reader_stop(struct reader *r);

#endif
