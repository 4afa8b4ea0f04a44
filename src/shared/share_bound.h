/*
 * share_bound.h - how much bulk may write in a turn on a disk, as it adapts: for
 * disk_share.c.
 *
 * It grows by a step while small uploads take less than 0.45 of what is wanted, on
 * average, and shrinks by a quarter while they take more than 0.58 of it, or more than
 * one in 32 takes more than all of it.
 *
 * A small upload that waits for bulk takes about as long as a turn and the flush after
 * it together; and the fastest is one that found nothing to wait for, which is what it
 * costs the disk.  So bulk has half of the time when they take twice as long as the
 * fastest: they need never be faster than that.  While bulk is always there, what the
 * fastest take is tried every 10 s, for a moment with the least bound.
 *
 * It is in shared memory, and any worker may change it: of two that do so at once one
 * may be lost.
 */
#ifndef SHARED_SHARE_BOUND_H
#define SHARED_SHARE_BOUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed, it is new. */
struct share_bound {
	_Atomic uint64_t bytes; /* 0: the first */
	_Atomic uint64_t adapted_ns;
	_Atomic uint64_t samples, slow; /* small uploads since; too slow */
	_Atomic uint64_t took_ns;	/* all of these together */
	_Atomic uint64_t excess;	/* of those that were too slow */
	_Atomic uint64_t least_ns;	/* the fastest; 0: none */
	_Atomic uint64_t fastest_ns;	/* without bulk; 0: not known */
	_Atomic uint64_t turns;		/* that bulk used up since */
	_Atomic uint64_t try_ns;	/* when the fastest is tried next */
	_Atomic uint64_t tried_ns;	/* since when, while it `tries` */
	_Atomic bool tries;
};

uint64_t share_bound_bytes(const struct share_bound *b);

/* Bulk has used up a turn. */
void share_bound_note_turn(struct share_bound *b);

/* A small upload was stored.  It took `took_ns`, and was to take `wanted_ns` at most;
 * `beside_bulk`: bulk was being written then, waited, or had left something to flush. */
void share_bound_note_small(struct share_bound *b, uint64_t now,
    uint64_t took_ns, uint64_t wanted_ns, bool beside_bulk);

#endif
