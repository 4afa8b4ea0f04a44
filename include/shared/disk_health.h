/*
 * shared/disk_health.h - which disks are stalled or failed, across all workers.
 *
 * A worker detects it by an operation of its own (disk/device.h); through this
 * table the others know without an upload that hangs in each of them.  Shared
 * memory holds two bits for each disk and worker: a worker changes only its
 * own, and the master clears those of a worker that it has reaped.  The table
 * also says which worker probes a failed disk, and when a probe last succeeded.
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

struct disk_health;	 /* the table of all disks */
struct disk_health_disk; /* the record of one */

/* Bytes of shared memory for `disks` disks in use at once. */
size_t disk_health_size(size_t disks);

/* Make the table in shared memory, before the first fork. */
struct disk_health *disk_health_new(struct shm *s, size_t disks);

/*
 * disk_health_of(s, slot, dev, variant):
 * The record of the disk with this st_dev, made on first use; the worker of
 * `slot` uses it until its disk_health_leave().  NULL, with errno ENOSPC: there
 * are too many disks, and this one's health is not shared; or EBUSY, see
 * registry_take().  The kernel reuses device numbers: a disk that the caller
 * can tell from the previous one of that number gets another `variant`, below
 * DISK_HEALTH_VARIANTS.
 */
struct disk_health_disk *disk_health_of(
    struct disk_health *s, unsigned slot, dev_t dev, unsigned variant);

/* The worker no longer uses the record; its bits are cleared, and so is the
 * caller's pointer, which may be NULL. */
void disk_health_leave(
    struct disk_health *s, unsigned slot, struct disk_health_disk **dp);

/*
 * disk_health_report(d, slot, stalled, failed):
 * Set the bits of the worker of `slot`; only that worker may, or the master
 * once it has ended.  True when this changes whether the disk is OK for the
 * whole server.
 */
bool disk_health_report(
    struct disk_health_disk *d, unsigned slot, bool stalled, bool failed);

/* True when any worker reports it stalled; when none reports it stalled or
 * failed. */
bool disk_health_is_stalled(const struct disk_health_disk *d);
bool disk_health_is_ok(const struct disk_health_disk *d);

/* Claim the probe of a failed disk: true for one worker at a time, until it
 * calls disk_health_end_probe(). */
bool disk_health_begin_probe(struct disk_health_disk *d, unsigned slot);
void disk_health_end_probe(struct disk_health_disk *d, unsigned slot);

/* A probe that began at this time (clock_mono_s()) succeeded; when the last
 * such probe began, 0: never.  Failures from before it need no probe of their
 * own. */
void disk_health_set_recovered(struct disk_health_disk *d, double at);
double disk_health_recovered_s(const struct disk_health_disk *d);

/* For the master: the worker of this slot has ended; clear its bits and probes.
 * True: it was the last to report that some disk is not OK. */
bool disk_health_forget(struct disk_health *s, unsigned slot);

#endif
