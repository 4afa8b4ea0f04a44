/*
 * log/trace.h - what the two sides of a flow do, drawn as they do it.
 *
 *	7: Starting -> stream().next() -> put() -> stream().next() -> put()
 *							-> get() -> write()
 *	-> stream().next() -> put()
 *							-> task_done() -> get()
 *	7: Done
 *
 * The reader stands at the left margin, the writer six tabs in, and a new
 * line begins when the other side takes over.  While several flows are traced
 * at once, every line starts with its flow's label.  Lines are written whole.
 *
 * A NULL trace is one that is off: all calls do nothing.
 */
#ifndef LOG_TRACE_H
#define LOG_TRACE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/check.h"

struct journal;
struct shm;
struct trace;

/* The steps, in the words of the asyncio program that this server re-makes:
 * the table is in trace.c.  Those of the reader come first. */
enum trace_step {
	TRACE_OPEN,   /* the store has a file */
	TRACE_RESUME, /* or one that was begun before */
	TRACE_NEXT,   /* the reader wants a chunk's worth of bytes */
	TRACE_PUT,    /* and has put it into the queue */
	TRACE_JOIN,   /* it waits for the writer to have written all */

	TRACE_GET,	 /* the writer wants a chunk */
	TRACE_WRITE,	 /* and has given it to the sink */
	TRACE_TASK_DONE, /* a chunk is written */
	TRACE_CANCEL,	 /* no more will come: the writer ends */
	TRACE_SYNC,	 /* the file is synced */
	TRACE_PUBLISH,	 /* and gets its name */
	TRACE_SUSPEND,	 /* or waits to be resumed */
	TRACE_HASH,	 /* it is read back for a digest */
	TRACE_STEPS
};

/* What all traces of a worker share. */
struct trace_group {
	struct journal *out;
	_Atomic uint32_t *active; /* this worker's, seen by all */
	const struct shm *shm;	  /* traces in all workers */
};

/*
 * trace_new(label, group):
 * Begin one, which says "LABEL: Starting".  Whether others are being traced
 * at the same time, in any worker, is looked up for each line.  NULL: no
 * memory, which leaves the flow untraced.
 */
struct trace *trace_new(const char *label, struct trace_group *group);

/* As trace_step(), of a trace that is on. */
void trace_draw(struct trace *t, enum trace_step step);

/* A side makes a step.  A side that wants a chunk says so once, however often
 * it tries: until TRACE_PUT, or TRACE_WRITE, it is not drawn again. */
static inline void
trace_step(struct trace *t, enum trace_step step)
{
	if (t != NULL)
		trace_draw(t, step);
}

/* The last line, such as "Done" or "Failed: why"; frees it, clears *tp. */
void trace_end(struct trace **tp, const char *how);

#endif
