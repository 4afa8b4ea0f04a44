#include "stat/sickness.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
	DISKS_MAX = 128,
	WORD_BITS = 64,
	WORDS = SHM_SLOTS / WORD_BITS,
};

_Static_assert(SHM_SLOTS % WORD_BITS == 0, "a slot has no bit");

/* A bit per slot. */
struct bits {
	_Atomic uint64_t words[WORDS];
};

struct sickness_disk {
	_Atomic uint64_t key; /* of st_dev and variant; 0: free */
	struct bits stalled, failed;
	/* Workers with a bit.  One that dies between the two is counted for
	 * good or not at all: then some news is told too often or not. */
	_Atomic int sayers;
	_Atomic uint32_t prober; /* its slot + 1; 0: nobody */
	_Atomic double well_s;	 /* sickness_well_s() */
};

struct sickness {
	struct sickness_disk disks[DISKS_MAX];
};

size_t
sickness_size(void)
{
	return sizeof(struct sickness);
}

struct sickness *
sickness_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct sickness));
}

struct sickness_disk *
sickness_of(struct sickness *s, dev_t dev, unsigned variant)
{
	uint64_t key = (uint64_t)dev * SICKNESS_VARIANTS + variant + 1;

	check(variant < SICKNESS_VARIANTS);
	for (size_t i = 0; i < DISKS_MAX; i++)
		if (shm_claim(&s->disks[i].key, key))
			return &s->disks[i];
	return NULL;
}

/* Was it on? */
static bool
set_bit(struct bits *b, unsigned slot, bool on)
{
	_Atomic uint64_t *word = &b->words[slot / WORD_BITS];
	uint64_t bit = UINT64_C(1) << slot % WORD_BITS;

	return (bit & (on ? atomic_fetch_or(word, bit)
			  : atomic_fetch_and(word, ~bit))) != 0;
}

static bool
any_bit(const struct bits *b)
{
	for (size_t i = 0; i < WORDS; i++)
		if (atomic_load(&b->words[i]) != 0)
			return true;
	return false;
}

bool
sickness_is_stalled(const struct sickness_disk *d)
{
	return any_bit(&d->stalled);
}

bool
sickness_is_sick(const struct sickness_disk *d)
{
	return any_bit(&d->stalled) || any_bit(&d->failed);
}

bool
sickness_say(struct sickness_disk *d, unsigned slot, bool stalled, bool failed)
{
	bool was_stalled, was_failed, was_sick;

	check(slot < SHM_SLOTS);
	was_stalled = set_bit(&d->stalled, slot, stalled);
	was_failed = set_bit(&d->failed, slot, failed);
	was_sick = was_stalled || was_failed;
	if (was_sick == (stalled || failed))
		return false;
	return was_sick ? atomic_fetch_sub(&d->sayers, 1) == 1
			: atomic_fetch_add(&d->sayers, 1) == 0;
}

bool
sickness_begin_probe(struct sickness_disk *d, unsigned slot)
{
	uint32_t nobody = 0;

	check(slot < SHM_SLOTS);
	return atomic_compare_exchange_strong(&d->prober, &nobody, slot + 1);
}

void
sickness_end_probe(struct sickness_disk *d, unsigned slot)
{
	uint32_t me = slot + 1;

	check(slot < SHM_SLOTS);
	atomic_compare_exchange_strong(&d->prober, &me, 0);
}

void
sickness_set_well(struct sickness_disk *d, double at)
{
	atomic_store(&d->well_s, at);
}

double
sickness_well_s(const struct sickness_disk *d)
{
	return atomic_load(&d->well_s);
}

bool
sickness_forget(struct sickness *s, unsigned slot)
{
	bool news = false;

	for (size_t i = 0; i < DISKS_MAX; i++) {
		sickness_end_probe(&s->disks[i], slot);
		if (sickness_say(&s->disks[i], slot, false, false))
			news = true;
	}
	return news;
}
