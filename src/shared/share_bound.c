#include "share_bound.h"

#include "base/clock.h"

enum {
	SAMPLES_MIN = 8,   /* small uploads, to judge by */
	FAST_PERCENT = 45, /* of what is wanted: bulk may have more */
	SLOW_PERCENT = 58, /* less */
	SLOW_ONE_OF = 32,
	SLOW_MOST = 2 * SLOW_ONE_OF,
	FORGET = 64, /* a part of the fastest, with each look */
};

#define MIB (UINT64_C(1) << 20)
#define BOUND_MIN MIB
#define BOUND_FIRST (4 * MIB)
#define BOUND_MAX (64 * MIB)
#define BOUND_STEP (MIB / 2)

#define ADAPT_NS (50 * NS_PER_MS) /* between two looks */
#define ADAPT_LATE_NS NS_PER_S	  /* with few samples */
#define TRY_NS (10 * NS_PER_S)

uint64_t
share_bound_bytes(const struct share_bound *b)
{
	uint64_t bytes = atomic_load(&b->bytes);

	if (atomic_load(&b->tries))
		return BOUND_MIN;
	return bytes == 0 ? BOUND_FIRST : bytes;
}

void
share_bound_note_turn(struct share_bound *b)
{
	atomic_fetch_add(&b->turns, 1);
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Learn what small uploads take without bulk, from those since the last look. */
static void
note_fastest(struct share_bound *b, bool beside_bulk)
{
	uint64_t least = atomic_exchange(&b->least_ns, 0);
	uint64_t known = atomic_load(&b->fastest_ns);

	if (!beside_bulk)
		known += known / FORGET;
	if (least != 0 &&
	    (known == 0 || least < known || atomic_load(&b->tries)))
		known = least;
	atomic_store(&b->fastest_ns, known);
}

/* Beside bulk that can only be seen with as little of it as there can be. */
static void
begin_try(struct share_bound *b, uint64_t now, bool beside_bulk)
{
	bool due = beside_bulk && now >= atomic_load(&b->try_ns);

	atomic_store(&b->tries, due);
	if (due)
		atomic_store(&b->tried_ns, now);
	if (due || !beside_bulk)
		atomic_store(&b->try_ns, now + TRY_NS);
}

static uint64_t
adapted(const struct share_bound *b, uint64_t mean, bool slow, uint64_t wanted,
    bool is_used)
{
	uint64_t fastest = atomic_load(&b->fastest_ns);
	uint64_t bytes = share_bound_bytes(b);

	if (slow || mean > most(wanted / 100 * SLOW_PERCENT, 2 * fastest))
		bytes -= bytes / 4;
	else if (is_used && atomic_load(&b->excess) == 0 &&
		 mean < most(wanted / 100 * FAST_PERCENT, fastest / 2 * 3))
		bytes += BOUND_STEP;
	return bytes < BOUND_MIN   ? BOUND_MIN
	       : bytes > BOUND_MAX ? BOUND_MAX
				   : bytes;
}

/* More than one in SLOW_ONE_OF of the last samples were too slow.  (While some are, it
 * does not grow.) */
static bool
are_slow(struct share_bound *b, uint64_t samples, uint64_t slow)
{
	uint64_t excess = atomic_load(&b->excess) + slow * SLOW_ONE_OF;

	excess -= samples < excess ? samples : excess;
	atomic_store(&b->excess, excess > SLOW_MOST ? SLOW_ONE_OF : excess);
	return excess > SLOW_MOST;
}

/* One worker at a time looks at what all have found. */
static void
adapt(struct share_bound *b, uint64_t now, uint64_t wanted, bool beside_bulk)
{
	uint64_t last = atomic_load(&b->adapted_ns), n, mean, slow, turns;
	bool few = atomic_load(&b->samples) < SAMPLES_MIN ||
		   (atomic_load(&b->tries) && atomic_load(&b->least_ns) == 0);

	if (now < last + (few ? ADAPT_LATE_NS : ADAPT_NS) ||
	    !atomic_compare_exchange_strong(&b->adapted_ns, &last, now))
		return;
	n = atomic_exchange(&b->samples, 0);
	mean = atomic_exchange(&b->took_ns, 0) / (n == 0 ? 1 : n);
	slow = atomic_exchange(&b->slow, 0);
	turns = atomic_exchange(&b->turns, 0);
	beside_bulk = beside_bulk || turns > 0;
	note_fastest(b, beside_bulk);
	if (beside_bulk && !atomic_load(&b->tries))
		atomic_store(&b->bytes,
		    adapted(b, mean, are_slow(b, n, slow), wanted, turns > 0));
	begin_try(b, now, beside_bulk);
}

void
share_bound_note_small(struct share_bound *b, uint64_t now, uint64_t took_ns,
    uint64_t wanted_ns, bool beside_bulk)
{
	uint64_t least = atomic_load(&b->least_ns);
	uint64_t fastest = atomic_load(&b->fastest_ns);

	atomic_fetch_add(&b->samples, 1);
	atomic_fetch_add(&b->took_ns, took_ns);
	atomic_fetch_add(&b->slow, took_ns > most(wanted_ns, 3 * fastest));
	/* In a try those that came before it say nothing. */
	if ((least == 0 || took_ns < least) &&
	    (!atomic_load(&b->tries) ||
		now - took_ns >= atomic_load(&b->tried_ns)))
		atomic_store(&b->least_ns, took_ns);
	adapt(b, now, wanted_ns, beside_bulk);
}
