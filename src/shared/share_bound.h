/*
 * share_bound.h - how much bulk may write in a turn on a disk, as it adapts: for
 * disk_share.c.
 *
 * What a small upload takes without bulk is what it costs the disk.  Beside bulk it
 * waits for a turn and for the flush after it, too.  It is to take five times as long
 * then, on average: small uploads have a fifth of the disk's time, and bulk has
 * the rest.  But that is to be no more than half of what is wanted, since some
 * take twice as long as others; unless bulk had less than half of the time then.
 * And no less than an eighth of what is wanted: the turns would be so short on a fast
 * disk that bulk would lose more by them than small uploads gain.
 *
 * The bound follows, in steps of an eighth at most.  While more than one small upload
 * in 32 takes more than all of what is wanted (and twice as long as it is to take), the
 * bound shrinks by a quarter; unless the others are so fast that something else than bulk
 * must have held up the slow ones.
 *
 * What they take without bulk is seen when there is none.  While bulk is always there
 * it rests every 10 s (every second, while nothing is known), for so long as it takes to
 * see that, and 200 ms at most.
 *
 * It is in shared memory, and any worker may change it: of two that do so at once one
 * may be lost.
 */
#ifndef SHARED_SHARE_BOUND_H
#define SHARED_SHARE_BOUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Small uploads since they were last looked at. */
struct share_samples {
	_Atomic uint64_t count;
	_Atomic uint64_t took_ns; /* all of them together */
};

/* Zeroed, it is new. */
struct share_bound {
	_Atomic uint64_t bytes; /* 0: the first */
	_Atomic uint64_t adapted_ns;
	struct share_samples alone, beside;
	_Atomic uint64_t slow;	   /* of those beside bulk, too slow */
	_Atomic uint64_t excess;   /* of such, over time */
	_Atomic uint64_t alone_ns; /* what they take; 0: not known */
	_Atomic uint64_t turns;	   /* that bulk used up since */
	_Atomic uint64_t try_ns;   /* when bulk is to rest next */
	_Atomic uint64_t rests_ns; /* until when it does */
};

uint64_t share_bound_bytes(const struct share_bound *b);

/* Bulk is to rest, to see what small uploads take without it. */
bool share_bound_rests(const struct share_bound *b, uint64_t now);

/* Bulk has used up a turn. */
void share_bound_note_turn(struct share_bound *b);

/* What a small upload that was stored had to do with bulk. */
enum share_company {
	SHARE_ALONE,  /* all the time there was none */
	SHARE_AFTER,  /* there is none any more */
	SHARE_BESIDE, /* there is */
};

/* A small upload was stored.  It took `took_ns`, and was to take `wanted_ns` at most. */
void share_bound_note_small(struct share_bound *b, uint64_t now,
    uint64_t took_ns, uint64_t wanted_ns, enum share_company company);

#endif
