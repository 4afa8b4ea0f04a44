/*
 * local/kept_lock.h - the lock of an output directory that the loop has.
 *
 * Where the loop replaces files (in memory), it does so many times between two looks
 * for events, and keeps the lock until then.  It has it together with others, and lets
 * go of it as soon as somebody waits to have it alone.  On the loop.
 */
#ifndef LOCAL_KEPT_LOCK_H
#define LOCAL_KEPT_LOCK_H

#include <ev.h>

#include "local/publish.h"

/* Zeroed at first. */
struct kept_lock {
	struct publish *publish;
	struct ev_loop *loop;
	ev_prepare before_sleep; /* active while it is kept */
	struct publish_lock lock;
};

/* Have it, PUBLISH_UNCHECKED: 0, PUBLISH_BUSY or another negative errno. */
NODISCARD int kept_lock_take(
    struct kept_lock *k, struct publish *p, struct ev_loop *loop);

/* Let go of it, if it is kept; before `publish` ends. */
void kept_lock_release(struct kept_lock *k);

#endif
