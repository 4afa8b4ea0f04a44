/*
 * shared/registry.h - a table of records by key, used by workers and reused
 * when no worker needs them.
 *
 *	key (a disk, a directory, a path) --> record, used by workers 0, 3 ...
 *
 * Each record counts its uses by each worker: a worker changes only its own
 * count, and the master clears the counts of a worker that it has reaped.  A
 * record that no worker uses keeps its contents while there is room.  Then the
 * least recently used one is zeroed and given to another key.
 *
 * registry_take() holds the registry's lock for a few stores; it is called
 * seldom, when a directory is opened.  If a worker dies with the lock, the
 * master releases it.  Only the loop of a worker, or the master, may call these
 * functions.
 */
#ifndef SHARED_REGISTRY_H
#define SHARED_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

struct registry;

/* Where one is in the mapping, told from where this stands there: a process that has taken the
 * mapping over has it at another address. */
struct registry_ref {
	ptrdiff_t away;
};

struct registry_key {
	uint64_t major, minor;
};

/* Every record begins with this head; the rest is the caller's, and zeroed in a
 * new record. */
struct registry_head {
	_Atomic uint64_t major, minor; /* the key */
	_Atomic uint64_t used_at;      /* by a counter of the registry */
	_Atomic uint32_t is_made;      /* 0: free, or being made */
	_Atomic uint16_t uses[SHM_SLOTS];
};

/* Bytes of shared memory for `records` records of `record` bytes each, the head
 * included. */
size_t registry_size(size_t records, size_t record);

/*
 * registry_new(s, records, record, idle_max):
 * Make the table in shared memory, before the first fork.  Once `idle_max`
 * records are unused, one of them is reused before a fresh one, so that memory
 * which was never needed is not touched.
 */
struct registry *registry_new(
    struct shm *s, size_t records, size_t record, size_t idle_max);

/* Have `ref` refer to it; and find it by that. */
void registry_refer(struct registry_ref *ref, const struct registry *r);
struct registry *registry_of(const struct registry_ref *ref);

/*
 * registry_take(r, slot, key):
 * The record of this key, made on first use; counts one more use by the worker
 * of `slot`.  NULL, with errno ENOSPC: all records are in use; or EBUSY: a
 * worker has died with the lock, try again once the master has reaped it.
 */
void *registry_take(struct registry *r, unsigned slot, struct registry_key key);

/* Count one use fewer by that worker. */
void registry_give(struct registry *r, unsigned slot, void *record);

/* The record of this key, or NULL.  It is not marked as used: it may be reused
 * for another key while the caller reads it. */
void *registry_find(const struct registry *r, struct registry_key key);

/* True when the record has this key (still). */
bool registry_is(const void *record, struct registry_key key);

/* For the master: the worker of this slot has ended; clear its uses and release
 * the lock if it held that. */
void registry_forget(struct registry *r, unsigned slot);

/* To walk all records that were ever used: indices from 0 to registry_count() -
 * 1. */
size_t registry_count(const struct registry *r);
void *registry_at(const struct registry *r, size_t i);

/* True when the worker of this slot uses it; when any does. */
bool registry_is_used_by(const void *record, unsigned slot);
bool registry_is_used(const void *record);

#endif
