/*
 * shared/limits.h - how many of each there are, over all workers.
 *
 *	key (a client's network, a location) --window--> [owner, count] ...
 *
 * For limits: connections per address, uploads per location.  One table in
 * shared memory; each entry belongs to one worker, which alone writes to it,
 * and the total of a key is the sum of the entries that have it.  All entries
 * of a key lie within a window of the table that has room for all workers, so
 * a look is a walk over 5 KiB whatever comes and goes.  The master frees the
 * entries of a worker that it has reaped: nothing leaks.
 *
 * Keys are hashes with a secret seed; two things with one key would share a
 * limit, at odds of one to 2^44.
 */
#ifndef SHARED_LIMITS_H
#define SHARED_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

struct limits;

/* Where something was counted; 0: nowhere. */
typedef uint32_t limits_entry;

/* The result of limits_enter(). */
enum limits_answer {
	LIMITS_COUNTED,
	LIMITS_FULL,	/* the limit is reached: not counted */
	LIMITS_CROWDED, /* the table has no room: not counted, let it pass */
};

/* Bytes of shared memory for the counts of about `things` at once (up to some
 * 260,000; beyond that, and when more come, windows may fill). */
size_t limits_size(size_t things);

/* A table in shared memory, before the fork, with the same `things`. */
struct limits *limits_new(struct shm *s, size_t things);

/*
 * What a limit counts, for one worker.  The same bytes in two scopes are two
 * things; in the same scope of two workers they are one.
 */
struct limits_scope {
	struct limits *limits;
	unsigned owner; /* slot number of the worker */
	uint64_t key;
};

/* The scope within `outer` (its key 0: the whole) that has this name. */
struct limits_scope limits_scope(
    const struct limits_scope *outer, const void *name, size_t len);

/*
 * limits_enter(in, bytes, len, max, ret_place):
 * Count one more of what `bytes` name, unless that makes more than `max`.  Of
 * two that come at once for the last place one gets it.  *ret_place is to be
 * given to limits_leave(), and 0 when nothing was counted.
 */
NODISCARD enum limits_answer limits_enter(const struct limits_scope *in,
    const void *bytes, size_t len, uint64_t max, limits_entry *ret_place);

/* There is one fewer; clears the caller's place, which may be 0. */
void limits_leave(struct limits *t, limits_entry *place);

/* The process with slot number `owner` is gone, and all it counted. */
void limits_forget(struct limits *t, unsigned owner);

/* For tests: how many there are now of what `bytes` name. */
uint64_t limits_count(
    const struct limits_scope *in, const void *bytes, size_t len);

#endif
