/*
 * flow/reader.h - the reading side of a flow: source -> chunk -> queue.
 *
 * A watcher on the source's descriptor.  It takes a chunk from the pool when
 * there is something to read and not before, so that who is silent holds no
 * memory; puts it into the queue when it is full, when the source has ended,
 * or when the source was silent for 10 ms; and stops while the queue is full
 * or the pool is dry.
 *
 * The client's silence is measured only while the reader waits for it: a
 * full queue or a dry pool stops that clock.
 */
#ifndef FLOW_READER_H
#define FLOW_READER_H

#include <ev.h>
#include <stdbool.h>

#include "base/check.h"
#include "disk/chunk.h"
#include "flow/meter.h"
#include "flow/queue.h"
#include "flow/source.h"
#include "flow/trace.h"

struct writer;

/* What a reader is joined to; all of it outlives the reader. */
struct reader_setup {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account *account;
	struct source *source;
	struct queue *queue;
	struct writer *writer; /* woken by a put */
	struct meter *meter;
	struct trace *trace;
	double silence_max_s; /* 0: for ever */
	void *owner;
	/* The last byte was read and put.  May end the reader. */
	void (*on_ended)(void *owner);
	/* The source failed, or was silent for too long (-ETIMEDOUT).  May
	 * end the reader. */
	void (*on_failed)(void *owner, int err);
};

struct reader {
	unsigned magic;
	struct reader_setup to;
	ev_io watcher;	  /* on the source's descriptor; fed otherwise */
	ev_timer silence; /* looks after the last byte, lazily */
	ev_tstamp last_byte;
	ev_tstamp filling_since;
	struct chunk_claim claim;
	struct chunk *filling; /* ours, part-filled; NULL: none */
	bool asked;	    /* "stream().next()" was said for the next chunk */
	bool looks_soon;    /* the timer runs out in PUT_SILENCE_S */
	bool reading_ahead; /* the source has our chunk (SOURCE_TAKEN) */
	bool running;
};

/* Begin to read.  The first attempt is made from the loop, not in here. */
void reader_start(struct reader *r, const struct reader_setup *setup);

/* The queue has a place again: go on. */
void reader_resume(struct reader *r);

/* The source brings back a chunk it took: `res` bytes were added, or a
 * negative errno.  The reader owns the chunk from here on. */
void reader_filled(struct reader *r, struct chunk *c, int res);

/* Stop for good and give back what it holds; idempotent. */
void reader_stop(struct reader *r);

#endif
