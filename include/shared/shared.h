/*
 * shared/shared.h - all that the processes of one server share, in one struct.
 *
 *	master --shared_init--> tables --fork--> the same tables in each worker
 *
 * One mapping (shared/shm.h) holds the slots of the workers and every table.
 * Each table's own header says what it is for and who may write to it.  A new
 * table takes a field here, and in shared.c its size, its making and what is
 * taken back of a worker that has ended.
 *
 * Everything stays until the last process ends: there is nothing to free.
 */
#ifndef SHARED_SHARED_H
#define SHARED_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"

struct arrivals;
struct disk_health;
struct latest_table;
struct limits;
struct mount_history;
struct reservations;
struct shm;
struct slot;

/* How many of each the tables have room for; fixed until the master ends. */
struct shared_room {
	size_t connections; /* at once, over all workers: each is a count */
	size_t directories; /* open at once, in workers of all generations */
	size_t disks;	    /* (st_dev) that those directories lie on */
};

struct shared {
	struct shared_room room;
	struct shm *shm;
	struct latest_table *latest;
	struct mount_history *mount_history;
	struct limits *limits;
	struct reservations *reservations;
	struct disk_health *disk_health;
	struct arrivals *arrivals;
};

/*
 * shared_init(s, room):
 * Map the memory and make all tables, empty; before the first fork.  0 or a
 * negative errno: so much memory cannot be had.
 */
NODISCARD int shared_init(struct shared *s, const struct shared_room *room);

/*
 * shared_forget(s, slot, pid):
 * For the master, which has reaped the worker `pid`: take back all that it had
 * in the tables, and wipe its slot.  True: it was the last worker that knew of
 * a sick disk, which is tried again from now on.
 */
bool shared_forget(struct shared *s, struct slot *slot, pid_t pid);

#endif
