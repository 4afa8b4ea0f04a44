/*
 * Temp files that a worker left behind.  Whoever opens the directory removes
 * them, but for those that are in use then: by a worker that goes on, or by one
 * that is ending and perhaps cannot, because its disk does not answer.  When
 * that does, files may even be made that nobody has any more.  So it is looked
 * again, less and less often, until there are none, and a few times anyway.
 */
#include "base/log.h"
#include "internal.h"

#define FIRST_S 1.0
#define LAST_S 60.0

enum {
	LOOKS_MIN = 4, /* 1 + 2 + 4 + 8 seconds */
};

static int
sweep_job(void *arg)
{
	struct local_dir *at = arg;

	at->swept = publish_sweep(at->fd, &at->living);
	return 0;
}

static void
on_swept(struct op *op, int res)
{
	struct local_dir *at = op->owner;

	(void)res;
	if (at == at->local->at)
		sweep_done(at);
	local_dir_leave(at);
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct local *local = w->data;
	struct local_dir *at = local->at;

	(void)loop;
	(void)revents;
	if (at == NULL || device_is_hanging(at->device) ||
	    at->sweep_op.in_flight)
		return; /* the timer repeats */
	local_dir_enter(at);
	at->sweep_op = (struct op){.kind = OP_CALL,
	    .call = sweep_job,
	    .slow = true,
	    .no_stall = true,
	    .arg = at,
	    .owner = at,
	    .on_done = on_swept};
	engine_submit(local->to.engine, at->device, &at->sweep_op);
}

void
sweep_done(struct local_dir *at)
{
	struct local *local = at->local;
	double *every = &local->sweep_again.repeat;

	if (at->swept > 0)
		log_notice("%s: %u unfinished uploads of a worker that died "
			   "were removed",
		    local->base.dir, at->swept);
	*every = *every * 2 < LAST_S ? *every * 2 : LAST_S;
	if (!publish_locks_last())
		return;
	if (at->living == 0 && at->sweeps++ >= LOOKS_MIN)
		ev_timer_stop(local->to.loop, &local->sweep_again);
	else
		ev_timer_again(local->to.loop, &local->sweep_again);
}

void
sweep_init(struct local *local)
{
	ev_timer_init(&local->sweep_again, on_again, 0., FIRST_S / 2);
	local->sweep_again.data = local;
}

void
sweep_fini(struct local *local)
{
	ev_timer_stop(local->to.loop, &local->sweep_again);
}
