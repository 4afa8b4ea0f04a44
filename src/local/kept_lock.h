/*
 * local/kept_lock.h - the loop's lock of an output directory, kept for a moment.
 *
 * Where the loop replaces files (in memory), it replaces many in one turn; so it keeps
 * the lock, which it has together with others, until it is about to sleep.  If somebody
 * waits to have the lock alone, the next kept_lock_take() lets go of it instead.  On the
 * loop.
 */
#ifndef LOCAL_KEPT_LOCK_H
#define LOCAL_KEPT_LOCK_H

#include <ev.h>

#include "publish_lock.h"

/* Zeroed at first. */
struct kept_lock {
	struct publish *publish;
	struct ev_loop *loop;
	ev_prepare before_sleep; /* active while it is kept */
	struct publish_lock lock;
};

/* Have it, as by PUBLISH_UNCHECKED.  0; or PUBLISH_BUSY or another negative errno, and it
 * is not kept.  `p` and `loop` stay until kept_lock_release(). */
NODISCARD int kept_lock_take(
    struct kept_lock *k, struct publish *p, struct ev_loop *loop);

/* Let go of it, if it is kept; before `publish` ends. */
void kept_lock_release(struct kept_lock *k);

#endif
