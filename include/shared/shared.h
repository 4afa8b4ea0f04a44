/*
 * shared/shared.h - all memory that the processes of one server share.
 *
 *	master --shared_init--> tables --fork--> the same tables in each worker
 *
 * One mapping (shared/shm.h) holds the slots of the workers and all tables.  The header
 * of each table says what it is for and who may write to it.  A new table is a field
 * here; shared.c adds up the sizes, makes the tables, and clears what a worker had in
 * them when it has ended.
 *
 * Nothing is ever freed: all of it stays until the last process ends.
 */
#ifndef SHARED_SHARED_H
#define SHARED_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/bell.h"

struct arrivals;
struct attempts;
struct disk_health;
struct disk_share;
struct latest_table;
struct limits;
struct metrics;
struct mount_history;
struct partials;
struct replacing;
struct request_ids;
struct reservations;
struct shm;
struct slot;
struct ticket_keys;
struct wanted;

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
	struct disk_share *disk_share;
	struct bell bell; /* for what is in disk_share, and in `wanted` */
	struct arrivals *arrivals;
	struct replacing *replacing;
	struct ticket_keys *ticket_keys;
	struct attempts *attempts;
	struct wanted *wanted;
	struct partials *partials;
	struct request_ids *request_ids;
	struct metrics *metrics;
};

/*
 * shared_init(s, room):
 * Map the memory and make all tables, empty.  To be called before the first fork.  0; or a
 * negative errno when there is not enough memory.
 */
NODISCARD int shared_init(struct shared *s, const struct shared_room *room);

/*
 * shared_forget(s, slot, pid):
 * For the master, when the worker `pid` has ended: clear all that it had in the tables, and
 * its slot.  True when it was the last worker that had reported some disk as stalled or
 * failed: uploads try that disk again.
 */
bool shared_forget(struct shared *s, struct slot *slot, pid_t pid);

#endif
