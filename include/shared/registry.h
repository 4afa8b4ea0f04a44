/*
 * shared/registry.h - records that workers share by a key, and give back.
 *
 *	key (a disk, a directory, a path) --> record, used by workers 0, 3 ...
 *
 * Each record says how often each worker uses it: a worker changes its own
 * number only, and the master takes back those of a worker that it has reaped.
 * A record that nobody uses keeps what it knows for as long as there is room.
 * Then the one that was used longest ago is wiped and given to another key.
 *
 * Looking a record up takes the registry's lock, which is held for a few stores
 * and seldom: when a directory is opened.  A worker that dies with it leaves
 * it to the master.  Only a worker's loop, or the master, may call these.
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

struct registry_key {
	uint64_t major, minor;
};

/* What every record begins with; all behind it is the caller's, and zero in a
 * new record. */
struct registry_head {
	_Atomic uint64_t major, minor; /* the key */
	_Atomic uint64_t used_at;      /* by the registry's own clock */
	_Atomic uint32_t is_made;      /* 0: free, or being made */
	_Atomic uint16_t uses[SHM_SLOTS];
};

/* Bytes of shared memory for so many records of `record` bytes, their heads
 * included. */
size_t registry_size(size_t records, size_t record);

/*
 * registry_new(s, records, record, idle_max):
 * In shared memory, before the fork.  Of records that nobody uses at most
 * `idle_max` are kept before one of them is used again, so that memory which
 * was never needed is not touched.
 */
struct registry *registry_new(
    struct shm *s, size_t records, size_t record, size_t idle_max);

/*
 * registry_take(r, slot, key):
 * The record of this key, made on first sight, which the worker of `slot` uses
 * once more from now on.  NULL, and errno ENOSPC: all are in use; or EBUSY:
 * somebody died while it looked one up, which is over as soon as the master
 * has seen it.
 */
void *registry_take(struct registry *r, unsigned slot, struct registry_key key);

/* That worker uses it once less. */
void registry_give(struct registry *r, unsigned slot, void *record);

/* The record of this key, if there is one now.  Who does not use it may find
 * that it is another's by the time it reads. */
void *registry_find(const struct registry *r, struct registry_key key);

/* Is it, still, this key's? */
bool registry_is(const void *record, struct registry_key key);

/* The worker that had this slot is gone, and with it all its uses. */
void registry_forget(struct registry *r, unsigned slot);

/* Records that may be in use, or know something: walk from 0. */
size_t registry_count(const struct registry *r);
void *registry_at(const struct registry *r, size_t i);

/* Does the worker of this slot use it?  Does anybody? */
bool registry_is_used_by(const void *record, unsigned slot);
bool registry_is_used(const void *record);

#endif
