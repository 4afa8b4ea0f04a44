/*
 * shared/reservations.h - the room on each disk that uploads in flight still
 * need.
 *
 *	held = what was promised to them, less what is allocated or written
 *
 * The file system accounts for what is written; reservations account for what
 * is still to be written, across all workers, so that uploads in flight cannot
 * fill a disk together.  (A disk is an st_dev: two subvolumes of a btrfs are
 * two disks that know nothing of each other.)  Shared memory holds one number
 * of bytes for each disk and worker: a worker changes only its own, and the
 * master clears those of a worker that it has reaped.
 *
 * To be sure of room: first reserve the bytes, then read reservations_held(),
 * then ask the file system how much is free.  Bytes written in between are
 * counted twice, but never missed; of two uploads that ask for the last room at
 * once, perhaps neither gets it.
 *
 * Any thread of the worker may call these functions.
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

/* Bytes of shared memory for `disks` disks in use at once. */
size_t reservations_size(size_t disks);

/* Make the table in shared memory, before the first fork. */
struct reservations *reservations_new(struct shm *s, size_t disks);

/*
 * reservations_of(l, slot, dev):
 * The record of the disk with this st_dev, made on first use; the worker of
 * `slot` uses it until its reservations_leave().  NULL, with errno ENOSPC:
 * there are too many disks, and nothing is reserved on this one; or EBUSY, see
 * registry_take().
 */
struct reservations_disk *reservations_of(
    struct reservations *l, unsigned slot, dev_t dev);

/* The worker, which holds no reservation there, no longer uses the record.
 * Clears the caller's pointer, which may be NULL. */
void reservations_leave(
    struct reservations *l, unsigned slot, struct reservations_disk **dp);

/* Reserve or release so many bytes for the uploads of the worker of `slot`, the
 * caller's own. */
void reservations_reserve(
    struct reservations_disk *d, unsigned slot, uint64_t bytes);
void reservations_release(
    struct reservations_disk *d, unsigned slot, uint64_t bytes);

/* Bytes reserved on this disk by all workers. */
uint64_t reservations_held(const struct reservations_disk *d);

/* So many bytes were free on this disk at `now_ns`, by clock_mono_ns(); what was noted last,
 * and when: 0: never. */
void reservations_note_free(
    struct reservations_disk *d, uint64_t bytes, uint64_t now_ns);
uint64_t reservations_free_bytes(
    const struct reservations_disk *d, uint64_t *ret_when_ns);

/* For the master: the worker of this slot has ended, and its unfinished files
 * with it. */
void reservations_forget(struct reservations *l, unsigned slot);

#endif
