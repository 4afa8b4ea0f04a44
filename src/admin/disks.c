#include "disks.h"

#include <stdlib.h>
#include <string.h>

#include "shared/metrics.h"
#include "web/context.h"

/* Those of one worker are in the view: here are those of all. */
static void
join_workers(struct store_view *v, const struct metrics *m, unsigned number)
{
	v->in_flight = metrics_disk(m, number, METRICS_DISK_IN_FLIGHT);
	v->buffered = metrics_disk(m, number, METRICS_DISK_BUFFERED);
	v->oldest_ns = metrics_disk(m, number, METRICS_DISK_OLDEST_NS);
	v->latency_ns = metrics_disk(m, number, METRICS_DISK_LATENCY_NS);
}

size_t
disks_list(
    const struct readiness *r, const struct metrics *m, struct disk **ret)
{
	bool seen[METRICS_NAMES] = {false};
	struct disk *all = calloc(METRICS_NAMES, sizeof(*all));
	size_t count = 0;

	*ret = all;
	for (size_t i = 0; all != NULL && i < r->count; i++) {
		const struct context *c = r->contexts[i];

		for (size_t k = 0; k < c->conf->location_count; k++) {
			const char *dir = c->stores[k]->label;
			unsigned n = metrics_find(m, METRICS_DIRECTORY, dir);

			if (n == METRICS_OTHER || seen[n])
				continue;
			seen[n] = true;
			store_view(c->stores[k], &all[count].view);
			store_measure(c->stores[k]);
			join_workers(&all[count].view, m, n);
			all[count++].output_dir = dir;
		}
	}
	return count;
}
