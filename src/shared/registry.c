#include "shared/registry.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
	LOCK_TRIES = 1000, /* of 100 us: a tenth of a second in all */
	LOCK_WAIT_NS = 100 * 1000,
};

struct registry {
	_Atomic uint32_t lock;	/* slot + 1 of the worker that holds the lock */
	_Atomic uint64_t clock; /* the counter behind `used_at` */
	_Atomic uint64_t made;	/* how many of the records, from the first on,
				  were ever used */
	size_t records, record, idle_max;
	_Alignas(64) unsigned char area[];
};

/* Records begin on cache lines of their own. */
static size_t
rounded(size_t size)
{
	return (size + 63) / 64 * 64;
}

size_t
registry_size(size_t records, size_t record)
{
	return sizeof(struct registry) + records * rounded(record) + 64;
}

struct registry *
registry_new(struct shm *s, size_t records, size_t record, size_t idle_max)
{
	struct registry *r =
	    shm_alloc(s, sizeof(*r) + records * rounded(record));

	check(record >= sizeof(struct registry_head));
	r->records = records;
	r->record = rounded(record);
	r->idle_max = idle_max;
	return r;
}

void
registry_refer(struct registry_ref *ref, const struct registry *r)
{
	ref->away = (ptrdiff_t)((uintptr_t)r - (uintptr_t)ref);
}

struct registry *
registry_of(const struct registry_ref *ref)
{
	return (struct registry *)((uintptr_t)ref + (uintptr_t)ref->away);
}

size_t
registry_count(const struct registry *r)
{
	return atomic_load(&r->made);
}

void *
registry_at(const struct registry *r, size_t i)
{
	const unsigned char *at = r->area + i * r->record;

	check(i < r->records);
	return (void *)(uintptr_t)at;
}

bool
registry_is(const void *record, struct registry_key key)
{
	const struct registry_head *h = record;

	return atomic_load(&h->is_made) != 0 &&
	       atomic_load(&h->major) == key.major &&
	       atomic_load(&h->minor) == key.minor;
}

bool
registry_is_used_by(const void *record, unsigned slot)
{
	const struct registry_head *h = record;

	return atomic_load(&h->uses[slot]) != 0;
}

bool
registry_is_used(const void *record)
{
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		if (registry_is_used_by(record, i))
			return true;
	return false;
}

void *
registry_find(const struct registry *r, struct registry_key key)
{
	size_t count = registry_count(r);

	for (size_t i = 0; i < count; i++)
		if (registry_is(registry_at(r, i), key))
			return registry_at(r, i);
	return NULL;
}

/*
 * The holder is in the middle of a few stores.  If it was killed there, the
 * master releases the lock when it reaps the worker, which takes a moment; wait
 * no longer than that.
 */
static bool
registry_lock(struct registry *r, unsigned slot)
{
	const struct timespec wait = {.tv_nsec = LOCK_WAIT_NS};

	for (int i = 0; i < LOCK_TRIES; i++) {
		uint32_t none = 0;

		if (atomic_compare_exchange_strong(&r->lock, &none, slot + 1))
			return true;
		(void)nanosleep(&wait, NULL);
	}
	return false;
}

static void
registry_unlock(struct registry *r)
{
	atomic_store(&r->lock, 0);
}

/*
 * With the lock held: a record for another key, zeroed behind its head.  Uses
 * begin only with the lock held, so an unused record stays unused.  NULL: all
 * are in use.
 */
static struct registry_head *
find_free(struct registry *r)
{
	struct registry_head *oldest = NULL;
	size_t made = registry_count(r), idle = 0;

	for (size_t i = 0; i < made; i++) {
		struct registry_head *h = registry_at(r, i);

		if (registry_is_used(h))
			continue;
		/* It is not complete: the worker that made it died. */
		idle++;
		if (oldest == NULL || atomic_load(&h->is_made) == 0 ||
		    atomic_load(&h->used_at) < atomic_load(&oldest->used_at))
			oldest = h;
		if (atomic_load(&h->is_made) == 0)
			break;
	}
	if (made < r->records && idle < r->idle_max &&
	    (oldest == NULL || atomic_load(&oldest->is_made) != 0)) {
		atomic_store(&r->made, made + 1);
		return registry_at(r, made);
	}
	if (oldest != NULL) {
		atomic_store(&oldest->is_made, 0);
		memset(oldest + 1, 0, r->record - sizeof(*oldest));
	}
	return oldest;
}

/* With the lock held.  The order of the stores makes sure that a process killed
 * at any point leaves a complete record or a free one. */
static void
registry_make(struct registry_head *h, struct registry_key key)
{
	atomic_store(&h->major, key.major);
	atomic_store(&h->minor, key.minor);
	atomic_store(&h->is_made, 1);
}

void *
registry_take(struct registry *r, unsigned slot, struct registry_key key)
{
	struct registry_head *h;

	check(slot < SHM_SLOTS);
	if (!registry_lock(r, slot)) {
		errno = EBUSY;
		return NULL;
	}
	h = registry_find(r, key);
	if (h == NULL) {
		h = find_free(r);
		if (h != NULL)
			registry_make(h, key);
	}
	if (h != NULL) {
		check(atomic_load(&h->uses[slot]) < UINT16_MAX);
		atomic_fetch_add(&h->uses[slot], 1);
		atomic_store(&h->used_at, atomic_fetch_add(&r->clock, 1));
	}
	registry_unlock(r);
	if (h == NULL)
		errno = ENOSPC;
	return h;
}

void
registry_give(struct registry *r, unsigned slot, void *record)
{
	struct registry_head *h = record;

	check(registry_is_used_by(h, slot));
	atomic_store(&h->used_at, atomic_fetch_add(&r->clock, 1));
	atomic_fetch_sub(&h->uses[slot], 1);
}

void
registry_forget(struct registry *r, unsigned slot)
{
	size_t count = registry_count(r);
	uint32_t its = slot + 1;

	for (size_t i = 0; i < count; i++) {
		struct registry_head *h = registry_at(r, i);

		if (!registry_is_used_by(h, slot))
			continue;
		atomic_store(&h->used_at, atomic_fetch_add(&r->clock, 1));
		atomic_store(&h->uses[slot], 0);
	}
	atomic_compare_exchange_strong(&r->lock, &its, 0);
}
