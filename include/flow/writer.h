/*
 * flow/writer.h - the writing side of a flow: queue -> sink.
 *
 *	queue -> writer --> sink
 *	               \--> tap, if there is one: it reads what passes
 *
 * A file has no descriptor to watch: it is always "ready".  The writer runs
 * from the loop after each put into the queue and after each completion, so
 * that neither side of a flow runs within the other.
 */
#ifndef FLOW_WRITER_H
#define FLOW_WRITER_H

#include <stdbool.h>

#include "base/failure.h"
#include "loop/deferred.h"
#include "log/trace.h"
#include "flow/meter.h"
#include "flow/queue.h"
#include "flow/sink.h"

struct tap;
struct writer;

struct tap_ops {
	/* Read `c`, which goes to the sink, too.  True: it is shared
	 * (chunk_share), and writer_tapped() will say that the tap has done
	 * with it, later; false: the tap has done already. */
	bool (*take)(struct tap *t, struct chunk *c, struct writer *w);
	/* The writer goes away: it must never hear of the tap again. */
	void (*abandon)(struct tap *t);
};

struct tap {
	const struct tap_ops *ops;
};

/* What a writer is joined to; all of it outlives the writer. */
struct writer_setup {
	struct ev_loop *loop;
	struct queue *queue;
	struct sink *sink;
	struct tap *tap; /* NULL: none */
	struct meter *meter;
	struct trace *trace;
	unsigned depth; /* chunks the sink has at most, and the tap */
	void *owner;
	/* Queue closed, empty, and all written and tapped.  May end the
	 * writer. */
	void (*on_drained)(void *owner);
	/* The first error of the sink.  May end the writer. */
	void (*on_failed)(void *owner, struct failure why);
};

struct writer {
	unsigned magic;
	struct writer_setup to;
	struct deferred wake; /* a chunk was put, or some are written */
	unsigned writing;     /* chunks the sink has */
	unsigned tapped;      /* chunks the tap has; the sink may, too */
	bool running;
};

/* Be ready; the first chunk is taken when it is put. */
void writer_start(struct writer *w, const struct writer_setup *setup);

/* There is something to do: a chunk was put, or the queue was closed.  It is
 * done from the loop. */
void writer_wake(struct writer *w);

/* The sink is done with `chunks` of those that it was given.  Only wakes the
 * writer: nothing ends within this call. */
void writer_done(struct writer *w, unsigned chunks);

/* The sink cannot go on.  Chunks that it still has stay its own until abandon().
 * May end the writer. */
void writer_failed(struct writer *w, struct failure why);

/* The tap is done with `chunks` of those that it shared.  Only wakes the writer,
 * too. */
void writer_tapped(struct writer *w, unsigned chunks);

/* Stop for good, leaving to the sink and the tap what they have; idempotent. */
void writer_stop(struct writer *w);

#endif
