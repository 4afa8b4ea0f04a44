#include "store/places.h"

#include <string.h>

#include "base/hash.h"

enum {
	PLACES_MAX = 1024,
	MOUNTS_MAX = 255,
};

#define MOUNTS_MASK UINT64_C(255)

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

	for (size_t i = 0; i < PLACES_MAX; i++)
		if (shm_claim(&p->places[i].key, key))
			return &p->places[i];
	return NULL;
}

/* Both in one word, so that nobody sees halves of two. */
static uint64_t
seen_as(const char *real, unsigned mounts)
{
	uint64_t hash = hash_bytes(0, real, strlen(real)) & ~MOUNTS_MASK;

	return hash | (mounts < MOUNTS_MAX ? mounts + 1 : MOUNTS_MAX);
}

void
place_remember(struct place *p, const char *real, unsigned mounts)
{
	atomic_store(&p->seen, seen_as(real, mounts));
}

void
place_copy(struct place *to, const struct place *from)
{
	atomic_init(&to->key, atomic_load(&from->key));
	atomic_init(&to->seen, atomic_load(&from->seen));
}

bool
place_is_known(const struct place *p)
{
	return atomic_load(&p->seen) != 0;
}

bool
place_lacks_mounts(const struct place *p, const char *real, unsigned mounts)
{
	uint64_t before = atomic_load(&p->seen), now = seen_as(real, mounts);

	return (before & ~MOUNTS_MASK) == (now & ~MOUNTS_MASK) &&
	       (before & MOUNTS_MASK) > (now & MOUNTS_MASK);
}
