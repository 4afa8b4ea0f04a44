/*
 * shared/reservations.h - the room on each disk that uploads in flight still need.
 *
 *	owed = what was promised to them, less what is allocated or written
 *
 * The file system counts what is written; the ledger counts what is not yet,
 * over all workers, so that uploads can never jointly fill a disk.  (A disk is
 * an st_dev: two subvolumes of a btrfs are two that know nothing of each other.)
 * One number per disk and worker in shared memory: a worker changes its own
 * only, and the master forgets those of a worker that it has reaped.
 *
 * To be sure of room: owe the bytes first, read ledger_owed(), then ask the
 * file system what is free.  What is written meanwhile is counted twice, never
 * not at all; of two that ask at once for the last room perhaps none gets it.
 *
 * Any thread of the worker may call these.
 */
#ifndef SHARED_RESERVATIONS_H
#define SHARED_RESERVATIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/shm.h"

struct ledger;
struct ledger_disk;

/* Bytes of shared memory for a ledger of so many disks in use at once. */
size_t ledger_size(size_t disks);

/* A ledger in shared memory, before the fork. */
struct ledger *ledger_new(struct shm *s, size_t disks);

/*
 * ledger_of(l, slot, dev):
 * The page of the disk with this st_dev, made on first sight, for the worker
 * of `slot` until its ledger_leave(); NULL: there are too many disks, and this
 * one is not kept account of; or, with errno EBUSY, see registry_take().
 */
struct ledger_disk *ledger_of(struct ledger *l, unsigned slot, dev_t dev);

/* The worker, which owes nothing there, does not use it any more; clears the
 * caller's pointer, which may be NULL. */
void ledger_leave(struct ledger *l, unsigned slot, struct ledger_disk **dp);

/* `slot`, the caller's own, owes its uploads so much more or less room. */
void ledger_owe(struct ledger_disk *d, unsigned slot, uint64_t bytes);
void ledger_settle(struct ledger_disk *d, unsigned slot, uint64_t bytes);

/* All that is owed on this disk. */
uint64_t ledger_owed(const struct ledger_disk *d);

/* The worker that had this slot is gone, and its unfinished files with it. */
void ledger_forget(struct ledger *l, unsigned slot);

#endif
