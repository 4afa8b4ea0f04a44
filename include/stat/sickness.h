/*
 * stat/sickness.h - which disks are sick, and which worker says so.
 *
 * A worker finds out by an operation of its own (disk/device.h); with this the
 * others need not find out by theirs, one hanging upload after the other.  A
 * bit per disk and worker in shared memory: a worker changes its own only, and
 * the master takes back what one said that it has reaped.
 */
#ifndef STAT_SICKNESS_H
#define STAT_SICKNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"
#include "stat/shm.h"

struct sickness;      /* of all disks */
struct sickness_disk; /* of one */

/* Bytes of shared memory for it. */
size_t sickness_size(void);

/* In shared memory, before the fork. */
struct sickness *sickness_new(struct shm *s);

/* The disk with this st_dev, made on first sight; NULL: there are too many
 * disks, and workers do not tell each other of this one. */
struct sickness_disk *sickness_of(struct sickness *s, dev_t dev);

/*
 * sickness_say(d, slot, stalled, failed):
 * What the worker of this slot says of the disk from now on.  True when that
 * is news: it is the first to say that it is sick, or the last that did.
 */
bool sickness_say(
    struct sickness_disk *d, unsigned slot, bool stalled, bool failed);

/* Does any worker say that it is stalled?  Or sick, in whatever way? */
bool sickness_is_stalled(const struct sickness_disk *d);
bool sickness_is_sick(const struct sickness_disk *d);

/* The worker that had this slot is gone; true: it was the last that said of
 * some disk that it is sick. */
bool sickness_forget(struct sickness *s, unsigned slot);

#endif
