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
	SICKNESS_VARIANTS = 8,
};

struct sickness;      /* of all disks */
struct sickness_disk; /* of one */

/* Bytes of shared memory for so many disks in use at once. */
size_t sickness_size(size_t disks);

/* In shared memory, before the fork. */
struct sickness *sickness_new(struct shm *s, size_t disks);

/*
 * sickness_of(s, slot, dev, variant):
 * The disk with this st_dev, made on first sight, for the worker of `slot`
 * until its sickness_leave(); NULL: there are too many disks, and workers do
 * not tell each other of this one; or, with errno EBUSY, see registry_take().
 * A number is given again to other disks:
 * those that the caller can tell from the one before have another `variant`,
 * below SICKNESS_VARIANTS.
 */
struct sickness_disk *sickness_of(
    struct sickness *s, unsigned slot, dev_t dev, unsigned variant);

/* The worker does not use it any more, and says nothing of it; clears the
 * caller's pointer, which may be NULL. */
void sickness_leave(
    struct sickness *s, unsigned slot, struct sickness_disk **dp);

/*
 * sickness_say(d, slot, stalled, failed):
 * What the worker of this slot, below SHM_SLOTS, says of the disk from now on;
 * only that worker may, or the master when it is gone.  True when that
 * is news: it is the first to say that it is sick, or the last that did.
 */
bool sickness_say(
    struct sickness_disk *d, unsigned slot, bool stalled, bool failed);

/* Does any worker say that it is stalled?  Or sick, in whatever way? */
bool sickness_is_stalled(const struct sickness_disk *d);
bool sickness_is_sick(const struct sickness_disk *d);

/* True for one worker at a time, until it ends it: it may try whether the disk
 * is well again. */
bool sickness_begin_probe(struct sickness_disk *d, unsigned slot);
void sickness_end_probe(struct sickness_disk *d, unsigned slot);

/* A probe that was begun then (by clock_mono_s()) found it well; when the last
 * such was, 0: never.  What failed before that need not be tried again. */
void sickness_set_well(struct sickness_disk *d, double at);
double sickness_well_s(const struct sickness_disk *d);

/* The worker that had this slot is gone, and its probes; true: it was the last
 * that said of some disk that it is sick. */
bool sickness_forget(struct sickness *s, unsigned slot);

#endif
