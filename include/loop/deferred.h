/*
 * loop/deferred.h - a call that is made a little later, from the loop.
 *
 * For consequences that the caller of a function is not ready for within that
 * call.  The call is made in the same iteration of the loop, after the callback
 * that runs now has returned and before descriptors are polled again.  Deferred
 * calls of one iteration have no order among themselves.  (To wait for the next
 * iteration, so that others come first, use a deadline of 0 seconds.)
 */
#ifndef LOOP_DEFERRED_H
#define LOOP_DEFERRED_H

#include <ev.h>
#include <stdbool.h>

struct deferred {
	ev_prepare watcher; /* never started: libev calls it when it is fed; its
			       `data` is the loop */
	void (*run)(struct deferred *d);
};

/* run(d) is what deferred_post() will call, which may post it again, or end
 * it; the owner is found with container_of(). */
void deferred_init(
    struct deferred *d, struct ev_loop *loop, void (*run)(struct deferred *d));

/* Call run(d) once; nothing when it is pending already. */
static inline void
deferred_post(struct deferred *d)
{
	ev_feed_event(d->watcher.data, &d->watcher, EV_CUSTOM);
}

/* It was posted and has not run yet. */
static inline bool
deferred_is_pending(const struct deferred *d)
{
	return ev_is_pending(&d->watcher);
}

/* Do not run it, if it is pending: before its owner's memory goes.  It may be
 * zeroed (never initialised), and may be posted again. */
void deferred_cancel(struct deferred *d);

#endif
