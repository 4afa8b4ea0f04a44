#include "upload/bound.h"

#include "base/clock.h"

enum {
	GAP_MS = 2000, /* between two looks: longer, and nothing ran */
};

void
bound_add(struct bound *b, bool is_write_bound)
{
	b->running++;
	b->waiting += is_write_bound;
}

bool
bound_look(struct bound *b, uint64_t now_ns, uint64_t for_ns)
{
	uint64_t passed = b->seen_ns != 0 ? now_ns - b->seen_ns : 0;
	bool waits =
	    2 * b->waiting > b->running && passed <= GAP_MS * NS_PER_MS;

	b->seen_ns = now_ns;
	b->running = b->waiting = 0;
	if (waits)
		b->long_ns += passed;
	else
		b->long_ns -= b->long_ns < 2 * passed ? b->long_ns : 2 * passed;
	if (b->long_ns < for_ns)
		return false;
	b->long_ns = 0;
	return true;
}
