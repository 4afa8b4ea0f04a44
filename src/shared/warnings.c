#include "shared/warnings.h"

#include <stdatomic.h>

#include "shared/metrics.h"

struct warnings {
	uint32_t layout; /* WARNINGS_LAYOUT */
	_Atomic uint32_t levels[WARNINGS_KINDS][METRICS_NAMES];
	_Atomic uint64_t told_ns[WARNINGS_KINDS][METRICS_NAMES]; /* 0: never */
};

size_t
warnings_size(void)
{
	return sizeof(struct warnings) + 64; /* rounding of shm_alloc() */
}

struct warnings *
warnings_new(struct shm *s)
{
	struct warnings *w = shm_alloc(s, sizeof(*w));

	w->layout = WARNINGS_LAYOUT;
	return w;
}

bool
warnings_set_level(struct warnings *w, enum warnings_kind kind, unsigned number,
    unsigned level, unsigned *ret_before)
{
	uint32_t before;

	check(kind < WARNINGS_KINDS && number < METRICS_NAMES);
	before = atomic_exchange(&w->levels[kind][number], level);
	*ret_before = before;
	return before != level;
}

unsigned
warnings_level(
    const struct warnings *w, enum warnings_kind kind, unsigned number)
{
	check(kind < WARNINGS_KINDS && number < METRICS_NAMES);
	return atomic_load(&w->levels[kind][number]);
}

bool
warnings_claim(struct warnings *w, enum warnings_kind kind, unsigned number,
    uint64_t now_ns, uint64_t every_ns)
{
	_Atomic uint64_t *told;
	uint64_t before;

	check(kind < WARNINGS_KINDS && number < METRICS_NAMES);
	told = &w->told_ns[kind][number];
	before = atomic_load(told);
	return (before == 0 || now_ns - before >= every_ns) &&
	       atomic_compare_exchange_strong(told, &before, now_ns);
}
