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
	d->run = run;
	ev_prepare_init(&d->watcher, on_fed);
	d->watcher.data = loop;
}

void
deferred_cancel(struct deferred *d)
{
	if (d->watcher.data != NULL)
		ev_clear_pending(d->watcher.data, &d->watcher);
}
