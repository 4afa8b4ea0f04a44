/*
 * admin/workers.h - the workers that live, and their gauges.
 */
#ifndef ADMIN_WORKERS_H
#define ADMIN_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

struct shared;

struct worker_view {
	uint64_t pid, connections;
	uint64_t generation, started_s, uploads, memory, memory_max;
};

/* All of them together. */
struct workers_sum {
	uint64_t count, connections, uploads, memory, memory_max;
	uint64_t generation;  /* the newest that was applied */
	uint64_t generations; /* that have workers */
	uint64_t started_s;   /* the server, since 1970 */
};

/* They, in the order of their slots; returns how many. */
size_t workers_list(const struct shared *s, struct worker_view ret[SHM_SLOTS]);

void workers_sum(const struct shared *s, struct workers_sum *ret);

#endif
