#include "sweep.h"

#include <stdlib.h>

#include "base/log.h"
#include "publish_lock.h"

#define FIRST_S 1.0
#define LAST_S 60.0

enum {
	SWEEPS_MIN = 4, /* 1 + 2 + 4 + 8 seconds */
};

/* One sweep of a directory, which it keeps open. */
struct sweep_run {
	struct op op;
	struct sweep *sweep;
	struct local_dir *dir;
	unsigned swept;	 /* files that it removed */
	unsigned living; /* those that it left: they are in use */
};

/* A sweep has ended; another one may be due. */
static void
sweep_swept(struct sweep *s, unsigned removed, unsigned living)
{
	const struct store_setup *to = s->opener->to;
	double *every = &s->again.repeat;

	if (removed > 0)
		log_notice("%s: %u unfinished uploads of a worker that died "
			   "were removed",
		    to->policy->output_dir, removed);
	*every = *every * 2 < LAST_S ? *every * 2 : LAST_S;
	if (!publish_locks_last())
		return;
	if (living == 0 && s->found_none++ >= SWEEPS_MIN)
		ev_timer_stop(to->loop, &s->again);
	else
		ev_timer_again(to->loop, &s->again);
}

static int
sweep_job(void *arg)
{
	struct sweep_run *run = arg;

	run->swept = publish_sweep(run->dir->fd, &run->living);
	return 0;
}

static void
on_swept(struct op *op, int res)
{
	struct sweep_run *run = op->owner;
	struct sweep *s = run->sweep;

	(void)res;
	if (s->run == run)
		s->run = NULL;
	if (s->opener->current == run->dir)
		sweep_swept(s, run->swept, run->living);
	dir_release(run->dir);
	free(run);
}

static void
sweep_on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct sweep *s = w->data;
	struct local_dir *dir = s->opener->current;
	struct sweep_run *run;

	(void)loop;
	(void)revents;
	if (dir == NULL || !device_accepts_reads(dir->device) || s->run != NULL)
		return; /* the timer repeats */
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return;
	run->sweep = s;
	run->dir = dir;
	s->run = run;
	dir_hold(dir);
	engine_call(dir->to->engine, dir->device, &run->op, sweep_job, run,
	    CALL_SLOW | CALL_NO_STALL, on_swept);
}

void
sweep_opened(struct sweep *s)
{
	const struct local_dir *dir = s->opener->current;

	s->run = NULL; /* one in flight is in another directory */
	s->found_none = 0;
	sweep_swept(s, dir->swept, dir->living);
}

void
sweep_init(struct sweep *s, struct opener *o)
{
	s->opener = o;
	ev_timer_init(&s->again, sweep_on_again, 0., FIRST_S / 2);
	s->again.data = s;
}

void
sweep_fini(struct sweep *s)
{
	ev_timer_stop(s->opener->to->loop, &s->again);
}
