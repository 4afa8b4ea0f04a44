#include "loop/deferred.h"

#include "base/check.h"

static void
on_fed(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct deferred *d = container_of(w, struct deferred, watcher);

	(void)loop;
	(void)revents;
	d->run(d);
}

void
deferred_init(
    struct deferred *d, struct ev_loop *loop, void (*run)(struct deferred *d))
{
	d->loop = loop;
	d->run = run;
	ev_prepare_init(&d->watcher, on_fed);
}

void
deferred_cancel(struct deferred *d)
{
	if (d->loop != NULL)
		ev_clear_pending(d->loop, &d->watcher);
}
