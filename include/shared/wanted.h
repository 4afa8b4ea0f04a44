/*
 * shared/wanted.h - which partials a newer request waits for, across all workers.
 *
 *	newcomer  wanted_post(id), bell_ring()       holder  heard: wanted_is(id)?
 *	          ... tries the lock again    <----          lets go, bell_ring()
 *
 * A partial is held by a lock of the kernel (store/partial.h); this table carries only the
 * wish, so what is lost of it, or is here too long, costs time and nothing else.
 */
#ifndef SHARED_WANTED_H
#define SHARED_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shm;
struct wanted;

struct wanted_key {
	uint64_t high, low; /* of the ID */
};

/* Bytes of shared memory; and the table, made before the first fork. */
size_t wanted_size(void);
struct wanted *wanted_new(struct shm *s);

/* It is wanted, until some seconds after `now_ns` (clock_mono_ns()). */
void wanted_post(struct wanted *w, struct wanted_key key, uint64_t now_ns);

/* Is it?  Costs one load while nothing is wanted. */
bool wanted_is(const struct wanted *w, struct wanted_key key, uint64_t now_ns);

/* Is anything? */
bool wanted_any(const struct wanted *w, uint64_t now_ns);

/* It was let go, or nobody waits for it any more. */
void wanted_clear(struct wanted *w, struct wanted_key key);

#endif
