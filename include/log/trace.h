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

enum trace_side {
	TRACE_READER,
	TRACE_WRITER,
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

/* One step of one side: "put()", "write()". */
void trace_step(struct trace *t, enum trace_side side, const char *step);

/* The last line, such as "Done" or "Failed: why"; frees it, clears *tp. */
void trace_end(struct trace **tp, const char *how);

#endif
