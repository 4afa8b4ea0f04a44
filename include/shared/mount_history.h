/*
 * shared/mount_history.h - how many mounts led to each output directory when it
 * was last open, for all workers of all generations.
 *
 * A directory that has vanished may be on a disk that is not mounted now.  A
 * directory made or found at its path would then be on another disk, and hidden
 * when the right one is mounted again.  So every open of an output directory
 * records its real path and the number of mounts on the way to it.  Records
 * stay in shared memory until the master ends; one that no worker uses may be
 * reused when there are too many paths.  (A different real path is no alarm: an
 * administrator has changed a symbolic link.)
 */
#ifndef SHARED_MOUNT_HISTORY_H
#define SHARED_MOUNT_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

/* The record of one path; zeroed: it was never open. */
struct mount_record {
	_Atomic uint64_t seen; /* hash of the real path, and mounts + 1 */
};

struct mount_history;

/* Bytes of shared memory for `paths` paths in use at once. */
size_t mount_history_size(size_t paths);

/* Make the table in shared memory, before the first fork. */
struct mount_history *mount_history_new(struct shm *s, size_t paths);

/*
 * mount_history_of(p, slot, dir):
 * The record of this path, made on first use; the worker of `slot` uses it
 * until its mount_history_leave().  NULL, with errno ENOSPC: all are in use; or
 * EBUSY, see registry_take().
 */
struct mount_record *mount_history_of(
    struct mount_history *p, unsigned slot, const char *dir);

/* The worker no longer uses the record, which keeps its contents. */
void mount_history_leave(
    struct mount_history *p, unsigned slot, struct mount_record *place);

/* Copy the record of this path to the caller's `ret`, without using it; zeroed
 * when there is none.  For processes that are no workers. */
void mount_history_look(
    const struct mount_history *p, const char *dir, struct mount_record *ret);

/* True when a worker has this path open; how many paths workers have open. */
bool mount_history_is_open(const struct mount_history *p, const char *dir);
size_t mount_history_count_open(const struct mount_history *p);

/* Record that it is open at this real path, with `mounts` mounts on the way. */
void mount_history_remember(
    struct mount_record *p, const char *real, unsigned mounts);

/* True when it was ever open. */
bool mount_history_is_known(const struct mount_record *p);

/* True when it was last open at the same real path, with more mounts on the
 * way: a disk is missing. */
bool mount_history_lacks_mounts(
    const struct mount_record *p, const char *real, unsigned mounts);

/* For the master: the worker of this slot has ended and uses no record any
 * more.  The records keep their contents. */
void mount_history_forget(struct mount_history *p, unsigned slot);

#endif
