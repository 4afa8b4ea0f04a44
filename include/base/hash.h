/*
 * base/hash.h - hashes for tables and comparisons.
 *
 * Not for secrets.  Where a client chooses what is hashed, `seed` must be a
 * random number that it cannot know, so that it cannot choose collisions.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Mix all bits of `x`, one-to-one. */
static inline uint64_t
hash_mix(uint64_t x)
{
	/* Stafford's variant 13. */
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Hash of the bytes and their number. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len);

#endif
