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
 *
 * A binary upgrade hands the mapping over: a new master, with the workers that it forks, goes on
 * in the same tables beside the old one (shared/shm.h).  Each forgets its own workers, and
 * those of a master that is gone.  A program with another layout makes tables of its own.
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
struct live;
struct metrics;
struct mount_history;
struct partials;
struct replacing;
struct request_ids;
struct reservations;
struct retries;
struct shm;
struct slot;
struct ticket_keys;
struct user_names;
struct warnings;
struct wanted;

/* How many of each the tables have room for; fixed until the master ends. */
struct shared_room {
	size_t connections; /* at once, over all workers: each is a count */
	size_t directories; /* open at once, in workers of all generations */
	size_t disks;	    /* (st_dev) that those directories lie on */
};

enum {
	/* One more when a table means something else by the same bytes, or another order of
	 * its fields: sizes are compared anyway. */
	SHARED_LAYOUT = 1,
};

struct shared {
	struct shared_room room;
	unsigned master; /* which of the masters that share it is ours */
	int fd; /* of the memory, for a successor; -1: none can have it */
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
	struct live *live;
	struct user_names *user_names;
	struct warnings *warnings;
	struct retries *retries;
};

/*
 * shared_init(s, room):
 * Map the memory and make all tables, empty.  To be called before the first fork.  0; or a
 * negative errno when there is not enough memory.
 */
NODISCARD int shared_init(struct shared *s, const struct shared_room *room);

/*
 * shared_adopt(s, fd, bell):
 * Go on in the memory of the master that runs beside this one, by its descriptors, which are
 * the caller's to close if this fails.  0; or a negative errno, -ESTALE: its layout is not ours;
 * -EINVAL: there is none.
 */
NODISCARD int shared_adopt(struct shared *s, int fd, int bell);

/*
 * shared_look(s, fd):
 * For a process that only looks at what another server does: `shm` and `metrics` can be read, and
 * there is no other table.  It stays mapped.  0; or a negative errno as that of shared_adopt().
 */
NODISCARD int shared_look(struct shared *s, int fd);

/* A master that shared this has ended, or this one is about to: then its workers are orphans. */
void shared_master_gone(struct shared *s, pid_t master);

/* Clear what workers had whose master is gone, and that have ended. */
void shared_forget_orphans(struct shared *s);

/*
 * shared_forget(s, slot, pid):
 * For the master, when the worker `pid` has ended: clear all that it had in the tables, and
 * its slot.  True when it was the last worker that had reported some disk as stalled or
 * failed: uploads try that disk again.
 */
bool shared_forget(struct shared *s, struct slot *slot, pid_t pid);

#endif
