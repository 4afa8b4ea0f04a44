/*
 * local/partials_look.h - one look through the partials of a directory: what partials_sweep
 * does on an engine thread.
 */
#ifndef LOCAL_PARTIALS_LOOK_H
#define LOCAL_PARTIALS_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/partials.h"

struct partials_look;

/*
 * What a look does is not synced, since nobody was told of it: after a power cut what had expired
 * may wait again, at the offset that was told or a later one, or may not be known any more (404
 * in place of 410); and it expires again.  What has not expired is not touched.
 */

/* What has come of it so far. */
struct partials_found {
	unsigned expired; /* so many bytes are gone */
	unsigned gone;	  /* so many are known no more */
	uint64_t files;	  /* so many are there */
	/* Of those that are open: */
	struct partials_tally *tally; /* by client; after the last step */
	size_t clients;
	uint64_t awaited; /* bytes that those wait for that nobody has open */
	bool is_whole;	  /* nothing was left out for want of memory */
};

/* In the directory `root`, which outlives it; what was not changed for `expire_s` seconds
 * has expired.  NULL: no memory. */
NODISCARD struct partials_look *partials_look_new(int root, double expire_s);
void partials_look_free(struct partials_look **lp);

/* Go on; true when there is more to be looked at.  The first step takes the lock that has one
 * worker look at a time: without it nothing is looked at. */
bool partials_look_step(struct partials_look *l);

/* It had the lock. */
bool partials_look_was_alone(const struct partials_look *l);

const struct partials_found *partials_look_found(const struct partials_look *l);

#endif
