/*
 * flow/writer.h - the writing side of a flow: queue -> sink.
 *
 *	queue -> writer --> sink
 *	               \--> tap, if there is one: it reads what passes
 *
 * It watches no descriptor, since a file is always ready.  It runs from the loop
 * after each put into the queue and after each write that has ended, so that neither
 * side of a flow runs within the other.
 */
#ifndef FLOW_WRITER_H
#define FLOW_WRITER_H

#include <stdbool.h>

#include "base/failure.h"
#include "loop/deferred.h"
#include "flow/link.h"

struct tap;
struct writer;

struct tap_ops {
	/* Read `c`, which goes to the sink, too.  True: the tap has shared it
	 * (chunk_share()), and calls writer_tapped() when it is done with it;
	 * false: it is done already. */
	bool (*take)(struct tap *t, struct chunk *c, struct writer *w);
	/* The writer ends: the tap must not call it any more. */
	void (*abandon)(struct tap *t);
};

struct tap {
	const struct tap_ops *ops;
};

struct writer {
	struct flow_link *to;
	struct deferred wake; /* a chunk was put, or some are done */
	unsigned magic;
	unsigned writing; /* chunks that the sink has */
	unsigned tapped;  /* chunks that the tap has; the sink may, too */
	bool running;
};

/* Wait for the first chunk of to->queue. */
void writer_start(struct writer *w, struct flow_link *to);

/* A chunk was put, or the queue was closed: the writer will run from the loop. */
void writer_wake(struct writer *w);

/* The sink is done with so many of the chunks that it was given.  This only wakes the
 * writer: nothing ends within this call. */
void writer_done(struct writer *w, unsigned chunks);

/* The sink has failed.  Chunks that it still has stay the sink's until abandon().  May
 * end the writer. */
void writer_failed(struct writer *w, struct failure why);

/* The tap is done with so many of the chunks that it shared.  Only wakes the writer,
 * too. */
void writer_tapped(struct writer *w, unsigned chunks);

/* Stop for good.  Sink and tap keep the chunks that they have (abandon()).
 * Idempotent. */
void writer_stop(struct writer *w);

#endif
