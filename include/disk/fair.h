/*
 * disk/fair.h - whose turn it is on one disk, as a worker sees it.
 *
 *	engine_submit(op) -> admitted --------------> [device: `cap` in flight]
 *	                 `-> held -> fair_next() --^
 *
 * While small durable uploads come, these and bulk take turns on their disk
 * (shared/disk_share.h says how).  What an operation is for stands in its
 * `turn` (disk/op.h); the engine holds those whose turn it is not, here.  They
 * have not begun: their disk does not grow old by them, and they can be
 * cancelled.
 *
 * Part of a device.  After fair_init() it holds nothing back; it does from when there
 * are both a record to share (fair_share()) and a latency that is wanted (fair_want()).
 */
#ifndef DISK_FAIR_H
#define DISK_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "disk/op.h"

struct bell;
struct disk_share_disk;

struct fair {
	struct disk_share_disk *shared; /* NULL: there are no turns */
	const struct bell *bell; /* to wake the others; NULL: they look */
	unsigned slot;
	uint64_t wanted_ns; /* small_latency; 0: there are no turns */
	size_t joining;	    /* operations in flight that `joins` */
	uint64_t gather_ns; /* since when a flush waits for these; 0: none */
	size_t held;	    /* operations; by their turns, oldest first: */
	struct list waiting[OP_TURN_COUNT];
};

/* ---- for the device and the engine ---- */

void fair_init(struct fair *f);

/* Nothing is held: take turns with other workers, as that slot. */
void fair_share(struct fair *f, struct disk_share_disk *shared,
    const struct bell *bell, unsigned slot);

/*
 * fair_admits(f, op):
 * True: `op` may begin, and fair_end() is to be called when it has ended, or was
 * cancelled after all.  False: it is held.
 */
bool fair_admits(struct fair *f, struct op *op);
void fair_end(struct fair *f, struct op *op);

/* The next of those that are held, which may begin now, as above; or NULL. */
struct op *fair_next(struct fair *f);

/* Hold it no longer, since it is cancelled.  Does nothing when it is not held. */
void fair_drop(struct fair *f, struct op *op);

/* What large uploads may write in a turn, in bytes.  Only while something is held. */
uint64_t fair_turn_bytes(const struct fair *f);

/* Is any held? */
static inline bool
fair_holds(const struct fair *f)
{
	return f->held > 0;
}

/* ---- for those who write there, on the loop ---- */

/* Small durable uploads of a directory are to take no longer than that, 0: any
 * time.  Of several directories on a disk the smallest counts. */
void fair_want(struct fair *f, double small_latency_s);

/*
 * fair_begin_small(f):
 * A small durable upload is complete, and is to be stored.  Returns when, for
 * fair_end_small(), which is to follow; or 0: there are no turns.
 *
 * fair_end_small(f, began, stored):
 * It has ended.  Clears the caller's `began`; does nothing when that is 0.
 */
uint64_t fair_begin_small(struct fair *f);
void fair_end_small(struct fair *f, uint64_t *began, bool stored);

/* How much of an upload may be in the page cache only: `most`, or less while small
 * uploads come.  (0: any.) */
uint64_t fair_behind(const struct fair *f, uint64_t most);

/* How much of a large upload is to be written at once: `most`, or less while there are
 * turns, so that it has several writes in each. */
uint64_t fair_join(const struct fair *f, uint64_t most);

/*
 * fair_claims_flush(f, durable):
 * True: the caller is to flush the disk now, beside the writes of an upload that
 * is to be `durable` or not, by an operation that `flushes`; and to call
 * fair_unclaim_flush() when that has ended.
 */
NODISCARD bool fair_claims_flush(struct fair *f, bool durable);
void fair_unclaim_flush(struct fair *f);

#endif
