#include "alone.h"

#include <stdatomic.h>

bool
alone_draw(struct alone *a, bool now)
{
	if (atomic_fetch_add(&a->draws, 1) % ALONE_EVERY == ALONE_EVERY - 1)
		a->is_due = true;
	return now ? a->is_due : atomic_exchange(&a->is_due, false);
}
