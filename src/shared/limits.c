#include "shared/limits.h"

#include <stdatomic.h>

#include "base/fd.h"
#include "base/hash.h"

enum {
	/* Entries, counted from the one that a key hashes to: one for each
	 * possible worker, and some for other keys. */
	WINDOW = SHM_SLOTS + 64,
	SPARE = 4, /* entries for each thing, so that windows seldom fill */
	ENTRIES_MIN = 4096,
	ENTRIES_MAX = 1 << 20,
	TRIES = 64, /* when several workers want the last places at once */
	COUNT_BITS = 20,
};

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct entry {
	/* Key and count are in one word, so that they are read and changed
	 * together. */
	_Atomic uint64_t word;
	_Atomic uint32_t owner; /* slot number + 1; 0: free */
	uint32_t spare;
};

struct limits {
	uint64_t seed;
	uint64_t mask;
	struct entry entries[];
};

static size_t
entries_for(size_t things)
{
	size_t n = ENTRIES_MIN;

	while (n < ENTRIES_MAX && n / SPARE < things)
		n *= 2;
	return n;
}

size_t
limits_size(size_t things)
{
	/* One entry more covers the rounding of shm_alloc(). */
	return sizeof(struct limits) +
	       (entries_for(things) + 4) * sizeof(struct entry);
}

struct limits *
limits_new(struct shm *s, size_t things)
{
	size_t n = entries_for(things);
	struct limits *t;

	t = shm_alloc(s, sizeof(*t) + n * sizeof(t->entries[0]));
	t->mask = n - 1;
	fd_random(&t->seed, sizeof(t->seed));
	return t;
}

static uint64_t
limits_key(const struct limits_scope *in, const void *bytes, size_t len)
{
	return hash_bytes(in->limits->seed ^ in->key, bytes, len);
}

struct limits_scope
limits_scope(const struct limits_scope *outer, const void *name, size_t len)
{
	struct limits_scope s = *outer;

	s.key = limits_key(outer, name, len);
	return s;
}

/* Entry `i` of the window of `key`. */
static struct entry *
entry_at(const struct limits *t, uint64_t key, unsigned i)
{
	const struct entry *e = &t->entries[(key + i) & t->mask];

	return (struct entry *)(uintptr_t)e;
}

/* The key as stored in an entry: never zero. */
static uint64_t
key_bits(uint64_t key)
{
	return (key | UINT64_C(1) << 63) & ~COUNT_MASK;
}

static uint64_t
limits_sum(const struct limits *t, uint64_t key)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < WINDOW; i++) {
		uint64_t word = atomic_load(&entry_at(t, key, i)->word);

		if ((word & ~COUNT_MASK) == key_bits(key))
			sum += word & COUNT_MASK;
	}
	return sum;
}

/* The entry of this worker for `key`, made if necessary.  NULL: no room. */
static struct entry *
own_entry(struct limits *t, unsigned owner, uint64_t key)
{
	struct entry *e;

	for (unsigned i = 0; i < WINDOW; i++) {
		e = entry_at(t, key, i);
		if (atomic_load(&e->owner) == owner + 1 &&
		    (atomic_load(&e->word) & ~COUNT_MASK) == key_bits(key))
			return e;
	}
	for (unsigned i = 0; i < WINDOW; i++) {
		uint32_t free = 0;

		e = entry_at(t, key, i);
		if (atomic_compare_exchange_strong(
			&e->owner, &free, owner + 1)) {
			atomic_store(&e->word, key_bits(key));
			return e;
		}
	}
	return NULL;
}

static void
count_down(struct entry *e)
{
	uint64_t word = atomic_load(&e->word);

	check((word & COUNT_MASK) > 0);
	if ((word & COUNT_MASK) > 1) {
		atomic_store(&e->word, word - 1);
		return;
	}
	atomic_store(&e->word, 0);
	atomic_store(&e->owner, 0);
}

uint64_t
limits_count(const struct limits_scope *in, const void *bytes, size_t len)
{
	return limits_sum(in->limits, limits_key(in, bytes, len));
}

enum limits_answer
limits_enter(const struct limits_scope *in, const void *bytes, size_t len,
    uint64_t max, limits_entry *ret_place)
{
	uint64_t key = limits_key(in, bytes, len);
	struct limits *t = in->limits;

	*ret_place = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		struct entry *e = own_entry(t, in->owner, key);

		if (e == NULL ||
		    (atomic_load(&e->word) & COUNT_MASK) == COUNT_MASK)
			return LIMITS_CROWDED;
		atomic_fetch_add(&e->word, 1);
		if (limits_sum(t, key) <= max) {
			*ret_place = (limits_entry)(e - t->entries) + 1;
			return LIMITS_COUNTED;
		}
		count_down(e);
		/* The limit may be exceeded only because another worker is
		 * trying just now. */
		if (limits_sum(t, key) >= max)
			return LIMITS_FULL;
	}
	return LIMITS_FULL;
}

void
limits_leave(struct limits *t, limits_entry *place)
{
	if (*place == 0)
		return;
	count_down(&t->entries[*place - 1]);
	*place = 0;
}

void
limits_forget(struct limits *t, unsigned owner)
{
	for (uint64_t i = 0; i <= t->mask; i++) {
		struct entry *e = &t->entries[i];

		if (atomic_load(&e->owner) != owner + 1)
			continue;
		atomic_store(&e->word, 0);
		atomic_store(&e->owner, 0);
	}
}
