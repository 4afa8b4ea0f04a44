#include "loop/deadline.h"

#include "base/check.h"
#include "base/clock.h"

/* A rest below this counts as due: a timer may run out early by a rounding
 * error. */
#define EARLY_S 0.001

static void
run(struct deadline *d, double seconds)
{
	ev_timer_stop(d->timer.data, &d->timer);
	ev_timer_set(&d->timer, seconds, 0.);
	ev_timer_start(d->timer.data, &d->timer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct deadline *d = container_of(w, struct deadline, timer);
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
	*d = (struct deadline){.on_due = on_due};
	ev_timer_init(&d->timer, on_timer, 0., 0.);
	ev_set_priority(&d->timer, EV_MINPRI);
	d->timer.data = loop;
}

static void
set_from(struct deadline *d, double now, double seconds)
{
	d->at = now + seconds;
	/* The timer runs out in this iteration and will then see the new time.
	 * It is not restarted: restarting it on every iteration would postpone
	 * it for ever. */
	if (ev_is_pending(&d->timer))
		return;
	if (!ev_is_active(&d->timer) ||
	    ev_timer_remaining(d->timer.data, &d->timer) > seconds)
		run(d, seconds);
}

void
deadline_set(struct deadline *d, double seconds)
{
	set_from(d, clock_mono_s(), seconds < 0 ? 0 : seconds);
}

void
deadline_set_about(struct deadline *d, double seconds)
{
	set_from(d, clock_recent_s(), seconds < 0 ? 0 : seconds);
}

void
deadline_hold(struct deadline *d)
{
	double left = d->at - clock_mono_s();

	if (d->at > 0)
		d->at = left > EARLY_S ? -left : -EARLY_S;
}

void
deadline_go_on(struct deadline *d)
{
	if (d->at < 0)
		deadline_set(d, -d->at);
}

void
deadline_clear(struct deadline *d)
{
	d->at = 0;
}

void
deadline_fini(struct deadline *d)
{
	if (d->timer.data != NULL)
		ev_timer_stop(d->timer.data, &d->timer);
	d->at = 0;
}
