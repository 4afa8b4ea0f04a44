/*
 * shared/shm.h - the shared mapping, and one slot in it for each worker.
 *
 * The mapping is made before the first fork.  A worker writes only to its own
 * slot; a reader that wants a total sums up the slots.  No process that may be
 * killed decrements a common counter: the master zeroes the slot of a worker
 * that it has reaped, and with it all that the worker had counted.
 *
 * While the program is being replaced there are two masters, each with workers of its own:
 *
 *	old master --exec, descriptor--> new master
 *	     slots, generations, tables: the same
 *
 * The second maps the memory by its descriptor, at another address, so nothing in there may
 * be a pointer.  It does so only if the stamp is its own: the layout is the same.
 */
#ifndef SHARED_SHM_H
#define SHARED_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

enum {
	SHM_SLOTS = 256, /* workers alive at once, of all generations */
	SHM_DIR_MAX = 256,
	SHM_MASTERS = 2,
	SHM_TABLES = 32, /* of shared/shared.h, at most */
};

struct slot {
	_Atomic uint32_t pid;	    /* 0: free */
	_Atomic uint32_t master;    /* whose it is: a pid */
	_Atomic uint32_t accepting; /* takes part in sharing out connections */
	_Atomic uint32_t connections; /* live */
	_Atomic uint32_t traces;      /* uploads being traced */
	_Atomic uint32_t
	    stopping; /* its server is to stop: the master says so */
	/* of a worker that cannot end, for the master to report */
	_Atomic uint32_t stuck_ops;
	char stuck_dir[SHM_DIR_MAX];
};

/* What two programs must have in common to share the memory. */
struct shm_stamp {
	uint64_t magic;
	uint64_t layout; /* a number */
	uint64_t sum;	 /* of sizes and names that the layout is made of */
};

struct shm {
	struct shm_stamp stamp;		       /* first, in every layout */
	_Atomic uint32_t masters[SHM_MASTERS]; /* pids; 0: free */
	_Atomic uint32_t generation; /* the last that a master has begun */
	uint64_t room[3];	     /* that the tables were made for */
	uint64_t tables[SHM_TABLES]; /* where they begin, from here on */
	struct slot slots[SHM_SLOTS];
	size_t used, size; /* of the area behind the slots, before the fork */
	unsigned char area[];
};

/* Map it, with `area` bytes for shm_alloc().  NULL, with errno, when that
 * fails. */
NODISCARD struct shm *shm_new(size_t area);

/* The same, for a successor, too: *ret_fd leads there; -1: there can be none. */
NODISCARD struct shm *shm_new_for_successor(size_t area, int *ret_fd);

/* Map that of another process, to go on there, or only to look.  NULL, with errno: EINVAL: it is
 * none; ESTALE: the stamp is another. */
NODISCARD struct shm *shm_adopt(
    int fd, const struct shm_stamp *stamp, bool only_look);

/* A stamp with this number and this sum. */
struct shm_stamp shm_stamp_of(uint64_t layout, uint64_t sum);

/* This process is a master from here on.  Its number; -1: there are SHM_MASTERS. */
NODISCARD int shm_master_begin(struct shm *s);

/* And is none any more, or has ended: the other one is to take care of its workers. */
void shm_master_end(struct shm *s, pid_t pid);

/*
 * shm_next_orphan(s, from):
 * The next slot, from number `from` on, whose process has ended and has no master any more
 * that could have noticed.  SHM_SLOTS: there is none.
 */
unsigned shm_next_orphan(const struct shm *s, unsigned from);

/* Are there slots of workers whose master is gone? */
bool shm_has_orphans(const struct shm *s);

/* How many slots are free. */
size_t shm_slots_free(const struct shm *s);

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
