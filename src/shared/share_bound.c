#include "share_bound.h"

#include "base/clock.h"
#include "base/num.h"

enum {
	BESIDE_MIN = 8, /* small uploads, to judge by */
	ALONE_MIN = 8,
	SHARES = 5,  /* of the disk's time: small uploads have one */
	STEPS = 8,   /* the bound changes by a part of so many at most */
	WEIGHTS = 4, /* what was known before has all of these but one */
	SLOW_ONE_OF = 32,
	SLOW_MOST = 2 * SLOW_ONE_OF,
};

#define BOUND_MIN MIB
#define BOUND_FIRST (4 * MIB)
#define BOUND_MAX (64 * MIB)

#define ADAPT_NS (50 * NS_PER_MS) /* between two looks */
#define ADAPT_LATE_NS NS_PER_S	  /* with few samples */
#define REST_NS (200 * NS_PER_MS) /* at most */
#define TRY_NS (10 * NS_PER_S)
#define TRY_AGAIN_NS NS_PER_S /* while nothing is known */

uint64_t
share_bound_bytes(const struct share_bound *b)
{
	uint64_t bytes = atomic_load(&b->bytes);

	return bytes == 0 ? BOUND_FIRST : bytes;
}

bool
share_bound_rests(const struct share_bound *b, uint64_t now)
{
	return now < atomic_load(&b->rests_ns);
}

void
share_bound_note_turn(struct share_bound *b)
{
	atomic_fetch_add(&b->turns, 1);
}

static uint64_t
within(uint64_t least, uint64_t x, uint64_t most)
{
	return num_least(num_most(x, least), most);
}

/* How long small uploads are to take beside bulk. */
static uint64_t
aim(uint64_t alone, uint64_t wanted)
{
	if (alone == 0)
		return wanted / 2;
	return num_most(
	    within(wanted / 8, SHARES * alone, wanted / 2), 2 * alone);
}

/* ---- what was seen since the last look ---- */

static void
note(struct share_samples *s, uint64_t took_ns)
{
	atomic_fetch_add(&s->count, 1);
	atomic_fetch_add(&s->took_ns, took_ns);
}

/* The mean of them, which are forgotten; 0 when there are none. */
static uint64_t
take_mean(struct share_samples *s)
{
	uint64_t n = atomic_exchange(&s->count, 0);
	uint64_t took = atomic_exchange(&s->took_ns, 0);

	return n == 0 ? 0 : took / n;
}

/* Few ones are left to be more. */
static void
learn_alone(struct share_bound *b)
{
	uint64_t known = atomic_load(&b->alone_ns), mean;

	if (atomic_load(&b->alone.count) < ALONE_MIN)
		return;
	mean = take_mean(&b->alone);
	if (known != 0)
		mean = (known * (WEIGHTS - 1) + mean) / WEIGHTS;
	atomic_store(&b->alone_ns, mean);
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

/* ---- what comes of it ---- */

/* That a small upload waits for bulk is about as long as the bound is large: so that
 * has the ratio that the waits are to have, in the end. */
static uint64_t
adapted(const struct share_bound *b, uint64_t mean, uint64_t wanted, bool grows)
{
	uint64_t alone = atomic_load(&b->alone_ns);
	uint64_t may_wait = aim(alone, wanted) - alone;
	uint64_t waits = mean > alone ? mean - alone : 0;
	uint64_t bytes = share_bound_bytes(b), step = bytes / STEPS;

	if (waits > may_wait)
		return bytes - step * (waits - may_wait) / waits;
	return grows ? bytes + step * (may_wait - waits) / may_wait : bytes;
}

static void
adapt_beside(struct share_bound *b, uint64_t wanted)
{
	uint64_t goal = aim(atomic_load(&b->alone_ns), wanted);
	uint64_t n = atomic_load(&b->beside.count);
	uint64_t mean = take_mean(&b->beside), bytes;
	bool is_used = atomic_exchange(&b->turns, 0) > 0;
	bool slow = are_slow(b, n, atomic_exchange(&b->slow, 0));

	if (slow && mean > goal / 4 * 3)
		bytes = share_bound_bytes(b) / 4 * 3;
	else
		bytes = adapted(
		    b, mean, wanted, is_used && atomic_load(&b->excess) == 0);
	atomic_store(&b->bytes, within(BOUND_MIN, bytes, BOUND_MAX));
}

/* It does not rest any more, and will when it is time; not if there is none. */
static void
plan_rest(struct share_bound *b, uint64_t now, bool beside_bulk)
{
	bool due = beside_bulk && now >= atomic_load(&b->try_ns);

	atomic_store(&b->rests_ns, due ? now + REST_NS : 0);
	if (due || !beside_bulk)
		atomic_store(&b->try_ns,
		    now + (atomic_load(&b->alone_ns) == 0 ? TRY_AGAIN_NS
							  : TRY_NS));
}

static bool
is_time_to_look(const struct share_bound *b, uint64_t now)
{
	uint64_t last = atomic_load(&b->adapted_ns);

	if (share_bound_rests(b, now))
		return atomic_load(&b->alone.count) >= ALONE_MIN;
	return now >= last + (atomic_load(&b->beside.count) < BESIDE_MIN
				     ? ADAPT_LATE_NS
				     : ADAPT_NS);
}

/* One worker at a time looks at what all have found. */
static void
adapt(struct share_bound *b, uint64_t now, uint64_t wanted, bool beside_bulk)
{
	uint64_t last = atomic_load(&b->adapted_ns), beside;

	if (!is_time_to_look(b, now) ||
	    !atomic_compare_exchange_strong(&b->adapted_ns, &last, now))
		return;
	learn_alone(b);
	beside = atomic_load(&b->beside.count);
	beside_bulk = beside_bulk || atomic_load(&b->turns) > 0;
	if (beside > 0)
		adapt_beside(b, wanted);
	/* Of a few, none would come while it rests. */
	plan_rest(b, now, beside_bulk && beside >= BESIDE_MIN);
}

/* (One that met with something else is not to change much.) */
static void
note_alone(struct share_bound *b, uint64_t took_ns)
{
	uint64_t known = atomic_load(&b->alone_ns);

	note(
	    &b->alone, known != 0 && took_ns > 2 * known ? 2 * known : took_ns);
}

static void
note_beside(struct share_bound *b, uint64_t took_ns, uint64_t wanted)
{
	uint64_t slow =
	    num_most(wanted, 2 * aim(atomic_load(&b->alone_ns), wanted));

	note(&b->beside, took_ns < slow ? took_ns : slow);
	atomic_fetch_add(&b->slow, took_ns > slow);
}

void
share_bound_note_small(struct share_bound *b, uint64_t now, uint64_t took_ns,
    uint64_t wanted_ns, enum share_company company)
{
	if (company == SHARE_ALONE)
		note_alone(b, took_ns);
	else
		note_beside(b, took_ns, wanted_ns);
	adapt(b, now, wanted_ns, company == SHARE_BESIDE);
}
