/*
 * local/partials_sweep.h - partials that nobody came back for, and how many there are.
 *
 *	open --resume_expire--> expired: its bytes are gone, but it is known
 *	stored, refused, expired --resume_expire--> gone
 *
 * One worker at a time looks through `.penstock`, on an engine thread, in steps.  What
 * somebody has open (its ID.info is locked) is left alone.  What it counts sets right what
 * all workers know (shared/partials.h): a worker that dies leaves that wrong.
 *
 * Only ID.info and ID.data are touched, and only regular files: what else is in `.penstock`
 * belongs to somebody else.  Where locks end with any descriptor of the process (PORTABLE),
 * it is done once, when the directory was opened.
 */
#ifndef LOCAL_PARTIALS_SWEEP_H
#define LOCAL_PARTIALS_SWEEP_H

#include <ev.h>

#include "opener.h"

struct partials_run;

struct partials_sweep {
	struct opener *opener;
	ev_timer again;
	struct partials_run *run; /* in flight; or NULL */
	unsigned unsure; /* counts that had changed meanwhile, in a row */
	bool is_stopped;
};

void partials_sweep_init(struct partials_sweep *s, struct opener *o);
void partials_sweep_fini(struct partials_sweep *s);

/* The current directory was opened. */
void partials_sweep_opened(struct partials_sweep *s);

/* The worker is about to end: one in flight ends with its step. */
void partials_sweep_stop(struct partials_sweep *s);

#endif
