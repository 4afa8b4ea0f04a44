/*
 * shared/reservations.h - the room on each disk that uploads in flight still
 * need.
 *
 *	held = what was promised to them, less what is allocated or written
 *
 * The file system counts what is written; reservations count what is not written
 * yet, over all workers, so that uploads can never jointly fill a disk.  (A disk
 * is an st_dev: two subvolumes of a btrfs are two that know nothing of each
 * other.)  One number per disk and worker in shared memory: a worker changes
 * its own only, and the master forgets those of a worker that it has reaped.
 *
 * To be sure of room: reserve the bytes first, read reservations_held(), then
 * ask the file system what is free.  What is written meanwhile is counted twice, never
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

struct reservations;
struct reservations_disk;

/* Bytes of shared memory for reservations on so many disks in use at once. */
size_t reservations_size(size_t disks);

/* Reservations in shared memory, before the fork. */
struct reservations *reservations_new(struct shm *s, size_t disks);

/*
 * reservations_of(l, slot, dev):
 * The record of the disk with this st_dev, made on first sight, for the worker
 * of `slot` until its reservations_leave(); NULL: there are too many disks, and
 * nothing is reserved on this one; or, with errno EBUSY, see registry_take().
 */
struct reservations_disk *reservations_of(
    struct reservations *l, unsigned slot, dev_t dev);

/* The worker, which has reserved nothing there, does not use it any more; clears the
 * caller's pointer, which may be NULL. */
void reservations_leave(
    struct reservations *l, unsigned slot, struct reservations_disk **dp);

/* `slot`, the caller's own, reserves so much more or less for its uploads. */
void reservations_reserve(
    struct reservations_disk *d, unsigned slot, uint64_t bytes);
void reservations_release(
    struct reservations_disk *d, unsigned slot, uint64_t bytes);

/* All that is reserved on this disk. */
uint64_t reservations_held(const struct reservations_disk *d);

/* The worker that had this slot is gone, and its unfinished files with it. */
void reservations_forget(struct reservations *l, unsigned slot);

#endif
