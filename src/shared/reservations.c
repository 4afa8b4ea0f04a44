#include "shared/reservations.h"

#include <stdatomic.h>

#include "shared/registry.h"

enum {
	IDLE_MAX = 16, /* a disk that nobody uses has nothing to be known */
};

struct ledger_disk {
	struct registry_head head; /* the key is the st_dev */
	_Atomic uint64_t owed[SHM_SLOTS];
};

struct ledger {
	struct registry *disks;
};

size_t
ledger_size(size_t disks)
{
	return sizeof(struct ledger) + 64 +
	       registry_size(disks, sizeof(struct ledger_disk));
}

struct ledger *
ledger_new(struct shm *s, size_t disks)
{
	struct ledger *l = shm_alloc(s, sizeof(*l));

	l->disks = registry_new(s, disks, sizeof(struct ledger_disk), IDLE_MAX);
	return l;
}

struct ledger_disk *
ledger_of(struct ledger *l, unsigned slot, dev_t dev)
{
	return registry_take(
	    l->disks, slot, (struct registry_key){.major = (uint64_t)dev});
}

void
ledger_leave(struct ledger *l, unsigned slot, struct ledger_disk **dp)
{
	if (*dp == NULL)
		return;
	registry_give(l->disks, slot, *dp);
	*dp = NULL;
}

void
ledger_owe(struct ledger_disk *d, unsigned slot, uint64_t bytes)
{
	atomic_fetch_add(&d->owed[slot], bytes);
}

void
ledger_settle(struct ledger_disk *d, unsigned slot, uint64_t bytes)
{
	uint64_t before = atomic_fetch_sub(&d->owed[slot], bytes);

	check(before >= bytes);
}

uint64_t
ledger_owed(const struct ledger_disk *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SHM_SLOTS; i++)
		sum += atomic_load(&d->owed[i]);
	return sum;
}

void
ledger_forget(struct ledger *l, unsigned slot)
{
	for (size_t i = 0; i < registry_count(l->disks); i++) {
		struct ledger_disk *d = registry_at(l->disks, i);

		if (registry_is_used_by(d, slot))
			atomic_store(&d->owed[slot], 0);
	}
	registry_forget(l->disks, slot);
}
