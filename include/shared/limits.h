/*
 * shared/limits.h - counters across all workers, for limits such as connections
 * per address.
 *
 *	key (a client's network, a location) --window--> [owner, count] ...
 *
 * Counted are connections per address and uploads per location.  The counters
 * are entries of one table in shared memory.  Each entry belongs to one worker,
 * which alone writes to it; the total of a key is the sum of its entries.  All
 * entries of a key lie within a window of the table that has room for one entry
 * of each worker, so that a lookup reads 5 KiB at most.  The master frees the
 * entries of a worker that it has reaped: nothing leaks.
 *
 * Keys are hashes with a secret seed.  Two things share a key, and so a limit,
 * with a probability of 2^-44.
 */
#ifndef SHARED_LIMITS_H
#define SHARED_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

struct limits;

/* The entry of the table in which something was counted; 0: none. */
typedef uint32_t limits_entry;

/* The result of limits_enter(). */
enum limits_answer {
	LIMITS_COUNTED,
	LIMITS_FULL,	/* the limit is reached: not counted */
	LIMITS_CROWDED, /* the window is full: not counted, to be let through */
};

/* Bytes of shared memory for about `things` counters at once (up to some
 * 260,000; with more, windows may fill). */
size_t limits_size(size_t things);

/* Make the table in shared memory, before the first fork, with the same
 * `things`. */
struct limits *limits_new(struct shm *s, size_t things);

/*
 * What a limit counts, as seen by one worker.  The same bytes in two scopes
 * have a counter each; the same scope in two workers is one.
 */
struct limits_scope {
	struct limits *limits;
	unsigned owner; /* slot number of the worker */
	uint64_t key;
};

/* The scope called `name` within `outer` (whose key is 0 for the outermost). */
struct limits_scope limits_scope(
    const struct limits_scope *outer, const void *name, size_t len);

/*
 * limits_enter(in, bytes, len, max, ret_place):
 * Count one more of what `bytes` name, unless that makes more than `max`.  Of
 * two simultaneous calls for the last place exactly one gets it.  *ret_place is
 * the entry for limits_leave(), or 0 when nothing was counted.
 */
NODISCARD enum limits_answer limits_enter(const struct limits_scope *in,
    const void *bytes, size_t len, uint64_t max, limits_entry *ret_place);

/* Count one fewer.  Clears the caller's entry, which may be 0. */
void limits_leave(struct limits *t, limits_entry *place);

/* For the master: the worker with slot number `owner` has ended; free its
 * entries. */
void limits_forget(struct limits *t, unsigned owner);

/* For tests: how many there are now of what `bytes` name. */
uint64_t limits_count(
    const struct limits_scope *in, const void *bytes, size_t len);

#endif
