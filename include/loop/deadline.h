/*
 * loop/deadline.h - a timer that is cheap to move.
 *
 * It moves with nearly every packet.  Moving it later costs one store: the
 * libev timer below runs out at the old time, sees that this is too early, and
 * is started again for the rest.  So ten thousand connections can set it as
 * often as they like.
 */
#ifndef LOOP_DEADLINE_H
#define LOOP_DEADLINE_H

#include <ev.h>

struct deadline {
	ev_timer
	    timer; /* the libev timer, which runs out at or before `at`; its
			   `data` is the loop */
	double at; /* by clock_mono_s(); 0: not set; below 0: it is held, and so
		    * many seconds are left */
	void (*on_due)(struct deadline *d);
};

/* Initialise it, not set.  on_due() finds its owner with container_of(). */
void deadline_init(struct deadline *d, struct ev_loop *loop,
    void (*on_due)(struct deadline *d));

/* Set it to so many seconds from now (0 or less: in the next iteration of the
 * loop).  When it is due, it is cleared and on_due() is called, which may end
 * it.  Descriptors that are ready in the same iteration come first, so that a
 * client whose bytes have arrived does not time out. */
void deadline_set(struct deadline *d, double seconds);

/* The same for times of seconds, which move with each request: it costs less, and is due
 * up to 10 ms too early. */
void deadline_set_about(struct deadline *d, double seconds);

/* Hold it where it is, if it is set: what follows is not the time of whom it is for. */
void deadline_hold(struct deadline *d);

/* Let one that is held go on with the time that it had left; does nothing to others. */
void deadline_go_on(struct deadline *d);

/* Clear it; costs one store. */
void deadline_clear(struct deadline *d);

/* Stop the timer.  Idempotent. */
void deadline_fini(struct deadline *d);

#endif
