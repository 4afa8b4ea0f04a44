/*
 * local/retry.h - doing again, later, what has failed.
 *
 * Soon, and a few times, when this process was short of something for a moment
 * (descriptors, while many directories are opened); else each second.
 */
#ifndef LOCAL_RETRY_H
#define LOCAL_RETRY_H

#include <ev.h>
#include <stdbool.h>

struct retry {
	struct ev_loop *loop;
	ev_timer timer;
	unsigned brief; /* attempts in a row that were short of something */
	void (*again)(void *owner);
	void *owner;
};

/* Have again(owner) called, on the loop, each time that it is due. */
void retry_init(struct retry *r, struct ev_loop *loop,
    void (*again)(void *owner), void *owner);

/* It failed with `err`, a negative errno or an error of the store (0: it could
 * not be begun): again() follows.  True: that is worth a line in the
 * log; false: it is only for a moment. */
bool retry_later(struct retry *r, int err);

/* again() will follow. */
bool retry_is_due(const struct retry *r);

/* It will not. */
void retry_stop(struct retry *r);

/* It has succeeded. */
void retry_reset(struct retry *r);

#endif
