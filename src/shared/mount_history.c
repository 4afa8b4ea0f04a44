#include "shared/mount_history.h"

#include <string.h>

#include "base/hash.h"
#include "base/list.h"
#include "shared/registry.h"

enum {
	MOUNTS_MAX = 255,
};

#define MOUNTS_MASK UINT64_C(255)

struct record {
	struct registry_head head; /* the key is a hash of the path */
	struct mount_record place;
};

struct mount_history {
	struct registry_ref paths;
};

size_t
mount_history_size(size_t paths)
{
	return sizeof(struct mount_history) + 64 +
	       registry_size(paths, sizeof(struct record));
}

struct mount_history *
mount_history_new(struct shm *s, size_t paths)
{
	struct mount_history *p = shm_alloc(s, sizeof(*p));

	registry_refer(
	    &p->paths, registry_new(s, paths, sizeof(struct record), paths));
	return p;
}

/* The administrator chooses the paths, so no seed is needed against
 * collisions. */
static struct registry_key
mount_history_key(const char *dir)
{
	return (struct registry_key){.major = hash_bytes(0, dir, strlen(dir))};
}

struct mount_record *
mount_history_of(struct mount_history *p, unsigned slot, const char *dir)
{
	struct record *r =
	    registry_take(registry_of(&p->paths), slot, mount_history_key(dir));

	return r != NULL ? &r->place : NULL;
}

void
mount_history_leave(
    struct mount_history *p, unsigned slot, struct mount_record *place)
{
	registry_give(registry_of(&p->paths), slot,
	    container_of(place, struct record, place));
}

void
mount_history_look(
    const struct mount_history *p, const char *dir, struct mount_record *ret)
{
	const struct record *r =
	    registry_find(registry_of(&p->paths), mount_history_key(dir));
	uint64_t seen;

	atomic_init(&ret->seen, 0);
	if (r == NULL)
		return;
	seen = atomic_load(&r->place.seen);
	if (registry_is(r, mount_history_key(dir)))
		atomic_init(&ret->seen, seen);
}

bool
mount_history_is_open(const struct mount_history *p, const char *dir)
{
	const struct record *r =
	    registry_find(registry_of(&p->paths), mount_history_key(dir));

	return r != NULL && registry_is_used(r);
}

size_t
mount_history_count_open(const struct mount_history *p)
{
	size_t open = 0;

	for (size_t i = 0; i < registry_count(registry_of(&p->paths)); i++)
		open +=
		    registry_is_used(registry_at(registry_of(&p->paths), i));
	return open;
}

/* Both are in one word, so that they are read and changed together. */
static uint64_t
seen_as(const char *real, unsigned mounts)
{
	uint64_t hash = hash_bytes(0, real, strlen(real)) & ~MOUNTS_MASK;

	return hash | (mounts < MOUNTS_MAX ? mounts + 1 : MOUNTS_MAX);
}

void
mount_history_remember(
    struct mount_record *p, const char *real, unsigned mounts)
{
	atomic_store(&p->seen, seen_as(real, mounts));
}

bool
mount_history_is_known(const struct mount_record *p)
{
	return atomic_load(&p->seen) != 0;
}

bool
mount_history_lacks_mounts(
    const struct mount_record *p, const char *real, unsigned mounts)
{
	uint64_t before = atomic_load(&p->seen), now = seen_as(real, mounts);

	return (before & ~MOUNTS_MASK) == (now & ~MOUNTS_MASK) &&
	       (before & MOUNTS_MASK) > (now & MOUNTS_MASK);
}

void
mount_history_forget(struct mount_history *p, unsigned slot)
{
	registry_forget(registry_of(&p->paths), slot);
}
