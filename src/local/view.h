/*
 * local/view.h - how the store is, for those who watch; and how much room its disk has, found
 * out by an engine thread now and then, for all workers.
 */
#ifndef LOCAL_VIEW_H
#define LOCAL_VIEW_H

#include "opener.h"

struct view {
	struct opener *opener;
	struct op op; /* the job's that measures */
};

void view_init(struct view *v, struct opener *o);

/* store_view(), store_measure(). */
void view_fill(const struct view *v, struct store_view *ret);
void view_measure(struct view *v);

#endif
