/*
 * flow/sink.h - what a writer writes to.
 *
 * A sink is given chunks one by one.  It writes their bytes (several chunks in one
 * operation to a file; to a socket as it takes them), gives each chunk back to its
 * pool, and then calls writer_done(); or writer_failed(), when it cannot go on.  It never
 * calls these from within write() or flush().  When it is done with all chunks of a
 * writer, that writer may end, and another one may use the sink.
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
	/* The queue has no more chunks for now: write those that were collected
	 * for one operation.  NULL: this sink does not collect. */
	void (*flush)(struct sink *s);
	/* The writer ends while the sink has chunks of it: the sink must not
	 * call it any more. */
	void (*abandon)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	unsigned depth;	   /* chunks that it can use at once; 0: any number */
	bool whole_chunks; /* writing part-filled chunks is costly (except the
			      last): readers wait longer to fill them */
	bool takes_pipes;  /* a chunk may have a pipe (disk/chunk.h), which the
			      sink empties at once */
};

#endif
