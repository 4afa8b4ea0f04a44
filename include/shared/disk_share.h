/*
 * shared/disk_share.h - how small durable uploads and bulk take turns on a
 * disk, across all workers.
 *
 *	bulk bytes:  [ flushed ][ written, not flushed ][ in flight ][ held ]
 *	                         `--------- debt ---------'
 *
 * A disk acknowledges writes from its cache.  The flush that makes a small
 * upload durable has to empty that cache of bulk's bytes, too, and it waits
 * behind bulk's writes in flight.  So while small durable uploads come, both
 * take turns:
 *
 *  - bulk writes until its debt has reached the bound.  The bytes of one turn
 *    are divided between the workers that hold bulk, and where that leaves none
 *    for some, these have the next turn;
 *  - then the small uploads that have come meanwhile are flushed, together.  The
 *    first such flush that ends clears the debt: bulk's next turn begins.
 *
 * A flush of small uploads is held only while bulk waits for its turn or is in
 * it, and never for longer than half of what they may take.  When bulk has
 * waited for a flush for 100 ms it goes on without one.
 *
 * The bound adapts, so that small uploads have a fifth of the disk's time, or as
 * much more, up to half of it, as keeps them within what is wanted (`small_latency`;
 * share_bound.h).  When none has come for 100 ms it doubles every 50 ms, until there
 * is none: bulk has all of its speed again half a second after the last small one.
 *
 * Shared memory holds what each worker has in flight and holds: a worker
 * changes only its own, and the master clears those of a worker that it has
 * reaped.  Times are by clock_mono_ns(), and passed in.  Only the loop of a
 * worker, or the master, may call these functions.
 */
#ifndef SHARED_DISK_SHARE_H
#define SHARED_DISK_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "shared/shm.h"

#define DISK_SHARE_UNBOUNDED UINT64_MAX

struct disk_share;	/* the table of all disks */
struct disk_share_disk; /* the record of one */

/* Bytes of shared memory for `disks` disks in use at once. */
size_t disk_share_size(size_t disks);

/* Make the table in shared memory, before the first fork. */
struct disk_share *disk_share_new(struct shm *s, size_t disks);

/*
 * disk_share_of(s, slot, dev):
 * The record of the disk with this st_dev, made on first use; the worker of
 * `slot` uses it until its disk_share_leave().  NULL, with errno ENOSPC: there
 * are too many disks, and nobody takes turns on this one; or EBUSY, see
 * registry_take().
 */
struct disk_share_disk *disk_share_of(
    struct disk_share *s, unsigned slot, dev_t dev);

/* The worker, which has nothing in flight there, no longer uses the record.
 * Clears the caller's pointer, which may be NULL. */
void disk_share_leave(
    struct disk_share *s, unsigned slot, struct disk_share_disk **dp);

/* For the master: the worker of this slot has ended.  What it had in flight
 * counts as written, since it may have been. */
void disk_share_forget(struct disk_share *s, unsigned slot);

/* ---- bulk: `slot` is the caller's, amounts are bytes ---- */

/*
 * disk_share_admits_bulk(d, slot, bytes, now):
 * True: bulk may begin to write so many bytes, and the caller calls
 * disk_share_begin_bulk().  False: it is not its turn; ask again when something
 * has ended, or a little later.
 */
bool disk_share_admits_bulk(
    struct disk_share_disk *d, unsigned slot, uint64_t bytes, uint64_t now);

/*
 * disk_share_begin_bulk(d, slot, bytes):
 * So many bytes begin to be written.
 *
 * disk_share_end_bulk(d, slot, bytes, written, now):
 * As many as have begun together have ended, `written` or not.  True: that was the end
 * of bulk's turn, and others may wait for it.
 */
void disk_share_begin_bulk(
    struct disk_share_disk *d, unsigned slot, uint64_t bytes);
bool disk_share_end_bulk(struct disk_share_disk *d, unsigned slot,
    uint64_t bytes, bool written, uint64_t now);

/* So many more, or fewer, bytes of bulk wait for their turn. */
void disk_share_hold_bulk(
    struct disk_share_disk *d, unsigned slot, uint64_t bytes);
void disk_share_unhold_bulk(
    struct disk_share_disk *d, unsigned slot, uint64_t bytes);

/* How much bulk may write in a turn; DISK_SHARE_UNBOUNDED: no small durable
 * upload has come for some time, and there are no turns. */
uint64_t disk_share_bound(const struct disk_share_disk *d, uint64_t now);

/* ---- small durable uploads ---- */

/*
 * disk_share_begin_small(d, slot):
 * One is complete and is to be stored.
 *
 * disk_share_end_small(d, slot, now, took_ns, wanted_ns):
 * It has ended.  `took_ns` is how long it took; 0: it was not stored, and says
 * nothing.  `wanted_ns` is how long it may take.
 */
void disk_share_begin_small(struct disk_share_disk *d, unsigned slot);
void disk_share_end_small(struct disk_share_disk *d, unsigned slot,
    uint64_t now, uint64_t took_ns, uint64_t wanted_ns);

/* ---- flushes that they wait for, each for one or several ---- */

/* May one that has waited for `waited_ns` go?  False: it is bulk's turn; ask
 * again as above. */
bool disk_share_admits_small_flush(const struct disk_share_disk *d,
    uint64_t now, uint64_t waited_ns, uint64_t wanted_ns);

/* One more, or fewer, waits for its turn. */
void disk_share_hold_small_flush(struct disk_share_disk *d, unsigned slot);
void disk_share_unhold_small_flush(struct disk_share_disk *d, unsigned slot);

/* ---- any flush ---- */

/*
 * disk_share_begin_flush(d):
 * Something that flushes the disk is about to begin.  Returns a mark for
 * disk_share_end_flush(), which is to be called only if the disk was flushed, and
 * returns true when a turn of bulk begins by that.
 */
uint64_t disk_share_begin_flush(const struct disk_share_disk *d);
bool disk_share_end_flush(
    struct disk_share_disk *d, uint64_t mark, uint64_t now);

/* True when bulk of any worker waits for its turn, and will have one soon. */
bool disk_share_is_contended(const struct disk_share_disk *d, uint64_t now);

/* True when another worker than that of `slot` holds something: what ends here may be
 * what it waits for. */
bool disk_share_is_awaited(const struct disk_share_disk *d, unsigned slot);

/*
 * disk_share_claim_flush(d, slot, now, ahead):
 * True: the caller is to flush the disk beside bulk's writes, and to call
 * disk_share_end_claim() when it has: because as much as `ahead` is written and
 * not flushed; or half of the bound, while small uploads come and none is there
 * whose flush would do; or 32 MiB, when one came within the last 10 s.  One
 * worker at a time has the claim.
 */
NODISCARD bool disk_share_claim_flush(
    struct disk_share_disk *d, unsigned slot, uint64_t now, uint64_t ahead);
void disk_share_end_claim(struct disk_share_disk *d, unsigned slot);

#endif
