/*
 * local/sweep.h - temp files that a worker has left behind.
 *
 * The worker that opens a directory removes them, but for those that are in
 * use: by a worker that goes on, or by one that is ending and perhaps cannot,
 * because its disk does not answer.  When that does, more files may even be made
 * that have no owner.  So the sweep is repeated, less and less often, until there
 * are none in use, and a few times anyway.
 */
#ifndef LOCAL_SWEEP_H
#define LOCAL_SWEEP_H

#include <ev.h>

#include "opener.h"

struct sweep_run;

struct sweep {
	struct opener *opener;
	ev_timer again;
	struct sweep_run *run; /* in flight in the current directory; or NULL */
	unsigned found_none;   /* in use there: so many sweeps */
};

void sweep_init(struct sweep *s, struct opener *o);
void sweep_fini(struct sweep *s);

/* The current directory was opened, and swept by that. */
void sweep_opened(struct sweep *s);

#endif
