#include "web/free_levels.h"

#include "base/log.h"
#include "base/num.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "shared/warnings.h"
#include "web/context.h"
#include "web/readiness.h"

static bool
is_set(const struct conf_location *l)
{
	return l->warn_free > 0 || l->alarm_free > 0;
}

bool
free_levels_are_set(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++)
		for (size_t k = 0; k < c->servers[i].location_count; k++)
			if (is_set(&c->servers[i].locations[k]))
				return true;
	return false;
}

/* Is the room below this level?  At one that is reached it stays a little longer. */
static bool
is_below(uint64_t free, uint64_t level, bool reached)
{
	return free < level || (reached && free - level < level / 20);
}

enum free_level
free_levels_judge(
    const struct conf_location *l, uint64_t free, enum free_level before)
{
	if (is_below(free, l->alarm_free, before == FREE_LEVEL_ALARM))
		return FREE_LEVEL_ALARM;
	if (is_below(free, l->warn_free, before != FREE_LEVEL_NONE))
		return FREE_LEVEL_WARN;
	return FREE_LEVEL_NONE;
}

static void
tell(const struct conf_location *l, uint64_t free, enum free_level level)
{
	bool alarms = level == FREE_LEVEL_ALARM;
	char limit[NUM_TEXT_MAX], min[NUM_TEXT_MAX];
	double mib = (double)free / (double)MIB;

	num_format_size(alarms ? l->alarm_free : l->warn_free, limit);
	num_format_size(l->policy.min_free, min);
	if (level == FREE_LEVEL_NONE)
		log_notice("location %s: there is room again: %.1f MiB are "
			   "free on the disk of %s",
		    l->prefix, mib, l->policy.output_dir);
	else
		log_line(alarms ? LEVEL_ERROR : LEVEL_WARN,
		    "location %s: %.1f MiB are free on the disk of %s, less "
		    "than %s %s: make room; uploads get 507 when less than "
		    "they need would be left (min_free %s)",
		    l->prefix, mib, l->policy.output_dir,
		    alarms ? "alarm_free" : "warn_free", limit, min);
}

static void
look_at(const struct shared *shared, const struct conf_location *l,
    struct store *store, unsigned number)
{
	struct warnings *w = shared->warnings;
	enum free_level before, level;
	struct store_view v;
	unsigned was;

	store_view(store, &v);
	store_measure(store);
	if (!v.has_free)
		return;
	before = (enum free_level)warnings_level(w, WARNINGS_FREE, number);
	level = free_levels_judge(l, v.free, before);
	if (level != before &&
	    warnings_set_level(w, WARNINGS_FREE, number, level, &was))
		tell(l, v.free, level);
}

void
free_levels_look(const struct readiness *r, const struct shared *shared)
{
	bool seen[METRICS_NAMES] = {false};

	for (size_t i = 0; i < r->count; i++) {
		const struct context *c = r->contexts[i];

		for (size_t k = 0; k < c->conf->location_count; k++) {
			const struct conf_location *l = &c->conf->locations[k];
			unsigned n = metrics_find(
			    shared->metrics, METRICS_LOCATION, l->prefix);

			/* Of two servers with that prefix it is the first. */
			if (n == METRICS_OTHER || seen[n] || !is_set(l))
				continue;
			seen[n] = true;
			look_at(shared, l, c->stores[k], n);
		}
	}
}
