#include "proc/counted.h"

#include "base/clock.h"

void
counted_begin(struct metrics *m, const struct config *conf, unsigned generation)
{
	struct metrics_share *master = metrics_share_of_master(m);

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->location_count; k++) {
			(void)metrics_enter(
			    m, METRICS_LOCATION, s->locations[k].prefix);
			(void)metrics_enter(m, METRICS_DIRECTORY,
			    s->locations[k].policy.output_dir);
		}
	}
	if (metrics_gauge_of(master, METRICS_STARTED_S) == 0)
		metrics_set(
		    master, METRICS_STARTED_S, (uint64_t)clock_wall_s());
	metrics_set(master, METRICS_GENERATION, generation);
}
