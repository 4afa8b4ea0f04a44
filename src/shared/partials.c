#include "shared/partials.h"

#include <stdatomic.h>

#include "base/fd.h"
#include "base/hash.h"
#include "shared/registry.h"
#include "shared/shm.h"

enum {
	IDLE_MAX = 64, /* directories that are not in use, and known */
	WINDOW = 64,   /* entries in which a count can be */
};

struct partials_dir {
	struct registry_head head; /* the key: st_dev, and inode */
	_Atomic uint64_t count, awaited;
	_Atomic uint64_t changes;
	_Atomic uint64_t swept_ns;
};

/* An entry whose count is 0 is free for another key. */
struct client {
	_Atomic uint64_t key; /* of directory and client */
	_Atomic uint64_t dir; /* of the directory alone */
	_Atomic uint64_t count;
};

struct partials {
	uint64_t seed;
	struct registry_ref dirs;
	struct client clients[PARTIALS_CLIENTS]; /* of each directory */
};

size_t
partials_size(size_t directories)
{
	return sizeof(struct partials) + 64 +
	       registry_size(directories, sizeof(struct partials_dir));
}

struct partials *
partials_new(struct shm *s, size_t directories)
{
	struct partials *p = shm_alloc(s, sizeof(*p));

	fd_random(&p->seed, sizeof(p->seed));
	registry_refer(&p->dirs, registry_new(s, directories,
				     sizeof(struct partials_dir), IDLE_MAX));
	return p;
}

struct partials_dir *
partials_of(struct partials *p, unsigned slot, dev_t dev, ino_t inode)
{
	return registry_take(registry_of(&p->dirs), slot,
	    (struct registry_key){(uint64_t)dev, (uint64_t)inode});
}

void
partials_let_go(struct partials *p, unsigned slot, struct partials_dir **dp)
{
	if (*dp != NULL)
		registry_give(registry_of(&p->dirs), slot, *dp);
	*dp = NULL;
}

void
partials_forget(struct partials *p, unsigned slot)
{
	registry_forget(registry_of(&p->dirs), slot);
}

/* ---- numbers that never go below 0 ---- */

static void
lower(_Atomic uint64_t *n, uint64_t by)
{
	uint64_t was = atomic_load(n);

	while (!atomic_compare_exchange_weak(n, &was, was > by ? was - by : 0))
		;
}

static bool
raise_to(_Atomic uint64_t *n, uint64_t max)
{
	uint64_t was = atomic_load(n);

	do {
		if (max != 0 && was >= max)
			return false;
	} while (!atomic_compare_exchange_weak(n, &was, was + 1));
	return true;
}

/* ---- clients ---- */

static uint64_t
dir_key(const struct partials *p, const struct partials_dir *d)
{
	uint64_t key = hash_mix(p->seed ^ atomic_load(&d->head.major));

	return hash_mix(key ^ atomic_load(&d->head.minor)) | 1;
}

static uint64_t
client_key(uint64_t dir, uint64_t client)
{
	return hash_mix(dir ^ hash_mix(client)) | 1;
}

static struct client *
client_at(const struct partials *p, uint64_t key, unsigned i)
{
	const struct client *c = &p->clients[(key / 2 + i) % PARTIALS_CLIENTS];

	return (struct client *)(uintptr_t)c;
}

static struct client *
find_client(const struct partials *p, uint64_t key)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		struct client *c = client_at(p, key, i);

		if (atomic_load(&c->key) == key)
			return c;
	}
	return NULL;
}

/* Its entry, made if there is none; NULL: there is no room. */
static struct client *
client_of(struct partials *p, uint64_t dir, uint64_t client)
{
	uint64_t key = client_key(dir, client);
	struct client *c = find_client(p, key);

	for (unsigned i = 0; c == NULL && i < WINDOW; i++) {
		struct client *other = client_at(p, key, i);
		uint64_t has = atomic_load(&other->key);

		if (atomic_load(&other->count) == 0 &&
		    atomic_compare_exchange_strong(&other->key, &has, key)) {
			atomic_store(&other->dir, dir);
			c = other;
		}
	}
	return c;
}

/* ---- changes ---- */

bool
partials_enter(struct partials *p, struct partials_dir *d, uint64_t client,
    uint64_t max, uint64_t client_max)
{
	struct client *c = client_of(p, dir_key(p, d), client);

	/* One that cannot be counted could have any number. */
	if (c == NULL ? client_max != 0 : !raise_to(&c->count, client_max))
		return false;
	if (!raise_to(&d->count, max)) {
		if (c != NULL)
			lower(&c->count, 1);
		return false;
	}
	atomic_fetch_add(&d->changes, 1);
	return true;
}

void
partials_leave(struct partials *p, struct partials_dir *d, uint64_t client)
{
	struct client *c = find_client(p, client_key(dir_key(p, d), client));

	if (c != NULL)
		lower(&c->count, 1);
	lower(&d->count, 1);
	atomic_fetch_add(&d->changes, 1);
}

void
partials_wait(struct partials_dir *d, uint64_t bytes)
{
	atomic_fetch_add(&d->awaited, bytes);
	atomic_fetch_add(&d->changes, 1);
}

void
partials_go_on(struct partials_dir *d, uint64_t bytes)
{
	lower(&d->awaited, bytes);
	atomic_fetch_add(&d->changes, 1);
}

/* ---- what there is ---- */

uint64_t
partials_count(const struct partials_dir *d)
{
	return atomic_load(&d->count);
}

uint64_t
partials_count_of(
    const struct partials *p, const struct partials_dir *d, uint64_t client)
{
	const struct client *c =
	    find_client(p, client_key(dir_key(p, d), client));

	return c != NULL ? atomic_load(&c->count) : 0;
}

uint64_t
partials_awaited(const struct partials *p, dev_t dev)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < registry_count(registry_of(&p->dirs)); i++) {
		const struct partials_dir *d =
		    registry_at(registry_of(&p->dirs), i);

		if (atomic_load(&d->head.major) == (uint64_t)dev)
			sum += atomic_load(&d->awaited);
	}
	return sum;
}

/* ---- counting anew ---- */

uint64_t
partials_changes(const struct partials_dir *d)
{
	return atomic_load(&d->changes);
}

static void
clear_clients(struct partials *p, uint64_t dir)
{
	for (size_t i = 0; i < PARTIALS_CLIENTS; i++)
		if (atomic_load(&p->clients[i].dir) == dir)
			atomic_store(&p->clients[i].count, 0);
}

bool
partials_set(struct partials *p, struct partials_dir *d, uint64_t changes,
    const struct partials_tally *tally, size_t clients, uint64_t awaited)
{
	uint64_t dir = dir_key(p, d), count = 0;

	if (changes != UINT64_MAX && atomic_load(&d->changes) != changes)
		return false;
	clear_clients(p, dir);
	for (size_t i = 0; i < clients; i++) {
		struct client *c = client_of(p, dir, tally[i].client);

		if (c != NULL)
			atomic_store(&c->count, tally[i].count);
		count += tally[i].count;
	}
	atomic_store(&d->count, count);
	atomic_store(&d->awaited, awaited);
	return true;
}

uint64_t
partials_swept_ns(const struct partials_dir *d)
{
	return atomic_load(&d->swept_ns);
}

void
partials_note_sweep(struct partials_dir *d, uint64_t now_ns)
{
	atomic_store(&d->swept_ns, now_ns);
}
