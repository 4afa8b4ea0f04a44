/*
 * loop/watch.h - which events a descriptor is watched for, when that changes.
 */
#ifndef LOOP_WATCH_H
#define LOOP_WATCH_H

#include <ev.h>

/*
 * watch_for(loop, w, events):
 * Watch the descriptor of `w`, which is initialised, for `events`: EV_READ,
 * EV_WRITE or both.  Events that are pending for it are kept when it is watched
 * for these already, and dropped when it was watched for others.
 */
static inline void
watch_for(struct ev_loop *loop, ev_io *w, int events)
{
	if ((w->events & (EV_READ | EV_WRITE)) != events) {
		ev_io_stop(loop, w);
		ev_io_set(w, w->fd, events);
	}
	if (!ev_is_active(w))
		ev_io_start(loop, w);
}

#endif
