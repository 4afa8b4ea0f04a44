#include "shared/reservations.h"

#include <stdatomic.h>

#include "shared/registry.h"

enum {
	IDLE_MAX = 16, /* a record that is not in use holds nothing worth
			  keeping */
};

struct reservations_disk {
	struct registry_head head; /* the key is the st_dev */
	_Atomic uint32_t slots;	   /* all that ever reserved are below */
	_Atomic uint64_t free, measured_ns;
	_Atomic uint64_t reserved[SHM_SLOTS];
};

struct reservations {
	struct registry_ref disks;
};

size_t
reservations_size(size_t disks)
{
	return sizeof(struct reservations) + 64 +
	       registry_size(disks, sizeof(struct reservations_disk));
}

struct reservations *
reservations_new(struct shm *s, size_t disks)
{
	struct reservations *l = shm_alloc(s, sizeof(*l));

	registry_refer(&l->disks,
	    registry_new(s, disks, sizeof(struct reservations_disk), IDLE_MAX));
	return l;
}

struct reservations_disk *
reservations_of(struct reservations *l, unsigned slot, dev_t dev)
{
	return registry_take(registry_of(&l->disks), slot,
	    (struct registry_key){.major = (uint64_t)dev});
}

void
reservations_leave(
    struct reservations *l, unsigned slot, struct reservations_disk **dp)
{
	if (*dp == NULL)
		return;
	registry_give(registry_of(&l->disks), slot, *dp);
	*dp = NULL;
}

static void
reach_slot(struct reservations_disk *d, unsigned slot)
{
	uint32_t slots = atomic_load(&d->slots);

	while (slots <= slot &&
	       !atomic_compare_exchange_weak(&d->slots, &slots, slot + 1))
		;
}

void
reservations_reserve(struct reservations_disk *d, unsigned slot, uint64_t bytes)
{
	reach_slot(d, slot);
	atomic_fetch_add(&d->reserved[slot], bytes);
}

void
reservations_release(struct reservations_disk *d, unsigned slot, uint64_t bytes)
{
	uint64_t before = atomic_fetch_sub(&d->reserved[slot], bytes);

	check(before >= bytes);
}

uint64_t
reservations_held(const struct reservations_disk *d)
{
	uint32_t slots = atomic_load(&d->slots);
	uint64_t sum = 0;

	for (size_t i = 0; i < slots; i++)
		sum += atomic_load(&d->reserved[i]);
	return sum;
}

void
reservations_note_free(
    struct reservations_disk *d, uint64_t bytes, uint64_t now_ns)
{
	atomic_store(&d->free, bytes);
	atomic_store(&d->measured_ns, now_ns);
}

uint64_t
reservations_free_bytes(
    const struct reservations_disk *d, uint64_t *ret_when_ns)
{
	*ret_when_ns = atomic_load(&d->measured_ns);
	return atomic_load(&d->free);
}

void
reservations_forget(struct reservations *l, unsigned slot)
{
	for (size_t i = 0; i < registry_count(registry_of(&l->disks)); i++) {
		struct reservations_disk *d =
		    registry_at(registry_of(&l->disks), i);

		if (registry_is_used_by(d, slot))
			atomic_store(&d->reserved[slot], 0);
	}
	registry_forget(registry_of(&l->disks), slot);
}
