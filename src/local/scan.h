/*
 * local/scan.h - which of the files that are there is the newest upload.
 *
 * That is asked at the start, and when others have removed the newest.  One of
 * all workers looks through the directory; downloads of the newest wait for it,
 * for a while.
 */
#ifndef LOCAL_SCAN_H
#define LOCAL_SCAN_H

#include <ev.h>

#include "opener.h"

struct scan_run;

/*
 * A download of the newest upload that waits until it is known which one that
 * is: on_known(w, current, late) comes then; or, with `late`, when that takes too
 * long; or when another directory is open, or none (`current`).  It stops waiting
 * by list_remove(&w->node).
 */
struct scan_seeker {
	struct list_node node; /* of `seekers` */
	struct local_dir *dir;
	double until;
	void (*on_known)(
	    struct scan_seeker *w, struct local_dir *current, bool late);
};

struct scan {
	struct opener *opener;
	struct scan_run *run; /* in flight, the last one begun; or NULL */
	struct retry retry;
	struct list seekers;
	ev_timer seek;			 /* runs while there are seekers */
	void (*on_settled)(void *owner); /* a scan has ended or is not needed;
					    comes often */
	void *owner;
};

void scan_init(struct scan *s, struct opener *o,
    void (*on_settled)(void *owner), void *owner);
void scan_fini(struct scan *s);

/* Find the newest upload of the current directory, unless it is known. */
void scan_begin(struct scan *s);

/* What has failed is not tried again. */
void scan_stop(struct scan *s);

/* Have `w` wait until the newest upload of `dir` is known; it is looked for if
 * need be. */
void scan_seek(struct scan *s, struct local_dir *dir, struct scan_seeker *w);

#endif
