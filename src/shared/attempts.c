#include "shared/attempts.h"

#include <stdatomic.h>

#include "base/fd.h"
#include "base/hash.h"

enum {
	WAYS = 4, /* entries in which a key can be */
	GROUPS = 4096,
	TIME_BITS = 39, /* milliseconds: 17 years */
	TRIES = 16,	/* when several workers want one entry at once */
	AHEAD_MS = ATTEMPTS_BURST * ATTEMPTS_EVERY_MS,
};

#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
#define TOLD (UINT64_C(1) << TIME_BITS)
#define TAG_MASK (~(TIME_MASK | TOLD))

/*
 * An entry is one word: bits of the key, whether it was told of it, and the time until which
 * the failures of that address have used up what it may: each failure moves it
 * ATTEMPTS_EVERY_MS ahead.  0: empty.
 */
struct attempts {
	uint64_t seed;
	_Atomic uint64_t entries[GROUPS][WAYS];
};

size_t
attempts_size(void)
{
	return sizeof(struct attempts) + 64; /* rounding of shm_alloc() */
}

struct attempts *
attempts_new(struct shm *s)
{
	struct attempts *t = shm_alloc(s, sizeof(*t));

	fd_random(&t->seed, sizeof(t->seed));
	return t;
}

static uint64_t
attempts_hash(const struct attempts *t, const void *key, size_t len)
{
	return hash_bytes(t->seed, key, len);
}

static uint64_t
tag_of(uint64_t hash)
{
	uint64_t tag = hash & TAG_MASK;

	return tag != 0 ? tag : TOLD << 1;
}

static uint64_t
used_until(uint64_t word)
{
	return word & TIME_MASK;
}

unsigned
attempts_wait_s(
    const struct attempts *t, const void *key, size_t len, uint64_t now_ns)
{
	uint64_t hash = attempts_hash(t, key, len), now = now_ns / 1000000;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t word = atomic_load(&t->entries[hash % GROUPS][i]);
		uint64_t until = used_until(word);

		if ((word & TAG_MASK) != tag_of(hash))
			continue;
		/* Room for one more? */
		until += ATTEMPTS_EVERY_MS;
		return until <= now + AHEAD_MS
			   ? 0
			   : (unsigned)((until - now - AHEAD_MS + 999) / 1000);
	}
	return 0;
}

/* The entry of the key, or that which is to be overwritten. */
static _Atomic uint64_t *
entry_of(struct attempts *t, uint64_t hash)
{
	_Atomic uint64_t *group = t->entries[hash % GROUPS], *oldest = group;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t word = atomic_load(&group[i]);

		if ((word & TAG_MASK) == tag_of(hash))
			return &group[i];
		if (used_until(word) < used_until(atomic_load(oldest)))
			oldest = &group[i];
	}
	return oldest;
}

void
attempts_failed(
    struct attempts *t, const void *key, size_t len, uint64_t now_ns)
{
	uint64_t hash = attempts_hash(t, key, len), now = now_ns / 1000000;

	for (unsigned i = 0; i < TRIES; i++) {
		_Atomic uint64_t *e = entry_of(t, hash);
		uint64_t word = atomic_load(e), until = now, told = 0;

		if ((word & TAG_MASK) == tag_of(hash) &&
		    used_until(word) > now) {
			until = used_until(word);
			told = word & TOLD;
		}
		until += ATTEMPTS_EVERY_MS;
		/* No failure makes it wait for longer than this. */
		if (until > now + AHEAD_MS)
			until = now + AHEAD_MS;
		if (atomic_compare_exchange_strong(
			e, &word, tag_of(hash) | told | (until & TIME_MASK)))
			return;
	}
}

void
attempts_forgive(struct attempts *t, const void *key, size_t len)
{
	uint64_t hash = attempts_hash(t, key, len);

	for (unsigned i = 0; i < TRIES; i++) {
		_Atomic uint64_t *e = entry_of(t, hash);
		uint64_t word = atomic_load(e);

		if ((word & TAG_MASK) != tag_of(hash) ||
		    used_until(word) < ATTEMPTS_EVERY_MS ||
		    atomic_compare_exchange_strong(
			e, &word, word - ATTEMPTS_EVERY_MS))
			return;
	}
}

bool
attempts_are_told(const struct attempts *t, const void *key, size_t len)
{
	uint64_t hash = attempts_hash(t, key, len);

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t word = atomic_load(&t->entries[hash % GROUPS][i]);

		if ((word & TAG_MASK) == tag_of(hash))
			return (word & TOLD) != 0;
	}
	return false;
}

void
attempts_tell(struct attempts *t, const void *key, size_t len)
{
	uint64_t hash = attempts_hash(t, key, len);
	_Atomic uint64_t *e = entry_of(t, hash);
	uint64_t word = atomic_load(e);

	/* Another worker that changes it meanwhile makes another line of it. */
	if ((word & TAG_MASK) == tag_of(hash))
		(void)atomic_compare_exchange_strong(e, &word, word | TOLD);
}
