/*
 * What a worker has for those who watch: its requests are counted, and gauges say how it is.
 *
 * The gauges are set a moment after something has changed, so that a worker that rests does
 * not wake for them, and one that is busy does not set them in each turn of its loop.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "shared/live.h"
#include "shared/metrics.h"
#include "disk/chunk.h"
#include "disk/engine.h"
#include "upload/roll.h"
#include "web/free_levels.h"
#include "worker_internal.h"

#define SET_AFTER_S 0.2
#define SET_AGAIN_S 1.0

/* ---- gauges ---- */

static void
set_disk(struct worker_watch *watch, struct store *s, unsigned directory)
{
	struct metrics_share *share = watch->share;
	struct store_view v;

	if (directory == METRICS_OTHER)
		return;
	store_view(s, &v);
	metrics_set_disk(share, directory, METRICS_DISK_IN_FLIGHT, v.in_flight);
	metrics_set_disk(share, directory, METRICS_DISK_BUFFERED, v.buffered);
	metrics_set_disk(share, directory, METRICS_DISK_OLDEST_NS, v.oldest_ns);
	metrics_set_disk(
	    share, directory, METRICS_DISK_LATENCY_NS, v.latency_ns);
	metrics_set_disk(
	    share, directory, METRICS_DISK_STATE, (uint64_t)v.state + 1);
}

static void
set_gauges(struct worker *w)
{
	struct worker_watch *watch = &w->watch;
	size_t at = 0;

	watch->ids = w->ids.last;
	watch->held = chunk_pool_held(w->pool);
	watch->in_flight = engine_in_flight(w->engine);
	metrics_set(
	    watch->share, METRICS_MEMORY, watch->held * chunk_size(w->pool));
	for (size_t i = 0; i < w->server_count; i++) {
		struct server *s = &w->servers[i];

		for (size_t k = 0; k < s->conf->location_count; k++, at++)
			set_disk(watch, s->context.stores[k],
			    watch->directories[at]);
	}
}

/* Since the gauges were set. */
static bool
has_not_changed(const struct worker *w)
{
	const struct worker_watch *watch = &w->watch;

	return watch->ids == w->ids.last &&
	       watch->held == chunk_pool_held(w->pool) &&
	       watch->in_flight == engine_in_flight(w->engine);
}

static void
watch_on_due(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;
	bool rests = has_not_changed(w);

	(void)revents;
	set_gauges(w);
	/* An operation may hang: that its disk does not answer is no change. */
	if (w->watch.in_flight == 0)
		return;
	ev_timer_set(t, rests ? SET_AGAIN_S : SET_AFTER_S, 0.);
	ev_timer_start(loop, t);
}

static void
watch_on_idle(struct ev_loop *loop, ev_prepare *p, int revents)
{
	struct worker *w = p->data;
	struct worker_watch *watch = &w->watch;

	(void)revents;
	if (ev_is_active(&watch->due) || has_not_changed(w))
		return;
	ev_timer_set(&watch->due, SET_AFTER_S, 0.);
	ev_timer_start(loop, &watch->due);
}

static void
watch_renew(void *arg)
{
	struct worker *w = arg;

	set_gauges(w);
	roll_look(w->watch.roll);
}

/* Old workers leave it to those that are new. */
static void
watch_on_levels(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct worker *w = t->data;

	(void)loop;
	(void)revents;
	if (!w->watch.readiness.stopping)
		free_levels_look(&w->watch.readiness, w->to->shared);
}

/* ---- beginning ---- */

static int
find_directories(struct worker *w)
{
	const struct config *conf = w->to->conf;
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].location_count;
	w->watch.directories = calloc(count + 1, sizeof(*w->watch.directories));
	if (w->watch.directories == NULL)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->location_count; k++)
			w->watch.directories[count++] = metrics_find(
			    w->to->shared->metrics, METRICS_DIRECTORY,
			    s->locations[k].policy.output_dir);
	}
	return 0;
}

static int
find_terms(struct worker *w)
{
	const struct certificates *c = w->to->certificates;

	w->watch.terms = calloc(c->term_count + 1, sizeof(*w->watch.terms));
	if (w->watch.terms == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < c->term_count; i++)
		w->watch.terms[i] =
		    (struct admin_term){.file = c->terms[i].path,
			.of_list = c->terms[i].of_list,
			.ends_s = c->terms[i].ends_s};
	w->watch.subject.terms = w->watch.terms;
	w->watch.subject.term_count = c->term_count;
	return 0;
}

int
worker_watch_begin(struct worker *w)
{
	const struct shared *shared = w->to->shared;
	const struct config *conf = w->to->conf;
	struct worker_watch *watch = &w->watch;
	unsigned slot = shm_slot_number(shared->shm, w->to->slot);

	watch->roll = roll_new(w->loop, shared, slot);
	if (watch->roll == NULL)
		return -ENOMEM;
	watch->share = metrics_share_of(shared->metrics, slot);
	metrics_set(watch->share, METRICS_GENERATION,
	    w->to->generation > 0 ? w->to->generation : 1);
	metrics_set(watch->share, METRICS_STARTED_S, (uint64_t)clock_wall_s());
	metrics_set(watch->share, METRICS_MEMORY_MAX, conf->buffer_memory);
	ev_prepare_init(&watch->idle, watch_on_idle);
	ev_timer_init(&watch->due, watch_on_due, 0., 0.);
	watch->idle.data = watch->due.data = w;
	watch->contexts = calloc(conf->server_count, sizeof(*watch->contexts));
	if (watch->contexts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->server_count; i++)
		watch->contexts[i] = &w->servers[i].context;
	watch->readiness = (struct readiness){.slot = w->to->slot,
	    .contexts = watch->contexts,
	    .count = conf->server_count};
	watch->subject = (struct admin_subject){.shared = shared,
	    .readiness = &watch->readiness,
	    .renew = watch_renew,
	    .arg = w};
	ev_prepare_start(w->loop, &watch->idle);
	ev_timer_init(
	    &watch->levels, watch_on_levels, 1., FREE_LEVELS_LOOK_MS / 1e3);
	watch->levels.data = w;
	if (free_levels_are_set(conf))
		ev_timer_start(w->loop, &watch->levels);
	ev_timer_set(&watch->due, SET_AFTER_S, 0.);
	ev_timer_start(w->loop, &watch->due);
	return find_terms(w) < 0 ? -ENOMEM : find_directories(w);
}

int
worker_watch_server(struct worker *w, struct server *s)
{
	const struct shared *shared = w->to->shared;
	unsigned slot = shm_slot_number(shared->shm, w->to->slot);
	int err;

	s->context.readiness = &w->watch.readiness;
	s->context.env.counted = w->watch.share;
	s->conns.counted = w->watch.share;
	s->context.env.roll = w->watch.roll;
	admin_init(&s->admin, &s->context, &w->watch.subject);
	err = counter_init(&s->counter, shared->metrics, slot, s->conf);
	s->counter.users = shared->user_names;
	s->counter.retries = shared->retries;
	s->counter.ended = live_share_of(shared->live, slot);
	return err;
}

void
worker_watch_end(struct worker *w)
{
	for (size_t i = 0; i < w->server_count; i++)
		counter_fini(&w->servers[i].counter);
	ev_prepare_stop(w->loop, &w->watch.idle);
	ev_timer_stop(w->loop, &w->watch.due);
	ev_timer_stop(w->loop, &w->watch.levels);
	roll_free(&w->watch.roll);
	free(w->watch.contexts);
	free(w->watch.directories);
	free(w->watch.terms);
}
