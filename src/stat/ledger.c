#include "stat/ledger.h"

#include <stdatomic.h>

enum {
	DISKS_MAX = 128,
};

struct ledger_disk {
	_Atomic uint64_t key; /* st_dev + 1; 0: free */
	_Atomic uint64_t owed[SHM_SLOTS];
};

struct ledger {
	struct ledger_disk disks[DISKS_MAX];
};

size_t
ledger_size(void)
{
	return sizeof(struct ledger);
}

struct ledger *
ledger_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct ledger));
}

struct ledger_disk *
ledger_of(struct ledger *l, dev_t dev)
{
	uint64_t key = (uint64_t)dev + 1;

	for (size_t i = 0; i < DISKS_MAX; i++)
		if (shm_claim(&l->disks[i].key, key))
			return &l->disks[i];
	return NULL;
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
	for (size_t i = 0; i < DISKS_MAX; i++)
		atomic_store(&l->disks[i].owed[slot], 0);
}
