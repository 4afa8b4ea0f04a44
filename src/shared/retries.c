#include "shared/retries.h"

#include <stdatomic.h>

#include "base/clock.h"

enum {
	PLACES = 1024,
};

#define WITHIN_NS (RETRIES_WITHIN_S * NS_PER_S)

/* Several workers may write to one at once: what comes of that is that one is counted too
 * little. */
struct retry {
	_Atomic uint64_t key, since_ns;
	_Atomic uint32_t count;
};

struct retries {
	uint32_t layout;	  /* RETRIES_LAYOUT */
	_Atomic uint64_t last_ns; /* when any has failed; 0: never */
	struct retry places[PLACES];
};

size_t
retries_size(void)
{
	return sizeof(struct retries) + 64; /* rounding of shm_alloc() */
}

struct retries *
retries_new(struct shm *s)
{
	struct retries *r = shm_alloc(s, sizeof(*r));

	r->layout = RETRIES_LAYOUT;
	return r;
}

static bool
is_to_be_told(unsigned count)
{
	while (count > RETRIES_TOLD && count % 10 == 0)
		count /= 10;
	return count == RETRIES_TOLD;
}

unsigned
retries_failed(
    struct retries *r, uint64_t key, uint64_t now_ns, uint64_t *ret_since_ns)
{
	struct retry *e = &r->places[key % PLACES];
	unsigned count;

	atomic_store_explicit(&r->last_ns, now_ns, memory_order_relaxed);
	*ret_since_ns = atomic_load(&e->since_ns);
	if (atomic_load(&e->key) != key || now_ns - *ret_since_ns > WITHIN_NS) {
		atomic_store(&e->count, 1);
		atomic_store(&e->since_ns, now_ns);
		atomic_store(&e->key, key);
		return 0;
	}
	count = atomic_fetch_add(&e->count, 1) + 1;
	return is_to_be_told(count) ? count : 0;
}

bool
retries_any(const struct retries *r, uint64_t now_ns)
{
	uint64_t last = atomic_load_explicit(&r->last_ns, memory_order_relaxed);

	return last != 0 && now_ns - last <= WITHIN_NS;
}

void
retries_succeeded(struct retries *r, uint64_t key)
{
	struct retry *e = &r->places[key % PLACES];

	if (atomic_load(&e->key) == key)
		atomic_store(&e->key, 0);
}
