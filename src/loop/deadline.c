#include "loop/deadline.h"

#include "base/clock.h"

/* A rest below this counts as due: a timer may run out early by a rounding
 * error. */
#define EARLY_S 0.001

static void
run(struct deadline *d, double seconds)
{
	ev_timer_stop(d->loop, &d->timer);
	ev_timer_set(&d->timer, seconds, 0.);
	ev_timer_start(d->loop, &d->timer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct deadline *d = w->data;
	double left = d->at - clock_mono_s();

	(void)loop;
	(void)revents;
	if (d->at <= 0)
		return;
	if (left > EARLY_S) {
		run(d, left);
		return;
	}
	d->at = 0;
	d->on_due(d);
}

void
deadline_init(struct deadline *d, struct ev_loop *loop,
    void (*on_due)(struct deadline *d))
{
	*d = (struct deadline){.loop = loop, .on_due = on_due};
	ev_timer_init(&d->timer, on_timer, 0., 0.);
	ev_set_priority(&d->timer, EV_MINPRI);
	d->timer.data = d;
}

void
deadline_set(struct deadline *d, double seconds)
{
	if (seconds < 0)
		seconds = 0;
	d->at = clock_mono_s() + seconds;
	/* The timer runs out in this iteration and will then see the new time.
	 * It is not restarted: restarting it on every iteration would postpone
	 * it for ever. */
	if (ev_is_pending(&d->timer))
		return;
	if (!ev_is_active(&d->timer) ||
	    ev_timer_remaining(d->loop, &d->timer) > seconds)
		run(d, seconds);
}

void
deadline_clear(struct deadline *d)
{
	d->at = 0;
}

void
deadline_fini(struct deadline *d)
{
	if (d->loop != NULL)
		ev_timer_stop(d->loop, &d->timer);
	d->at = 0;
}
