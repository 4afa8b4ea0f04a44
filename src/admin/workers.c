#include "workers.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "shared/metrics.h"
#include "shared/shared.h"

static void
look(const struct shared *s, unsigned slot, struct worker_view *ret)
{
	const struct metrics_share *m = metrics_share_of(s->metrics, slot);

	*ret = (struct worker_view){
	    .pid = atomic_load(&s->shm->slots[slot].pid),
	    .connections = atomic_load(&s->shm->slots[slot].connections),
	    .generation = metrics_gauge_of(m, METRICS_GENERATION),
	    .started_s = metrics_gauge_of(m, METRICS_STARTED_S),
	    .uploads = metrics_gauge_of(m, METRICS_UPLOADS),
	    .memory = metrics_gauge_of(m, METRICS_MEMORY),
	    .memory_max = metrics_gauge_of(m, METRICS_MEMORY_MAX),
	};
}

size_t
workers_list(const struct shared *s, struct worker_view ret[SHM_SLOTS])
{
	size_t count = 0;

	for (unsigned i = 0; i < SHM_SLOTS; i++) {
		if (atomic_load(&s->shm->slots[i].pid) == 0)
			continue;
		look(s, i, &ret[count]);
		/* Else it is forked, and has not begun yet. */
		count += ret[count].generation != 0;
	}
	return count;
}

static bool
has_generation_before(const struct worker_view *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all[k].generation == all[i].generation)
			return true;
	return false;
}

void
workers_sum(const struct shared *s, struct workers_sum *ret)
{
	const struct metrics_share *master =
	    metrics_share_of_master(s->metrics);
	struct worker_view all[SHM_SLOTS];

	*ret = (struct workers_sum){.count = workers_list(s, all)};
	for (size_t i = 0; i < ret->count; i++) {
		ret->connections += all[i].connections;
		ret->uploads += all[i].uploads;
		ret->memory += all[i].memory;
		ret->memory_max += all[i].memory_max;
		ret->generations += !has_generation_before(all, i);
	}
	ret->generation = metrics_gauge_of(master, METRICS_GENERATION);
	ret->started_s = metrics_gauge_of(master, METRICS_STARTED_S);
}
