/*
 * loop/deadline.h - a time that moves with nearly every packet.
 *
 * Moving it later costs a store: the timer below runs out when it was once
 * to, sees that it is early, and runs on for what is left.  So ten thousand
 * connections set it as often as they like.
 */
#ifndef LOOP_DEADLINE_H
#define LOOP_DEADLINE_H

#include <ev.h>

struct deadline {
	ev_timer timer; /* runs out at or before `at` */
	double at;	/* by clock_mono_s(); 0: never */
	struct ev_loop *loop;
	void (*on_due)(struct deadline *d);
};

/* Set to never; the owner is found with container_of(). */
void deadline_init(struct deadline *d, struct ev_loop *loop,
    void (*on_due)(struct deadline *d));

/* In so many seconds (0 or less: as soon as the loop comes round): then it is
 * never again, and on_due() is called, which may end the deadline.  What a
 * descriptor has in the same turn of the loop comes first: nobody is late
 * whose bytes are there. */
void deadline_set(struct deadline *d, double seconds);

/* Never; costs nothing. */
void deadline_clear(struct deadline *d);

/* The loop forgets it; idempotent. */
void deadline_fini(struct deadline *d);

#endif
