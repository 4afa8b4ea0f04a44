#include "shared/arrivals.h"

#include <stdatomic.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"

enum {
	GROUP = 8, /* entries in which a key can be */
	GROUPS = 4096,
	ENTRIES = GROUP * GROUPS,
	TRIES = 8, /* when several workers want one entry at once */
};

enum {
	REPLACED = 1,
	SYNCED = 2,
};

/*
 * `owner` is the worker that writes to it, or that is giving the file its name.
 * Readers do not look at it: `key` is 0 while the other fields are
 * inconsistent.
 */
struct entry {
	_Atomic uint64_t key; /* 0: empty */
	_Atomic uint64_t head_ns;
	_Atomic uint64_t named_ns;
	_Atomic uint32_t owner; /* slot number + 1; 0: none */
	_Atomic uint32_t flags;
};

struct arrivals {
	uint64_t seed;
	struct entry entries[ENTRIES];
};

size_t
arrivals_size(void)
{
	/* One entry more covers the rounding of shm_alloc(). */
	return sizeof(struct arrivals) + 2 * sizeof(struct entry);
}

struct arrivals *
arrivals_new(struct shm *s)
{
	struct arrivals *t = shm_alloc(s, sizeof(*t));

	fd_random(&t->seed, sizeof(t->seed));
	return t;
}

uint64_t
arrivals_key(
    const struct arrivals *t, dev_t dev, uint64_t inode, const char *name)
{
	uint64_t seed = t->seed, key;

	seed = hash_mix(seed ^ (uint64_t)dev);
	seed = hash_mix(seed ^ inode);
	key = hash_bytes(seed, name, strlen(name));
	return key != 0 ? key : 1;
}

static struct entry *
arrivals_group(const struct arrivals *t, uint64_t key)
{
	const struct entry *e = &t->entries[key % GROUPS * GROUP];

	return (struct entry *)(uintptr_t)e;
}

/* The entry of a group to overwrite: the one of this key, else an empty one,
 * else the oldest.  NULL: workers own all of them. */
static struct entry *
choose(struct entry *group, uint64_t key)
{
	uint64_t oldest_ns = UINT64_MAX;
	struct entry *oldest = NULL;

	for (unsigned i = 0; i < GROUP; i++) {
		struct entry *e = &group[i];
		uint64_t has = atomic_load(&e->key), named;

		if (atomic_load(&e->owner) != 0)
			continue;
		if (has == key)
			return e;
		named = has == 0 ? 0 : atomic_load(&e->named_ns);
		if (oldest == NULL || named < oldest_ns) {
			oldest = e;
			oldest_ns = named;
		}
	}
	return oldest;
}

arrivals_entry
arrivals_announce(struct arrivals *t, unsigned slot, uint64_t key,
    const struct arrival_record *r)
{
	struct entry *e = NULL;
	uint32_t none = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		e = choose(arrivals_group(t, key), key);
		none = 0;
		if (e == NULL ||
		    atomic_compare_exchange_strong(&e->owner, &none, slot + 1))
			break;
		e = NULL;
	}
	if (e == NULL)
		return 0;
	atomic_store(&e->key, 0);
	atomic_store(&e->head_ns, r->head_ns);
	atomic_store(&e->named_ns, UINT64_MAX);
	atomic_store(&e->flags,
	    (r->replaced ? REPLACED : 0U) | (r->synced ? SYNCED : 0U));
	atomic_store(&e->key, key);
	return (arrivals_entry)(e - t->entries) + 1;
}

void
arrivals_end(struct arrivals *t, arrivals_entry *place, uint64_t named_ns)
{
	struct entry *e;

	if (*place == 0)
		return;
	e = &t->entries[*place - 1];
	*place = 0;
	if (named_ns == 0)
		atomic_store(&e->key, 0);
	else
		atomic_store(&e->named_ns, named_ns);
	atomic_store(&e->owner, 0);
}

/* Copy one entry.  False: it has another key, or is being written. */
static bool
read_entry(const struct entry *e, uint64_t key, struct arrival_record *ret)
{
	uint32_t flags;

	if (atomic_load(&e->key) != key)
		return false;
	ret->head_ns = atomic_load(&e->head_ns);
	ret->named_ns = atomic_load(&e->named_ns);
	flags = atomic_load(&e->flags);
	ret->replaced = flags & REPLACED;
	ret->synced = flags & SYNCED;
	return atomic_load(&e->key) == key;
}

bool
arrivals_find(
    const struct arrivals *t, uint64_t key, struct arrival_record *ret)
{
	const struct entry *group = arrivals_group(t, key);
	struct arrival_record r;
	bool found = false;

	/* There may be an old record of a file that was removed and whose inode
	 * this one reuses. */
	for (unsigned i = 0; i < GROUP; i++) {
		if (!read_entry(&group[i], key, &r) ||
		    (found && r.head_ns <= ret->head_ns))
			continue;
		*ret = r;
		found = true;
	}
	return found;
}

void
arrivals_forget(struct arrivals *t, unsigned slot, uint64_t now_ns)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &t->entries[i];

		if (atomic_load(&e->owner) != slot + 1)
			continue;
		if (atomic_load(&e->named_ns) == UINT64_MAX)
			atomic_store(&e->named_ns, now_ns);
		atomic_store(&e->owner, 0);
	}
}
