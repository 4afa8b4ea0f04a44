/*
 * shared/mount_history.h - where output directories were when they were last
 * open, for all workers, and those of later generations.
 *
 * A directory that is gone may have been on a disk that is not mounted now:
 * what is made or found at its path then is on another disk, and would be
 * hidden when that one returns.  So who opens a directory remembers its real
 * path and how many mounts that led over, in shared memory, until the master
 * ends, or until so many other paths were opened since that there is no room
 * for one that nobody uses.  (Another real path is one that somebody led there:
 * a symbolic link.)
 */
#ifndef SHARED_MOUNT_HISTORY_H
#define SHARED_MOUNT_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

/* One path; zeroed, it was never open. */
struct mount_record {
	_Atomic uint64_t seen; /* hash of the real path, mounts + 1 */
};

struct mount_history;

/* Bytes of shared memory for so many paths in use at once. */
size_t mount_history_size(size_t paths);

/* In shared memory; before the fork. */
struct mount_history *mount_history_new(struct shm *s, size_t paths);

/*
 * mount_history_of(p, slot, dir):
 * The place of this path, made on first sight, for the worker of `slot` until
 * its mount_history_leave(); NULL: there are too many; or, with errno
 * EBUSY, see registry_take() of shared/registry.h.
 */
struct mount_record *mount_history_of(
    struct mount_history *p, unsigned slot, const char *dir);

/* The worker does not use it any more; what is known of it stays. */
void mount_history_leave(
    struct mount_history *p, unsigned slot, struct mount_record *place);

/* What is known of this path by now, for who is no worker; nothing in `ret`,
 * which is the caller's own, when nobody knows it. */
void mount_history_look(
    const struct mount_history *p, const char *dir, struct mount_record *ret);

/* Has a worker this path open?  How many paths are? */
bool mount_history_is_open(const struct mount_history *p, const char *dir);
size_t mount_history_count_open(const struct mount_history *p);

/* It is open at this real path, with `mounts` on the way to it. */
void mount_history_remember(
    struct mount_record *p, const char *real, unsigned mounts);

/* Whether it ever was open. */
bool mount_history_is_known(const struct mount_record *p);

/* Whether it was open at this very path when there were more mounts. */
bool mount_history_lacks_mounts(
    const struct mount_record *p, const char *real, unsigned mounts);

/* The worker that had this slot is gone; what it remembered stays. */
void mount_history_forget(struct mount_history *p, unsigned slot);

#endif
