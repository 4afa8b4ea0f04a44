#include "shared/disk_share.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/num.h"
#include "shared/registry.h"
#include "share_bound.h"

enum {
	IDLE_MAX = 16, /* a record that is not in use holds nothing worth
			  keeping */
};

#define BOUND_NONE (256 * MIB)
#define BUSY UINT64_MAX

#define QUIET_NS (100 * NS_PER_MS) /* without small uploads: they are over */
#define DOUBLES_NS (50 * NS_PER_MS)
#define RECENT_NS (10 * NS_PER_S)    /* some come now and then */
#define RECENT_BYTES (32 * MIB)	     /* what the next one may have to flush */
#define STARVED_NS (100 * NS_PER_MS) /* bulk waited for a flush */
#define YIELD_NS (2 * NS_PER_MS)     /* bulk waits for that of others */

/* What one worker has. */
struct part {
	_Alignas(64) _Atomic uint64_t in_flight; /* bytes of bulk */
	_Atomic uint64_t held; /* bytes of bulk that wait for their turn */
	_Atomic uint64_t used; /* bytes that it began in the turn used_in */
	/* Turns; counted from 1, so that 0 is none. */
	_Atomic uint64_t used_in;
	_Atomic uint64_t refused_in; /* it holds bulk that got no place there */
	_Atomic uint64_t refused_ns; /* since when */
	_Atomic uint32_t small;	     /* small uploads under way */
	_Atomic uint32_t flushes_held; /* for these, waiting for their turn */
};

struct disk_share_disk {
	struct registry_head head; /* the key is the st_dev */
	_Atomic uint32_t parts;	   /* the highest slot with a part, + 1 */
	_Atomic uint32_t flusher;  /* slot + 1 of who has the claim; 0: none */
	_Atomic uint64_t written;  /* bytes of bulk, ever */
	_Atomic uint64_t covered;  /* of these, by a flush */
	_Atomic uint64_t turn;	   /* ordinal of bulk's turn, - 1 */
	_Atomic uint64_t turn_ns;  /* when it began */
	_Atomic uint64_t rest_ns;  /* when it ended */
	_Atomic uint64_t small_ns; /* when a small upload was last stored */
	_Atomic uint64_t
	    clear_ns; /* since when there is no debt; BUSY: there is */
	struct share_bound bound;
	struct part part[SHM_SLOTS];
};

struct disk_share {
	struct registry_ref disks;
};

size_t
disk_share_size(size_t disks)
{
	return sizeof(struct disk_share) + 64 +
	       registry_size(disks, sizeof(struct disk_share_disk));
}

struct disk_share *
disk_share_new(struct shm *s, size_t disks)
{
	struct disk_share *all = shm_alloc(s, sizeof(*all));

	registry_refer(&all->disks,
	    registry_new(s, disks, sizeof(struct disk_share_disk), IDLE_MAX));
	return all;
}

struct disk_share_disk *
disk_share_of(struct disk_share *s, unsigned slot, dev_t dev)
{
	struct disk_share_disk *d = registry_take(registry_of(&s->disks), slot,
	    (struct registry_key){.major = (uint64_t)dev});
	uint32_t parts;

	if (d == NULL)
		return NULL;
	parts = atomic_load(&d->parts);
	while (parts <= slot &&
	       !atomic_compare_exchange_weak(&d->parts, &parts, slot + 1))
		continue;
	return d;
}

void
disk_share_leave(
    struct disk_share *s, unsigned slot, struct disk_share_disk **dp)
{
	if (*dp == NULL)
		return;
	registry_give(registry_of(&s->disks), slot, *dp);
	*dp = NULL;
}

static void
forget_part(struct disk_share_disk *d, unsigned slot)
{
	struct part *p = &d->part[slot];

	atomic_fetch_add(&d->written, atomic_exchange(&p->in_flight, 0));
	atomic_store(&p->held, 0);
	atomic_store(&p->small, 0);
	atomic_store(&p->flushes_held, 0);
	disk_share_end_claim(d, slot);
}

void
disk_share_forget(struct disk_share *s, unsigned slot)
{
	for (size_t i = 0; i < registry_count(registry_of(&s->disks)); i++) {
		struct disk_share_disk *d =
		    registry_at(registry_of(&s->disks), i);

		if (registry_is_used_by(d, slot))
			forget_part(d, slot);
	}
	registry_forget(registry_of(&s->disks), slot);
}

/* ---- all parts together ---- */

struct sums {
	uint64_t in_flight;
	unsigned holders; /* workers that hold bulk */
	unsigned hopeful; /* of these, those that got a place so far */
	uint32_t small;
};

static struct sums
sum_up(const struct disk_share_disk *d)
{
	uint64_t turn = atomic_load(&d->turn) + 1;
	uint32_t parts = atomic_load(&d->parts);
	struct sums s = {0};

	for (uint32_t i = 0; i < parts; i++) {
		const struct part *p = &d->part[i];
		bool holds = atomic_load(&p->held) > 0;

		s.in_flight += atomic_load(&p->in_flight);
		s.holders += holds;
		s.hopeful += holds && atomic_load(&p->refused_in) != turn;
		s.small += atomic_load(&p->small);
	}
	return s;
}

static uint64_t
unflushed(const struct disk_share_disk *d)
{
	uint64_t covered = atomic_load(&d->covered);

	return atomic_load(&d->written) - covered;
}

/* The time since `then`, which another worker may have noted after `now`. */
static uint64_t
since(uint64_t then, uint64_t now)
{
	return then < now ? now - then : 0;
}

static uint64_t
bound_with(const struct disk_share_disk *d, const struct sums *s, uint64_t now)
{
	uint64_t last = atomic_load(&d->small_ns),
		 bound = share_bound_bytes(&d->bound), silent;

	if (s->small > 0)
		return bound;
	if (last == 0)
		return DISK_SHARE_UNBOUNDED;
	silent = since(last, now);
	while (silent > QUIET_NS && bound < BOUND_NONE) {
		bound *= 2;
		silent -= silent < DOUBLES_NS ? silent : DOUBLES_NS;
	}
	return bound < BOUND_NONE ? bound : DISK_SHARE_UNBOUNDED;
}

uint64_t
disk_share_bound(const struct disk_share_disk *d, uint64_t now)
{
	struct sums s = sum_up(d);

	return bound_with(d, &s, now);
}

/* ---- turns ---- */

/* A turn of bulk begins. */
static void
begin_turn(struct disk_share_disk *d, uint64_t now)
{
	uint64_t began = atomic_exchange(&d->turn_ns, now);
	uint64_t ended = atomic_load(&d->rest_ns);

	atomic_fetch_add(&d->turn, 1);
	if (ended <= began || ended > now)
		return; /* the one before was not used up */
	share_bound_note_turn(&d->bound);
}

/* All that was written before the mark is flushed.  Returns whether that was
 * news. */
static bool
cover(struct disk_share_disk *d, uint64_t mark)
{
	uint64_t covered = atomic_load(&d->covered);

	while (covered < mark)
		if (atomic_compare_exchange_weak(&d->covered, &covered, mark))
			return true;
	return false;
}

/* Enough of bulk's writes have ended for others to begin. */
static bool
is_drained(const struct disk_share_disk *d, const struct sums *s)
{
	return s->in_flight <= share_bound_bytes(&d->bound) / 4;
}

/* Each worker that holds bulk has found no more place in this turn. */
static bool
is_used_up(const struct sums *s)
{
	return s->holders > 0 && s->hopeful == 0;
}

static bool
refuse(struct disk_share_disk *d, struct part *p, uint64_t now)
{
	uint64_t turn = atomic_load(&d->turn) + 1;

	if (atomic_exchange(&p->refused_in, turn) != turn)
		atomic_store(&p->refused_ns, now);
	return false;
}

/* Bulk has waited too long for the flush that begins its next turn. */
static bool
is_starved(const struct disk_share_disk *d, const struct part *p, uint64_t now)
{
	return atomic_load(&p->refused_in) == atomic_load(&d->turn) + 1 &&
	       since(atomic_load(&p->refused_ns), now) >= STARVED_NS;
}

/* This worker's part of a turn, which others want, too, is used up. */
static bool
has_its_part(const struct disk_share_disk *d, const struct part *p,
    const struct sums *s, uint64_t bytes, uint64_t bound)
{
	unsigned others = s->holders - (atomic_load(&p->held) > 0);
	uint64_t used = atomic_load(&p->used);

	if (others == 0 ||
	    atomic_load(&p->used_in) != atomic_load(&d->turn) + 1)
		return false;
	return used > 0 && used + bytes > bound / (others + 1);
}

/* Another worker that holds bulk had its last place in an earlier turn. */
static bool
another_is_first(const struct disk_share_disk *d, const struct part *p)
{
	uint64_t mine = atomic_load(&p->used_in);
	uint32_t parts = atomic_load(&d->parts);

	for (uint32_t i = 0; i < parts; i++)
		if (&d->part[i] != p && atomic_load(&d->part[i].held) > 0 &&
		    atomic_load(&d->part[i].used_in) < mine)
			return true;
	return false;
}

/* A write so large that it leaves none for others in this turn: they may come first,
 * but are not waited for for long. */
static bool
yields(const struct disk_share_disk *d, const struct part *p,
    const struct sums *s, uint64_t bytes, uint64_t bound)
{
	unsigned others = s->holders - (atomic_load(&p->held) > 0);

	return others > 0 && bytes > bound / (others + 1) &&
	       another_is_first(d, p);
}

bool
disk_share_admits_bulk(
    struct disk_share_disk *d, unsigned slot, uint64_t bytes, uint64_t now)
{
	struct part *p = &d->part[slot];
	struct sums s = sum_up(d);
	uint64_t bound = bound_with(d, &s, now);
	uint64_t debt = unflushed(d) + s.in_flight;

	if (bound == DISK_SHARE_UNBOUNDED)
		return true;
	if (share_bound_rests(&d->bound, now))
		return refuse(d, p, now);
	if (is_starved(d, p, now)) {
		(void)cover(d, atomic_load(&d->written));
		begin_turn(d, now);
		return true;
	}
	if ((debt > 0 && debt + bytes > bound) ||
	    has_its_part(d, p, &s, bytes, bound))
		return refuse(d, p, now);
	return since(atomic_load(&d->turn_ns), now) >= YIELD_NS ||
	       !yields(d, p, &s, bytes, bound);
}

void
disk_share_begin_bulk(struct disk_share_disk *d, unsigned slot, uint64_t bytes)
{
	struct part *p = &d->part[slot];
	uint64_t turn = atomic_load(&d->turn) + 1;

	atomic_store(&d->clear_ns, BUSY);
	if (atomic_exchange(&p->used_in, turn) != turn)
		atomic_store(&p->used, 0);
	atomic_fetch_add(&p->used, bytes);
	atomic_fetch_add(&p->in_flight, bytes);
}

bool
disk_share_end_bulk(struct disk_share_disk *d, unsigned slot, uint64_t bytes,
    bool written, uint64_t now)
{
	uint64_t before = atomic_fetch_sub(&d->part[slot].in_flight, bytes);
	struct sums s;

	check(before >= bytes);
	if (written)
		atomic_fetch_add(&d->written, bytes);
	s = sum_up(d);
	if (!is_used_up(&s) || !is_drained(d, &s) ||
	    atomic_load(&d->rest_ns) >= atomic_load(&d->turn_ns))
		return false;
	atomic_store(&d->rest_ns, now);
	return true;
}

void
disk_share_hold_bulk(struct disk_share_disk *d, unsigned slot, uint64_t bytes)
{
	atomic_fetch_add(&d->part[slot].held, bytes);
}

void
disk_share_unhold_bulk(struct disk_share_disk *d, unsigned slot, uint64_t bytes)
{
	uint64_t before = atomic_fetch_sub(&d->part[slot].held, bytes);

	check(before >= bytes);
}

/* ---- small uploads ---- */

void
disk_share_begin_small(struct disk_share_disk *d, unsigned slot)
{
	atomic_fetch_add(&d->part[slot].small, 1);
}

/* What one had to do with bulk that has ended now and began at `began`. */
static enum share_company
company_of(const struct disk_share_disk *d, const struct sums *s, uint64_t now,
    uint64_t began)
{
	bool rests = share_bound_rests(&d->bound, now);

	if (s->in_flight > 0 || unflushed(d) > 0 || (s->holders > 0 && !rests))
		return SHARE_BESIDE;
	return atomic_load(&d->clear_ns) <= began ? SHARE_ALONE : SHARE_AFTER;
}

void
disk_share_end_small(struct disk_share_disk *d, unsigned slot, uint64_t now,
    uint64_t took_ns, uint64_t wanted_ns)
{
	uint32_t before = atomic_fetch_sub(&d->part[slot].small, 1);
	struct sums s = sum_up(d);

	check(before > 0);
	if (took_ns == 0)
		return;
	atomic_store(&d->small_ns, now);
	share_bound_note_small(&d->bound, now, took_ns, wanted_ns,
	    company_of(d, &s, now, now - took_ns));
}

bool
disk_share_admits_small_flush(const struct disk_share_disk *d, uint64_t now,
    uint64_t waited_ns, uint64_t wanted_ns)
{
	struct sums s = sum_up(d);

	if (waited_ns >= wanted_ns / 2 || share_bound_rests(&d->bound, now))
		return true;
	return s.hopeful == 0 && is_drained(d, &s);
}

void
disk_share_hold_small_flush(struct disk_share_disk *d, unsigned slot)
{
	atomic_fetch_add(&d->part[slot].flushes_held, 1);
}

void
disk_share_unhold_small_flush(struct disk_share_disk *d, unsigned slot)
{
	uint32_t before = atomic_fetch_sub(&d->part[slot].flushes_held, 1);

	check(before > 0);
}

/* ---- flushes ---- */

uint64_t
disk_share_begin_flush(const struct disk_share_disk *d)
{
	return atomic_load(&d->written);
}

/* (Begun and ended at once by different workers this may be wrong for a moment, about
 * a few small uploads.) */
static void
note_clear(struct disk_share_disk *d, uint64_t now)
{
	uint64_t busy = BUSY;
	struct sums s = sum_up(d);

	if (unflushed(d) == 0 && s.in_flight == 0)
		(void)atomic_compare_exchange_strong(&d->clear_ns, &busy, now);
}

bool
disk_share_end_flush(struct disk_share_disk *d, uint64_t mark, uint64_t now)
{
	bool news = cover(d, mark);

	note_clear(d, now);
	if (!news)
		return false;
	begin_turn(d, now);
	return true;
}

bool
disk_share_is_contended(const struct disk_share_disk *d, uint64_t now)
{
	return sum_up(d).holders > 0 && !share_bound_rests(&d->bound, now);
}

bool
disk_share_is_awaited(const struct disk_share_disk *d, unsigned slot)
{
	uint32_t parts = atomic_load(&d->parts);

	for (uint32_t i = 0; i < parts; i++)
		if (i != slot && (atomic_load(&d->part[i].held) > 0 ||
				     atomic_load(&d->part[i].flushes_held) > 0))
			return true;
	return false;
}

/* The next small upload may come at any moment. */
static bool
is_recent(const struct disk_share_disk *d, uint64_t now)
{
	uint64_t last = atomic_load(&d->small_ns);

	return last != 0 && since(last, now) < RECENT_NS;
}

bool
disk_share_claim_flush(
    struct disk_share_disk *d, unsigned slot, uint64_t now, uint64_t ahead)
{
	struct sums s = sum_up(d);
	uint64_t bound = bound_with(d, &s, now), left = unflushed(d);
	uint32_t none = 0;

	if (bound != DISK_SHARE_UNBOUNDED && s.small == 0)
		ahead = num_least(ahead, bound / 2);
	else if (bound == DISK_SHARE_UNBOUNDED && is_recent(d, now))
		ahead = num_least(ahead, RECENT_BYTES);
	return left >= ahead &&
	       atomic_compare_exchange_strong(&d->flusher, &none, slot + 1);
}

void
disk_share_end_claim(struct disk_share_disk *d, unsigned slot)
{
	uint32_t me = slot + 1;

	(void)atomic_compare_exchange_strong(&d->flusher, &me, 0);
}
