/*
 * flow/sink.h - what a writer writes to.
 *
 * A sink takes chunks one by one, moves their bytes (to a file, several of
 * them in one operation; to a socket, as it takes them), gives each back to its
 * pool and then says so with writer_done(), or with writer_failed() that it
 * cannot go on.  It never does so from within write() or flush().  Once it is done
 * with all of a writer's chunks that writer may be gone, and another one come.
 */
#ifndef FLOW_SINK_H
#define FLOW_SINK_H

#include <stdbool.h>
#include <stdint.h>

struct chunk;
struct sink;
struct writer;

struct sink_ops {
	/* The sink owns `c` from here on. */
	void (*write)(struct sink *s, struct chunk *c, struct writer *w);
	/* The queue has no more for now: a sink that collects chunks for one
	 * write goes on with those it has.  NULL: this one does not collect. */
	void (*flush)(struct sink *s);
	/* The writer goes away while the sink has chunks of it: it must never
	 * hear of them again. */
	void (*abandon)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	unsigned depth;	   /* chunks that it can use at once; 0: any number */
	bool whole_chunks; /* a part-filled one costs it dear, unless it is the
			      last: readers are to be patient */
};

#endif
