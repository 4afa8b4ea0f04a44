#include "partials_sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "partials_look.h"

#define FIRST_S 0.5
#define LEAST_S 1.0
#define MOST_S 60.0

enum {
	PARTS = 4, /* sweeps in the time in which an upload expires */
	SHARE =
	    50, /* of all the time at most one in so many is spent on them */
	UNSURE_MAX = 3,
};

/* One sweep of a directory, which it keeps open. */
struct partials_run {
	struct op op;
	struct partials_sweep *sweep;
	struct local_dir *dir;
	struct partials_look *look;
	uint64_t began_ns, changes;
	bool has_more;
};

static double
pause_s(const struct partials_sweep *s)
{
	double pause = s->opener->to->policy->resume_expire_s / PARTS;

	return pause < LEAST_S ? LEAST_S : pause > MOST_S ? MOST_S : pause;
}

static void
set_timer(struct partials_sweep *s, double seconds)
{
	struct ev_loop *loop = s->opener->to->loop;

	ev_timer_stop(loop, &s->again);
	if (s->is_stopped || !s->opener->to->policy->resume)
		return;
	ev_timer_set(&s->again, seconds, 0.);
	ev_timer_start(loop, &s->again);
}

/* ---- what it has found ---- */

/* Unless what it has counted changed meanwhile; but not for ever. */
static void
publish_counts(struct partials_sweep *s, const struct partials_run *run,
    const struct partials_found *found)
{
	struct local_dir *dir = run->dir;
	bool must = s->unsure >= UNSURE_MAX;

	if (dir->partials == NULL)
		return;
	if (found->is_whole &&
	    partials_set(dir->to->shared->partials, dir->partials,
		must ? UINT64_MAX : run->changes, found->tally, found->clients,
		found->awaited))
		s->unsure = 0;
	else
		s->unsure++;
}

static void
report(const struct partials_sweep *s, const struct partials_found *found,
    double took_s)
{
	const char *dir = s->opener->to->policy->output_dir;

	log_debug("%s: looked at %" PRIu64 " uploads in .penstock in %.0f ms",
	    dir, found->files, took_s * 1e3);
	if (found->expired > 0)
		log_notice("%s: %u uploads that nobody came back for have "
			   "expired",
		    dir, found->expired);
	if (found->gone > 0)
		log_info("%s: %u uploads that ended long ago were forgotten",
		    dir, found->gone);
}

/* Until the next one: a sweep that took long is followed by a long pause, but no upload
 * stays twice as long as it may for that. */
static double
rest_s(const struct partials_sweep *s, double took_s, double pause)
{
	double most = s->opener->to->policy->resume_expire_s;
	double rest = took_s * SHARE;

	if (rest > most)
		rest = most;
	return rest > pause ? rest : pause;
}

static void
end_run(struct partials_run *run)
{
	struct partials_sweep *s = run->sweep;
	const struct partials_found *found = partials_look_found(run->look);
	uint64_t now = clock_mono_ns();
	double took = (double)(now - run->began_ns) / NS_PER_S;
	double pause = pause_s(s);

	s->run = NULL;
	dir_look_for_loss(run->dir); /* before it is forgotten */
	if (partials_look_was_alone(run->look) && !run->has_more) {
		publish_counts(s, run, found);
		report(s, found, took);
		if (run->dir->partials != NULL)
			partials_note_sweep(run->dir->partials, now);
	}
	if (s->unsure > 0)
		pause = LEAST_S;
	pause = rest_s(s, took, pause);
	set_timer(s, pause);
	partials_look_free(&run->look);
	dir_release(run->dir);
	free(run);
}

/* ---- in steps ---- */

static int
step_job(void *arg)
{
	struct partials_run *run = arg;
	struct publish *p = &run->dir->publish;

	/* What there is in another one says nothing of what is lost. */
	if (!publish_is_intact(p) && publish_renew(p) < 0) {
		run->has_more = false;
		return -ENOENT;
	}
	run->has_more = partials_look_step(run->look);
	return 0;
}

static void
partials_on_step(struct op *op, int res)
{
	struct partials_run *run = op->owner;
	struct partials_sweep *s = run->sweep;

	if (res == 0 && run->has_more && !s->is_stopped &&
	    s->opener->current == run->dir &&
	    device_accepts_reads(run->dir->device))
		engine_call(run->dir->to->engine, run->dir->device, &run->op,
		    step_job, run, CALL_SLOW | CALL_NO_STALL, partials_on_step);
	else
		end_run(run);
}

/* Has another worker looked, since this one last did? */
static bool
is_fresh(const struct partials_sweep *s, const struct local_dir *dir)
{
	uint64_t last =
	    dir->partials != NULL ? partials_swept_ns(dir->partials) : 0;
	double age = (double)(clock_mono_ns() - last) / NS_PER_S;

	return last != 0 && s->unsure == 0 && age < pause_s(s) / 2;
}

static bool
begin_run(struct partials_sweep *s, struct local_dir *dir)
{
	struct partials_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return false;
	run->look =
	    partials_look_new(dir->fd, dir->to->policy->resume_expire_s);
	if (run->look == NULL) {
		free(run);
		return false;
	}
	run->sweep = s;
	run->dir = dir;
	run->began_ns = clock_mono_ns();
	if (dir->partials != NULL)
		run->changes = partials_changes(dir->partials);
	s->run = run;
	dir_hold(dir);
	engine_call(dir->to->engine, dir->device, &run->op, step_job, run,
	    CALL_SLOW | CALL_NO_STALL, partials_on_step);
	return true;
}

static void
partials_on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct partials_sweep *s =
	    container_of(w, struct partials_sweep, again);
	struct local_dir *dir = s->opener->current;

	(void)loop;
	(void)revents;
	if (s->run != NULL)
		return; /* its end sets the timer */
	if (dir == NULL || !device_accepts_reads(dir->device) ||
	    is_fresh(s, dir) || !begin_run(s, dir))
		set_timer(s, pause_s(s));
}

void
partials_sweep_opened(struct partials_sweep *s)
{
	set_timer(s, FIRST_S);
}

void
partials_sweep_stop(struct partials_sweep *s)
{
	s->is_stopped = true;
	ev_timer_stop(s->opener->to->loop, &s->again);
}

void
partials_sweep_init(struct partials_sweep *s, struct opener *o)
{
	s->opener = o;
	ev_timer_init(&s->again, partials_on_again, 0., 0.);
}

void
partials_sweep_fini(struct partials_sweep *s)
{
	check(s->run == NULL);
	partials_sweep_stop(s);
}
