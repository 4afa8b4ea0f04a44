#include "store/places.h"

#include <string.h>

#include "base/hash.h"

enum {
	PLACES_MAX = 1024,
};

struct places {
	struct place places[PLACES_MAX];
};

size_t
places_size(void)
{
	return sizeof(struct places);
}

struct places *
places_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct places));
}

struct place *
places_of(struct places *p, const char *dir)
{
	/* Paths are the administrator's: nobody chooses collisions. */
	uint64_t key = hash_bytes(0, dir, strlen(dir)) | 1;

	for (size_t i = 0; i < PLACES_MAX; i++) {
		uint64_t seen = 0;

		/* Taken now, or by somebody before: perhaps for this path. */
		if (atomic_compare_exchange_strong(
			&p->places[i].key, &seen, key) ||
		    seen == key)
			return &p->places[i];
	}
	return NULL;
}

void
place_remember(struct place *p, unsigned mounts)
{
	atomic_store(&p->mounts, mounts + 1);
}

bool
place_recall(const struct place *p, unsigned *ret_mounts)
{
	uint32_t seen = atomic_load(&p->mounts);

	if (ret_mounts != NULL)
		*ret_mounts = seen > 0 ? seen - 1 : 0;
	return seen > 0;
}
