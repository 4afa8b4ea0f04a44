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
struct place {
	_Atomic uint64_t seen; /* hash of the real path, mounts + 1 */
};

struct places;

/* Bytes of shared memory for so many paths in use at once. */
size_t places_size(size_t paths);

/* In shared memory; before the fork. */
struct places *places_new(struct shm *s, size_t paths);

/*
 * places_of(p, slot, dir):
 * The place of this path, made on first sight, for the worker of `slot` until
 * its places_leave(); NULL: there are too many; or, with errno
 * EBUSY, see registry_take() of shared/registry.h.
 */
struct place *places_of(struct places *p, unsigned slot, const char *dir);

/* The worker does not use it any more; what is known of it stays. */
void places_leave(struct places *p, unsigned slot, struct place *place);

/* What is known of this path by now, for who is no worker; nothing in `ret`,
 * which is the caller's own, when nobody knows it. */
void places_look(const struct places *p, const char *dir, struct place *ret);

/* Has a worker this path open?  How many paths are? */
bool places_is_open(const struct places *p, const char *dir);
size_t places_count_open(const struct places *p);

/* It is open at this real path, with `mounts` on the way to it. */
void place_remember(struct place *p, const char *real, unsigned mounts);

/* Whether it ever was open. */
bool place_is_known(const struct place *p);

/* Whether it was open at this very path when there were more mounts. */
bool place_lacks_mounts(
    const struct place *p, const char *real, unsigned mounts);

/* The worker that had this slot is gone; what it remembered stays. */
void places_forget(struct places *p, unsigned slot);

#endif
