/*
 * store/places.h - where output directories were when they were last open,
 * for all workers, and those of later generations.
 *
 * A directory that is gone may have been on a disk that is not mounted now:
 * what is made or found at its path then is on another disk, and would be
 * hidden when that one returns.  So who opens a directory remembers how many
 * mounts its path led over, in shared memory, until the master ends.
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
	_Atomic uint64_t key;	 /* the places' own */
	_Atomic uint32_t mounts; /* + 1 */
};

struct places;

/* Bytes of shared memory for it. */
size_t places_size(void);

/* In shared memory; before the fork. */
struct places *places_new(struct shm *s);

/* The place of this path, made on first sight; NULL: there are too many. */
struct place *places_of(struct places *p, const char *dir);

/* It is open, and `mounts` lie on the way to it. */
void place_remember(struct place *p, unsigned mounts);

/* Whether it ever was open, and how many there were then (NULL: never mind). */
bool place_recall(const struct place *p, unsigned *ret_mounts);

#endif
