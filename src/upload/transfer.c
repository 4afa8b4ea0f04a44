#include "upload/transfer.h"

void
transfer_start(const struct transfer *t, struct flow *flow,
    struct flow_setup *setup, void (*on_cut)(void *owner, struct failure why))
{
	setup->source = t->source;
	setup->limits = t->limits;
	setup->queue_depth = t->queue_depth;
	if (t->keep)
		setup->on_read_failed = on_cut;
	flow_start(flow, setup);
}
