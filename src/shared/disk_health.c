#include "shared/disk_health.h"

#include <stdatomic.h>
#include <stdint.h>

#include "shared/registry.h"

enum {
	IDLE_MAX = 16, /* a record that is not in use holds nothing worth
			  keeping */
	WORD_BITS = 64,
	WORDS = SHM_SLOTS / WORD_BITS,
};

_Static_assert(SHM_SLOTS % WORD_BITS == 0, "a slot has no bit");

/* A bit per slot. */
struct bits {
	_Atomic uint64_t words[WORDS];
};

struct disk_health_disk {
	struct registry_head head; /* the key is st_dev and variant */
	struct bits stalled, failed;
	/* Workers with a bit.  If a worker dies between setting its bit and
	 * counting itself, the count stays off by one: then a change is
	 * reported too often or not at all. */
	_Atomic int sayers;
	_Atomic uint32_t prober;    /* slot + 1 of the worker that probes; 0:
				    none */
	_Atomic double recovered_s; /* disk_health_recovered_s() */
};

struct disk_health {
	struct registry_ref disks;
};

size_t
disk_health_size(size_t disks)
{
	return sizeof(struct disk_health) + 64 +
	       registry_size(disks, sizeof(struct disk_health_disk));
}

struct disk_health *
disk_health_new(struct shm *s, size_t disks)
{
	struct disk_health *all = shm_alloc(s, sizeof(*all));

	registry_refer(&all->disks,
	    registry_new(s, disks, sizeof(struct disk_health_disk), IDLE_MAX));
	return all;
}

struct disk_health_disk *
disk_health_of(
    struct disk_health *s, unsigned slot, dev_t dev, unsigned variant)
{
	check(variant < DISK_HEALTH_VARIANTS);
	return registry_take(registry_of(&s->disks), slot,
	    (struct registry_key){.major = (uint64_t)dev, .minor = variant});
}

/* Returns whether it was set. */
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
disk_health_is_stalled(const struct disk_health_disk *d)
{
	return any_bit(&d->stalled);
}

bool
disk_health_is_ok(const struct disk_health_disk *d)
{
	return !any_bit(&d->stalled) && !any_bit(&d->failed);
}

bool
disk_health_report(
    struct disk_health_disk *d, unsigned slot, bool stalled, bool failed)
{
	bool was_stalled, was_failed, was_unhealthy;

	check(slot < SHM_SLOTS);
	was_stalled = set_bit(&d->stalled, slot, stalled);
	was_failed = set_bit(&d->failed, slot, failed);
	was_unhealthy = was_stalled || was_failed;
	if (was_unhealthy == (stalled || failed))
		return false;
	return was_unhealthy ? atomic_fetch_sub(&d->sayers, 1) == 1
			     : atomic_fetch_add(&d->sayers, 1) == 0;
}

bool
disk_health_begin_probe(struct disk_health_disk *d, unsigned slot)
{
	uint32_t none = 0;

	check(slot < SHM_SLOTS);
	return atomic_compare_exchange_strong(&d->prober, &none, slot + 1);
}

void
disk_health_end_probe(struct disk_health_disk *d, unsigned slot)
{
	uint32_t me = slot + 1;

	check(slot < SHM_SLOTS);
	atomic_compare_exchange_strong(&d->prober, &me, 0);
}

void
disk_health_set_recovered(struct disk_health_disk *d, double at)
{
	atomic_store(&d->recovered_s, at);
}

double
disk_health_recovered_s(const struct disk_health_disk *d)
{
	return atomic_load(&d->recovered_s);
}

/* Clear all that this worker has in it. */
static bool
fall_silent(struct disk_health_disk *d, unsigned slot)
{
	disk_health_end_probe(d, slot);
	return disk_health_report(d, slot, false, false);
}

void
disk_health_leave(
    struct disk_health *s, unsigned slot, struct disk_health_disk **dp)
{
	if (*dp == NULL)
		return;
	(void)fall_silent(*dp, slot);
	registry_give(registry_of(&s->disks), slot, *dp);
	*dp = NULL;
}

bool
disk_health_forget(struct disk_health *s, unsigned slot)
{
	bool news = false;

	for (size_t i = 0; i < registry_count(registry_of(&s->disks)); i++) {
		struct disk_health_disk *d =
		    registry_at(registry_of(&s->disks), i);

		if (registry_is_used_by(d, slot) && fall_silent(d, slot))
			news = true;
	}
	registry_forget(registry_of(&s->disks), slot);
	return news;
}
