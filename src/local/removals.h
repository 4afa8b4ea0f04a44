/*
 * local/removals.h - `keep latest`: the uploads that are to go, since there is a
 * newer one.
 *
 * Each is removed by the upload that took its place, if it still is the file
 * that it was.  What could not be removed then (no descriptor was left, or the
 * file was made immutable) is tried again until it can be, one after another; and
 * a last time when the directory is closed.
 */
#ifndef LOCAL_REMOVALS_H
#define LOCAL_REMOVALS_H

#include <ev.h>

#include "dir.h"

struct removals {
	struct ev_loop *loop;
	struct list queues; /* of directories with something to remove */
	ev_timer again;	    /* runs while there are such */
};

void removals_init(struct removals *r, struct ev_loop *loop);
void removals_fini(struct removals *r);

/* unlinked_remove() of `e` in `dir` said `res`: it is tried again, if that may
 * help. */
void removals_tried(struct removals *r, struct local_dir *dir,
    const struct latest_entry *e, int res);

/* Some of `dir` are left. */
bool removals_are_left(const struct local_dir *dir);

#endif
