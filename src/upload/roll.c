#include "upload/roll.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "shared/warnings.h"
#include "config/config.h"
#include "flow/meter.h"
#include "upload/bound.h"

enum {
	TELL_AGAIN_S = 3600,
};

/* What a rate is measured from. */
struct mark {
	uint64_t ns, bytes, rate;
	uint16_t location;
};

struct roll {
	struct ev_loop *loop;
	struct live *live;
	struct live_share *share;
	const struct shared *shared;
	struct list entries;
	ev_timer look;
	struct bound bounds[METRICS_NAMES]; /* by number of location */
	const struct conf_location *waiting[METRICS_NAMES]; /* at this look */
	struct mark marks[LIVE_RECORDS];		    /* by record */
	uint16_t free[LIVE_RECORDS];			    /* records */
	unsigned free_count;
};

/* ---- records ---- */

/* False: there is none left. */
static bool
take_record(struct roll *r, struct roll_entry *e)
{
	if (e->at == LIVE_RECORDS && r->free_count > 0) {
		e->at = r->free[--r->free_count];
		r->marks[e->at] = (struct mark){
		    .location = (uint16_t)metrics_find(r->shared->metrics,
			METRICS_LOCATION, e->location->prefix)};
	}
	return e->at != LIVE_RECORDS;
}

static uint64_t
rate_of(uint64_t bytes, uint64_t ns)
{
	return ns > 0
		   ? (uint64_t)((double)bytes * (double)NS_PER_S / (double)ns)
		   : 0;
}

/* From second to second, half of it is the one before. */
static void
measure(struct mark *m, const struct live_record *rec)
{
	uint64_t ns = rec->seen_ns - m->ns;
	uint64_t bytes = rec->bytes > m->bytes ? rec->bytes - m->bytes : 0;

	if (m->ns == 0) {
		m->rate = rate_of(rec->bytes, rec->seen_ns - rec->began_ns);
	} else if (ns >= NS_PER_S) {
		m->rate = m->rate / 2 + rate_of(bytes, ns) / 2;
	} else {
		return;
	}
	m->ns = rec->seen_ns;
	m->bytes = rec->bytes;
}

/* False: there is no record for it. */
static bool
look_at(struct roll *r, struct roll_entry *e, uint64_t now)
{
	struct live_record rec = {.id = e->id, .seen_ns = now};

	if (!e->ops->describe(e, &rec))
		return true;
	if (!take_record(r, e))
		return false;
	rec.location = r->marks[e->at].location;
	measure(&r->marks[e->at], &rec);
	rec.rate = r->marks[e->at].rate;
	live_put(r->share, e->at, &rec);
	if (rec.location < METRICS_OTHER) {
		r->waiting[rec.location] = e->location;
		bound_add(&r->bounds[rec.location],
		    rec.verdict == VERDICT_WRITE_BOUND);
	}
	return true;
}

static void
tell_bound(const struct conf_location *l)
{
	char time[NUM_TEXT_MAX];

	num_format_seconds(l->warn_write_bound_s, time);
	log_warn("location %s: uploads have waited for the disk of %s most of "
		 "the last %s (write-bound): not their clients or the network "
		 "are slow; see penstock_disk_latency_seconds of /metrics, and "
		 "what else uses that disk",
	    l->prefix, l->policy.output_dir, time);
}

/* Of the locations in which uploads ran at this look. */
static void
look_at_bounds(struct roll *r, uint64_t now)
{
	for (unsigned i = 0; i < METRICS_NAMES; i++) {
		const struct conf_location *l = r->waiting[i];
		uint64_t ns;

		r->waiting[i] = NULL;
		if (l == NULL || l->warn_write_bound_s <= 0)
			continue;
		ns = (uint64_t)(l->warn_write_bound_s * (double)NS_PER_S);
		if (bound_look(&r->bounds[i], now, ns) &&
		    warnings_claim(r->shared->warnings, WARNINGS_WRITE_BOUND, i,
			now, TELL_AGAIN_S * NS_PER_S))
			tell_bound(l);
	}
}

void
roll_look(struct roll *r)
{
	uint64_t now = clock_mono_ns(), unlisted = 0;

	LIST_FOREACH(struct roll_entry, e, &r->entries, node)
		unlisted += !look_at(r, e, now);
	live_set_unlisted(r->share, unlisted);
	look_at_bounds(r, now);
}

/* ---- who is to be cut ---- */

static void
cut_those_asked(struct roll *r)
{
	uint64_t now = clock_mono_ns();
	struct list seen;
	struct list_node *n;

	if (!live_any_cut(r->live, now))
		return;
	list_init(&seen);
	while ((n = list_shift(&r->entries)) != NULL) {
		struct roll_entry *e = container_of(n, struct roll_entry, node);

		list_append(&seen, n);
		if (live_is_cut(r->live, e->id, now))
			e->ops->cut(e); /* may end it, and free it */
	}
	list_append_all(&r->entries, &seen);
}

static void
roll_on_look(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct roll *r = container_of(t, struct roll, look);

	(void)revents;
	cut_those_asked(r);
	roll_look(r);
	if (list_is_empty(&r->entries))
		ev_timer_stop(loop, t);
}

/* ---- the roll ---- */

struct roll *
roll_new(struct ev_loop *loop, const struct shared *shared, unsigned slot)
{
	struct roll *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->shared = shared;
	r->live = shared->live;
	r->share = live_share_of(r->live, slot);
	list_init(&r->entries);
	ev_timer_init(&r->look, roll_on_look, 0., ROLL_LOOK_MS / 1e3);
	while (r->free_count < LIVE_RECORDS) { /* the first are taken first */
		r->free[r->free_count] =
		    (uint16_t)(LIVE_RECORDS - 1 - r->free_count);
		r->free_count++;
	}
	return r;
}

void
roll_free(struct roll **rp)
{
	struct roll *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	check(list_is_empty(&r->entries));
	ev_timer_stop(r->loop, &r->look);
	free(r);
}

void
roll_enter(struct roll *r, struct roll_entry *e, const struct roll_ops *ops,
    uint64_t id, const struct conf_location *location)
{
	*e = (struct roll_entry){
	    .ops = ops, .id = id, .location = location, .at = LIVE_RECORDS};
	list_append(&r->entries, &e->node);
	if (!ev_is_active(&r->look))
		ev_timer_again(r->loop, &r->look);
}

void
roll_leave(struct roll *r, struct roll_entry *e)
{
	if (!list_is_linked(&e->node))
		return;
	list_remove(&e->node);
	if (e->at == LIVE_RECORDS)
		return;
	live_put(r->share, e->at, NULL);
	r->free[r->free_count++] = (uint16_t)e->at;
	e->at = LIVE_RECORDS;
}
