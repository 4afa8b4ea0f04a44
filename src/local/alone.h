/*
 * local/alone.h - who has the lock of an output directory alone, now and then.
 *
 * Uploads that replace files have that lock together, and let each other in for ever.
 * Within this server they make room for one that waits to have it alone, since that
 * leaves a note (shared/replacing.h).  Those of other servers leave no notes for us: so
 * that they get their turn, one upload in so many has the lock alone without need.
 */
#ifndef LOCAL_ALONE_H
#define LOCAL_ALONE_H

#include <stdbool.h>

enum {
	ALONE_EVERY = 8192,
};

/* Of one directory; zeroed at first. */
struct alone {
	_Atomic unsigned draws;
	_Atomic bool is_due;
};

/*
 * alone_draw(a, now):
 * For each upload that is to replace a file, on any thread.  True: it is to have the lock
 * alone.  One that may not wait (`now`) is not to have it together either, but on a thread,
 * where it draws again: until one has done so, all draw true.
 */
bool alone_draw(struct alone *a, bool now);

#endif
