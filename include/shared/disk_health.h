/*
 * shared/disk_health.h - which disks are sick, and which worker says so.
 *
 * A worker finds out by an operation of its own (disk/device.h); with this the
 * others need not find out by theirs, one hanging upload after the other.  A
 * bit per disk and worker in shared memory: a worker changes its own only, and
 * the master takes back what one said that it has reaped.  Here they also agree
 * who tries whether a disk is well again, and when that was last so.
 */
#ifndef SHARED_DISK_HEALTH_H
#define SHARED_DISK_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/shm.h"

enum {
	DISK_HEALTH_VARIANTS = 8,
};

struct disk_health;	 /* of all disks */
struct disk_health_disk; /* of one */

/* Bytes of shared memory for so many disks in use at once. */
size_t disk_health_size(size_t disks);

/* In shared memory, before the fork. */
struct disk_health *disk_health_new(struct shm *s, size_t disks);

/*
 * disk_health_of(s, slot, dev, variant):
 * The disk with this st_dev, made on first sight, for the worker of `slot`
 * until its disk_health_leave(); NULL: there are too many disks, and workers do
 * not tell each other of this one; or, with errno EBUSY, see registry_take().
 * A number is given again to other disks:
 * those that the caller can tell from the one before have another `variant`,
 * below DISK_HEALTH_VARIANTS.
 */
struct disk_health_disk *disk_health_of(
    struct disk_health *s, unsigned slot, dev_t dev, unsigned variant);

/* The worker does not use it any more, and says nothing of it; clears the
 * caller's pointer, which may be NULL. */
void disk_health_leave(
    struct disk_health *s, unsigned slot, struct disk_health_disk **dp);

/*
 * disk_health_report(d, slot, stalled, failed):
 * What the worker of this slot, below SHM_SLOTS, says of the disk from now on;
 * only that worker may, or the master when it is gone.  True when that
 * is news: it is the first to say that it is sick, or the last that did.
 */
bool disk_health_report(
    struct disk_health_disk *d, unsigned slot, bool stalled, bool failed);

/* Does any worker say that it is stalled?  Or sick, in whatever way? */
bool disk_health_is_stalled(const struct disk_health_disk *d);
bool disk_health_is_sick(const struct disk_health_disk *d);

/* True for one worker at a time, until it ends it: it may try whether the disk
 * is well again. */
bool disk_health_begin_probe(struct disk_health_disk *d, unsigned slot);
void disk_health_end_probe(struct disk_health_disk *d, unsigned slot);

/* A probe that was begun then (by clock_mono_s()) found it well; when the last
 * such was, 0: never.  What failed before that need not be tried again. */
void disk_health_set_well(struct disk_health_disk *d, double at);
double disk_health_well_s(const struct disk_health_disk *d);

/* The worker that had this slot is gone, and its probes; true: it was the last
 * that said of some disk that it is sick. */
bool disk_health_forget(struct disk_health *s, unsigned slot);

#endif
