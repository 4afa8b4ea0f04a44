#include "status_live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "shared/metrics.h"
#include "shared/shared.h"
#include "store/store.h"

static const char *const disk_word[STORE_STATES] = {
    [STORE_READY] = "well",
    [STORE_CLOSED] = "it is not open",
    [STORE_STALLED] = "its disk does not answer",
    [STORE_FAILED] = "its disk could not make an upload durable",
};

/* Of the workers of one master and generation. */
struct group {
	uint64_t generation, workers, accepting, connections, uploads;
};

/* Add up the workers of this generation. */
static struct group
sum_group(const struct shared *s, pid_t master, uint64_t generation)
{
	struct group g = {.generation = generation};

	for (unsigned i = 0; i < SHM_SLOTS; i++) {
		const struct slot *slot = &s->shm->slots[i];
		const struct metrics_share *m = metrics_share_of(s->metrics, i);

		if (atomic_load(&slot->pid) == 0 ||
		    atomic_load(&slot->master) != (uint32_t)master ||
		    metrics_gauge_of(m, METRICS_GENERATION) != generation)
			continue;
		g.workers++;
		g.accepting += atomic_load(&slot->accepting) != 0;
		g.connections += atomic_load(&slot->connections);
		g.uploads += metrics_gauge_of(m, METRICS_UPLOADS);
	}
	return g;
}

/* The newest generation of this master before `before`; 0: there is none. */
static uint64_t
generation_before(const struct shared *s, pid_t master, uint64_t before)
{
	uint64_t newest = 0;

	for (unsigned i = 0; i < SHM_SLOTS; i++) {
		const struct slot *slot = &s->shm->slots[i];
		uint64_t g = metrics_gauge_of(
		    metrics_share_of(s->metrics, i), METRICS_GENERATION);

		if (atomic_load(&slot->pid) != 0 &&
		    atomic_load(&slot->master) == (uint32_t)master &&
		    g < before && g > newest)
			newest = g;
	}
	return newest;
}

/* False: none accepts connections. */
static bool
add_workers(const struct shared *s, pid_t master, struct str *out)
{
	uint64_t generation = UINT64_MAX;
	bool accept = false;

	while ((generation = generation_before(s, master, generation)) != 0) {
		struct group g = sum_group(s, master, generation);

		str_printf(out,
		    "workers: %" PRIu64 " of generation %" PRIu64
		    "%s, connections: %" PRIu64 ", uploads in flight: %" PRIu64
		    "\n",
		    g.workers, g.generation,
		    g.accepting == 0 ? ", which accept no more" : "",
		    g.connections, g.uploads);
		accept |= g.accepting > 0;
	}
	if (!accept)
		str_puts(out, "workers: none accepts connections\n");
	return accept;
}

static void
add_other(const struct shared *s, pid_t master, struct str *out)
{
	for (size_t i = 0; i < SHM_MASTERS; i++) {
		uint32_t other = atomic_load(&s->shm->masters[i]);

		if (other != 0 && other != (uint32_t)master)
			str_printf(out,
			    "upgrade: process %" PRIu32
			    " is a master, too: QUIT ends it\n",
			    other);
	}
}

/* False: one is sick. */
static bool
add_disks(const struct shared *s, struct str *out)
{
	bool good = true;

	for (unsigned i = 0; i < METRICS_NAMES; i++) {
		const char *dir =
		    metrics_name(s->metrics, METRICS_DIRECTORY, i);
		uint64_t state =
		    metrics_disk(s->metrics, i, METRICS_DISK_STATE);

		if (dir == NULL || state == 0)
			continue; /* of before a reload */
		state--;
		str_printf(out, "output_dir %.*s: %s\n", METRICS_NAME_MAX, dir,
		    state < STORE_STATES ? disk_word[state] : "?");
		good &= state == STORE_READY;
	}
	return good;
}

bool
status_live_add(pid_t pid, int fd, struct str *out)
{
	struct shared s;
	char path[64];
	int memory, err;
	bool good = false;

	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)pid, fd);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	err = errno;
	if (memory != -1) {
		err = -shared_look(&s, memory);
		good = err == 0;
		fd_close(&memory);
	}
	if (!good) {
		str_printf(out, "workers: not known: %s\n",
		    err == ESTALE
			? "another version of penstock runs than this one"
			: strerror(err));
		return true;
	}
	good = add_workers(&s, pid, out);
	add_other(&s, pid, out);
	return add_disks(&s, out) && good;
}
