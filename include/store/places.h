/*
 * store/places.h - where output directories were when they were last open,
 * for all workers, and those of later generations.
 *
 * A directory that is gone may have been on a disk that is not mounted now:
 * what is made or found at its path then is on another disk, and would be
 * hidden when that one returns.  So who opens a directory remembers its real
 * path and how many mounts that led over, in shared memory, until the master
 * ends.  (Another real path is one that somebody led there: a symbolic link.)
 */
#ifndef STORE_PLACES_H
#define STORE_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "stat/shm.h"

/* One path; zeroed, it was never open. */
struct place {
	_Atomic uint64_t key;  /* the places' own */
	_Atomic uint64_t seen; /* hash of the real path, mounts + 1 */
};

struct places;

/* Bytes of shared memory for it. */
size_t places_size(void);

/* In shared memory; before the fork. */
struct places *places_new(struct shm *s);

/* The place of this path, made on first sight; NULL: there are too many. */
struct place *places_of(struct places *p, const char *dir);

/* It is open at this real path, with `mounts` on the way to it. */
void place_remember(struct place *p, const char *real, unsigned mounts);

/* The same in `to`, which is nobody else's. */
void place_copy(struct place *to, const struct place *from);

/* Whether it ever was open. */
bool place_is_known(const struct place *p);

/* Whether it was open at this very path when there were more mounts. */
bool place_lacks_mounts(
    const struct place *p, const char *real, unsigned mounts);

#endif
