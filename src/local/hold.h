/*
 * local/hold.h - what an upload holds while it looks at what has its name, and
 * replaces it.
 *
 * One with preconditions has the lock of the directory alone, so that what it has
 * looked at stays until it is replaced.  One without has it together with others of
 * its kind, and a claim on its name, so that no two of them replace the same name at
 * once (shared/replacing.h).  Now and then one has the lock alone all the same (alone.h).
 */
#ifndef LOCAL_HOLD_H
#define LOCAL_HOLD_H

#include "shared/replacing.h"
#include "publish_lock.h"
#include "target.h"

/* What it may do; combined with |. */
enum hold_how {
	HOLD_NOW = 1,	/* on the loop: nothing may be waited for */
	HOLD_QUICK = 2, /* it means to replace by publish_replace_quickly() */
};

struct hold {
	struct publish_lock *lock; /* its own, or the loop's; NULL: none */
	struct publish_lock own;
	bool is_quick; /* it replaces quickly: its lock is PUBLISH_UNCHECKED */
	replacing_claim claim;
};

/*
 * hold_begin(h, t, dir, name, how):
 * For replacing `name` in `dir`, which is the file of `t`.  0, PUBLISH_BUSY (HOLD_NOW)
 * or another negative errno, and nothing is held.
 */
NODISCARD int hold_begin(
    struct hold *h, struct target *t, int dir, const char *name, unsigned how);

/* Let go of all of it. */
void hold_end(struct hold *h, struct target *t);

#endif
