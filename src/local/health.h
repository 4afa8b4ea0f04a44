/*
 * local/health.h - what becomes of a directory's uploads and downloads when its
 * disk does not answer, or could not make something durable, and when it is
 * healthy again.
 *
 * While the disk is unhealthy, as this worker or another has found, it is looked
 * after each second: whether the path leads to another directory meanwhile, and, if
 * the disk failed here, whether it can sync again.
 */
#ifndef LOCAL_HEALTH_H
#define LOCAL_HEALTH_H

#include <ev.h>

#include "opener.h"

struct health {
	struct opener *opener;
	ev_timer watch;	   /* runs while there is something to look after */
	struct op path_op; /* does the path still lead there? */
};

void health_init(struct health *h, struct opener *o);
void health_fini(struct health *h);

/* A directory tells of its disk: dir_events. */
void health_changed(struct health *h, struct local_dir *dir, bool news);

/* The current directory was opened; its disk may be known to be unhealthy. */
void health_opened(struct health *h);

/* Look after what is unhealthy or postponed, again and again, until nothing is. */
void health_watch(struct health *h);

/* No operation of its own on the path is in flight. */
bool health_is_idle(const struct health *h);

#endif
