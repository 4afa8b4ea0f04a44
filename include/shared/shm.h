/*
 * shared/shm.h - the shared mapping, and one slot in it for each worker.
 *
 * The mapping is made before the first fork.  A worker writes only to its own
 * slot; a reader that wants a total sums up the slots.  No process that may be
 * killed decrements a common counter: the master zeroes the slot of a worker
 * that it has reaped, and with it all that the worker had counted.
 */
#ifndef SHARED_SHM_H
#define SHARED_SHM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum {
	SHM_SLOTS = 256, /* workers alive at once, of all generations */
	SHM_DIR_MAX = 256,
};

struct slot {
	_Atomic uint32_t pid;	    /* 0: free */
	_Atomic uint32_t accepting; /* takes part in sharing out connections */
	_Atomic uint32_t connections; /* live */
	_Atomic uint32_t traces;      /* uploads being traced */
	_Atomic uint32_t
	    stopping; /* its server is to stop: the master says so */
	/* of a worker that cannot end, for the master to report */
	_Atomic uint32_t stuck_ops;
	char stuck_dir[SHM_DIR_MAX];
};

struct shm {
	struct slot slots[SHM_SLOTS];
	size_t used, size; /* of the area behind the slots, before the fork */
	unsigned char area[];
};

/* Map it, with `area` bytes for shm_alloc().  NULL, with errno, when that
 * fails. */
NODISCARD struct shm *shm_new(size_t area);

/* A zeroed, 64-byte aligned piece of the area.  Before the first fork only;
 * when the area is too small, the sizes that the caller computed are wrong. */
void *shm_alloc(struct shm *s, size_t size);

/* A free slot for a process that does not exist yet, or NULL when all are
 * taken. */
struct slot *shm_slot_take(struct shm *s);

/* Its number, below SHM_SLOTS. */
unsigned shm_slot_number(const struct shm *s, const struct slot *slot);

/* Zero the slot of a process that has ended. */
void shm_slot_wipe(struct slot *slot);

/* Traces running in all workers together. */
uint32_t shm_traces(const struct shm *s);

/* The fewest live connections of any accepting worker but `me`; UINT32_MAX
 * when there is no other. */
uint32_t shm_fewest_connections(const struct shm *s, const struct slot *me);

#endif
