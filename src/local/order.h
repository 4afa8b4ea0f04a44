/*
 * local/order.h - of uploads to one name that overlap the one whose head came
 * later stays, whichever gets to the name first: shared/arrivals.h has the rule.
 *
 * It is asked for where a file is about to be replaced, by an upload that alone may
 * replace that name meanwhile (hold.h).  An upload that finds the name free need not
 * hold it: its record is there before the name is, and the next one finds both or
 * neither.  On engine threads.
 */
#ifndef LOCAL_ORDER_H
#define LOCAL_ORDER_H

#include "shared/arrivals.h"
#include "target.h"

/* Of one upload; with all but `came` zeroed before the first call. */
struct order {
	struct arrival came;
	uint64_t key;	       /* of the file itself; 0: not known yet */
	uint64_t outlasted_ns; /* when the head of what it replaces came */
	arrivals_entry place;  /* while it is getting its name */
};

/* The file, of this inode, is about to get the name `name`, which something has
 * (`replaces`) or not; and has got it or not. */
void order_announce(struct order *o, const struct target *t, uint64_t inode,
    const char *name, bool replaces);
void order_named(struct order *o, const struct target *t, bool named);

/*
 * order_yields(o, t, dir, name, ret_replaced, ret_unsynced):
 * Asked while the name is held: does t->existing keep it?
 * Then the upload is superseded; *ret_replaced says whether it would have replaced
 * a file, and *ret_unsynced is for order_end().
 */
bool order_yields(struct order *o, const struct target *t, int dir,
    const char *name, bool *ret_replaced, int *ret_unsynced);

/* After that, and nothing is held: nothing is left of the upload, and what has the name
 * is as durable as the answer will say when the directory is synced, too.
 * LOCAL_REFUSED if it had preconditions: they were for what was there before. */
NODISCARD int order_end(struct target *t, int unsynced);

#endif
