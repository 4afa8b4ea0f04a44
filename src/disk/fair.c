#include "disk/fair.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/num.h"
#include "shared/bell.h"
#include "shared/disk_share.h"
#include "disk/op.h"

/* A flush of less, ahead of the last one of an upload, gains nothing. */
#define AHEAD_BYTES (256 * MIB)
#define GATHER_NS NS_PER_MS /* a sync waits for those that are to join it */
#define JOIN_MIN (256 * KIB)
#define BEHIND_MIN MIB

void
fair_init(struct fair *f)
{
	*f = (struct fair){0};
	for (unsigned i = 0; i < OP_TURN_COUNT; i++)
		list_init(&f->waiting[i]);
}

void
fair_share(struct fair *f, struct disk_share_disk *shared,
    const struct bell *bell, unsigned slot)
{
	check(!fair_holds(f));
	f->shared = shared;
	f->bell = bell;
	f->slot = slot;
}

void
fair_want(struct fair *f, double small_latency_s)
{
	uint64_t ns = (uint64_t)(small_latency_s * (double)NS_PER_S);

	if (ns != 0 && (f->wanted_ns == 0 || ns < f->wanted_ns))
		f->wanted_ns = ns;
}

static bool
takes_turns(const struct fair *f)
{
	return f->shared != NULL && f->wanted_ns > 0;
}

/* ---- operations ---- */

/* Bytes that it writes to the disk. */
static uint64_t
weight_of(const struct op *op)
{
	return op->kind == OP_CALL ? op->weight : op->len;
}

/* One flush more would cost bulk, which waits, more than those that are about to join
 * this one: so it waits for them, a little. */
static bool
has_gathered(struct fair *f, uint64_t now)
{
	if (f->joining == 0 || !disk_share_is_contended(f->shared, now))
		return true;
	if (f->gather_ns == 0)
		f->gather_ns = now;
	return now - f->gather_ns >= GATHER_NS;
}

static bool
small_may_begin(struct fair *f, const struct op *op, uint64_t now)
{
	uint64_t waited = op->held_ns == 0 ? 0 : now - op->held_ns;

	if (!disk_share_admits_small_flush(
		f->shared, now, waited, f->wanted_ns) ||
	    !has_gathered(f, now))
		return false;
	f->gather_ns = 0;
	return true;
}

static bool
may_begin(struct fair *f, const struct op *op)
{
	uint64_t now;

	if (op->turn == OP_TURN_ANY || !takes_turns(f))
		return true;
	now = clock_mono_ns();
	if (op->turn == OP_TURN_SMALL)
		return small_may_begin(f, op, now);
	return disk_share_admits_bulk(f->shared, f->slot, weight_of(op), now);
}

static void
fair_begin(struct fair *f, struct op *op)
{
	op->is_admitted = true;
	f->joining += op->joins;
	if (f->shared == NULL)
		return;
	if (op->turn == OP_TURN_BULK)
		disk_share_begin_bulk(f->shared, f->slot, weight_of(op));
	if (op->flushes)
		op->mark = disk_share_begin_flush(f->shared);
}

static void
hold(struct fair *f, struct op *op)
{
	op->held_ns = clock_mono_ns();
	f->held++;
	list_append(&f->waiting[op->turn], &op->node);
	if (op->turn == OP_TURN_BULK)
		disk_share_hold_bulk(f->shared, f->slot, weight_of(op));
	else if (op->turn == OP_TURN_SMALL)
		disk_share_hold_small_flush(f->shared, f->slot);
}

/* It may go, or will never. */
static void
unhold(struct fair *f, struct op *op)
{
	f->held--;
	list_remove(&op->node);
	if (op->turn == OP_TURN_BULK)
		disk_share_unhold_bulk(f->shared, f->slot, weight_of(op));
	else if (op->turn == OP_TURN_SMALL)
		disk_share_unhold_small_flush(f->shared, f->slot);
}

bool
fair_admits(struct fair *f, struct op *op)
{
	op->held_ns = 0;
	/* Not before others of its kind. */
	if (!list_is_empty(&f->waiting[op->turn]) || !may_begin(f, op)) {
		hold(f, op);
		return false;
	}
	fair_begin(f, op);
	return true;
}

struct op *
fair_next(struct fair *f)
{
	for (unsigned i = 0; i < OP_TURN_COUNT; i++) {
		struct list_node *n = list_first(&f->waiting[i]);
		struct op *op;

		if (n == NULL)
			continue;
		op = container_of(n, struct op, node);
		if (!may_begin(f, op))
			continue;
		unhold(f, op);
		fair_begin(f, op);
		return op;
	}
	return NULL;
}

void
fair_drop(struct fair *f, struct op *op)
{
	if (op->held_ns != 0 && !op->is_admitted)
		unhold(f, op);
}

/* Others may have waited for that. */
static void
wake_others(const struct fair *f)
{
	if (f->bell != NULL && disk_share_is_awaited(f->shared, f->slot))
		bell_ring(f->bell);
}

/* Returns whether a turn begins or ends by that. */
static bool
end_turn_of(struct fair *f, const struct op *op, bool ended_well)
{
	uint64_t now;
	bool news = false;

	if (op->turn != OP_TURN_BULK && !op->flushes)
		return false;
	now = clock_mono_ns();
	if (op->turn == OP_TURN_BULK)
		news = disk_share_end_bulk(
		    f->shared, f->slot, weight_of(op), ended_well, now);
	/* Its own bytes are flushed, too. */
	if (op->flushes && ended_well)
		news |= disk_share_end_flush(f->shared,
		    op->mark + (op->turn == OP_TURN_BULK ? weight_of(op) : 0),
		    now);
	return news;
}

void
fair_end(struct fair *f, struct op *op)
{
	if (!op->is_admitted)
		return;
	f->joining -= op->joins;
	if (f->shared != NULL && end_turn_of(f, op, op->res >= 0))
		wake_others(f);
}

uint64_t
fair_turn_bytes(const struct fair *f)
{
	return disk_share_bound(f->shared, clock_mono_ns());
}

/* ---- uploads ---- */

uint64_t
fair_begin_small(struct fair *f)
{
	if (!takes_turns(f))
		return 0;
	disk_share_begin_small(f->shared, f->slot);
	return clock_mono_ns();
}

void
fair_end_small(struct fair *f, uint64_t *began, bool stored)
{
	uint64_t now;

	if (*began == 0)
		return;
	now = clock_mono_ns();
	disk_share_end_small(
	    f->shared, f->slot, now, stored ? now - *began : 0, f->wanted_ns);
	*began = 0;
}

uint64_t
fair_behind(const struct fair *f, uint64_t most)
{
	uint64_t half;

	if (most <= BEHIND_MIN || !takes_turns(f))
		return most;
	half = disk_share_bound(f->shared, clock_mono_ns()) / 2;
	return num_least(num_most(half, BEHIND_MIN), most);
}

uint64_t
fair_join(const struct fair *f, uint64_t most)
{
	uint64_t quarter;

	if (!takes_turns(f))
		return most;
	quarter = disk_share_bound(f->shared, clock_mono_ns()) / 4;
	return num_least(num_most(quarter, JOIN_MIN), most);
}

bool
fair_claims_flush(struct fair *f, bool durable)
{
	return f->shared != NULL &&
	       disk_share_claim_flush(f->shared, f->slot, clock_mono_ns(),
		   durable ? AHEAD_BYTES : DISK_SHARE_UNBOUNDED);
}

void
fair_unclaim_flush(struct fair *f)
{
	disk_share_end_claim(f->shared, f->slot);
}
