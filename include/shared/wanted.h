/*
 * shared/wanted.h - which partials a newer request waits for, across all workers.
 *
 *	newcomer  wanted_post(id), bell_ring()       holder  heard: wanted_is(id)?
 *	          heard: wanted_turns(id)?                   lets go of the lock
 *	          tries the lock again       <----           wanted_let_go(id), bell_ring()
 *
 * A partial is held by a lock of the kernel (store/partial.h); this table carries only the
 * wish, so what is lost of it, or is here too long, costs time and nothing else.  A wish
 * has the time when its request came: only holders that are older have to let go, so that
 * of two that wait the older one does not take it away from the newer.
 *
 * Who waits posts its wish again as long as it does, more often than WANTED_MS.
 */
#ifndef SHARED_WANTED_H
#define SHARED_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shm;
struct wanted;

enum {
	WANTED_MS = 1000, /* so long a wish stays */
};

struct wanted_key {
	uint64_t high, low; /* of the ID */
};

/* The key of an ID: 32 hexadecimal digits. */
struct wanted_key wanted_key_of(const char *id);

/* Bytes of shared memory; and the table, made before the first fork. */
size_t wanted_size(void);
struct wanted *wanted_new(struct shm *s);

/* It is wanted by a request that came at `since_ns`, for WANTED_MS from `now_ns` on; both
 * are times of clock_mono_ns(). */
void wanted_post(struct wanted *w, struct wanted_key key, uint64_t since_ns,
    uint64_t now_ns);

/* Is it, by a request that is newer than its holder's, which came at `since_ns`?  Costs
 * one load while nothing is wanted. */
bool wanted_is(const struct wanted *w, struct wanted_key key, uint64_t since_ns,
    uint64_t now_ns);

/* Is anything? */
bool wanted_any(const struct wanted *w, uint64_t now_ns);

/* Its lock is free: worth a look for those who wait.  True when somebody does: ring the
 * bell. */
bool wanted_let_go(struct wanted *w, struct wanted_key key, uint64_t now_ns);

/* A number that has changed when it was let go since the last call. */
uint64_t wanted_turns(const struct wanted *w, struct wanted_key key);

/* Nobody who came at `since_ns`, or before, waits for it any more. */
void wanted_clear(struct wanted *w, struct wanted_key key, uint64_t since_ns);

#endif
