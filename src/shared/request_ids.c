#include "shared/request_ids.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "shared/shm.h"

enum {
	BLOCK = 4096,
	NS_PER_US = 1000,
};

struct request_ids {
	_Atomic uint64_t next; /* of the next block */
};

size_t
request_ids_size(void)
{
	/* Some more covers the rounding of shm_alloc(). */
	return sizeof(struct request_ids) + 64;
}

struct request_ids *
request_ids_new(struct shm *s)
{
	struct request_ids *r = shm_alloc(s, sizeof(*r));

	atomic_init(&r->next, clock_wall_ns() / NS_PER_US);
	return r;
}

uint64_t
request_ids_take(struct request_ids_block *b)
{
	if (b->last == b->end && b->from != NULL) {
		b->last = atomic_fetch_add(&b->from->next, BLOCK);
		b->end = b->last + BLOCK;
	}
	return ++b->last;
}
