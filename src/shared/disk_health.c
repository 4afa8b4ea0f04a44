#include "shared/disk_health.h"

#include <stdatomic.h>
#include <stdint.h>

#include "shared/registry.h"

enum {
	IDLE_MAX = 16, /* of a disk that nobody uses, nobody says anything */
	WORD_BITS = 64,
	WORDS = SHM_SLOTS / WORD_BITS,
};

_Static_assert(SHM_SLOTS % WORD_BITS == 0, "a slot has no bit");

/* A bit per slot. */
struct bits {
	_Atomic uint64_t words[WORDS];
};

struct sickness_disk {
	struct registry_head head; /* the key is st_dev and variant */
	struct bits stalled, failed;
	/* Workers with a bit.  One that dies between the two is counted for
	 * good or not at all: then some news is told too often or not. */
	_Atomic int sayers;
	_Atomic uint32_t prober; /* its slot + 1; 0: nobody */
	_Atomic double well_s;	 /* sickness_well_s() */
};

struct sickness {
	struct registry *disks;
};

size_t
sickness_size(size_t disks)
{
	return sizeof(struct sickness) + 64 +
	       registry_size(disks, sizeof(struct sickness_disk));
}

struct sickness *
sickness_new(struct shm *s, size_t disks)
{
	struct sickness *all = shm_alloc(s, sizeof(*all));

	all->disks =
	    registry_new(s, disks, sizeof(struct sickness_disk), IDLE_MAX);
	return all;
}

struct sickness_disk *
sickness_of(struct sickness *s, unsigned slot, dev_t dev, unsigned variant)
{
	check(variant < SICKNESS_VARIANTS);
	return registry_take(s->disks, slot,
	    (struct registry_key){.major = (uint64_t)dev, .minor = variant});
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

/* Nothing of it is this worker's any more. */
static bool
fall_silent(struct sickness_disk *d, unsigned slot)
{
	sickness_end_probe(d, slot);
	return sickness_say(d, slot, false, false);
}

void
sickness_leave(struct sickness *s, unsigned slot, struct sickness_disk **dp)
{
	if (*dp == NULL)
		return;
	(void)fall_silent(*dp, slot);
	registry_give(s->disks, slot, *dp);
	*dp = NULL;
}

bool
sickness_forget(struct sickness *s, unsigned slot)
{
	bool news = false;

	for (size_t i = 0; i < registry_count(s->disks); i++) {
		struct sickness_disk *d = registry_at(s->disks, i);

		if (registry_is_used_by(d, slot) && fall_silent(d, slot))
			news = true;
	}
	registry_forget(s->disks, slot);
	return news;
}
