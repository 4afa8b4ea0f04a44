#include "shared/wanted.h"

#include <stdatomic.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/num.h"
#include "shared/shm.h"

enum {
	GROUP = 4, /* entries in which a key can be */
	GROUPS = 64,
	DIGITS = 16, /* of 64 bits */
};

/* Several workers may write to one at once: what comes of that is a wish for nothing, or
 * one that is posted again. */
struct wish {
	_Atomic uint64_t until_ns; /* the last to be written */
	_Atomic uint64_t high, low;
	_Atomic uint64_t since_ns;
	_Atomic uint64_t turns; /* of all keys that it was for */
};

struct wanted {
	_Atomic uint64_t until_ns; /* of the last wish */
	struct wish wishes[GROUPS][GROUP];
};

size_t
wanted_size(void)
{
	/* Some more covers the rounding of shm_alloc(). */
	return sizeof(struct wanted) + 64;
}

struct wanted *
wanted_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct wanted));
}

struct wanted_key
wanted_key_of(const char *id)
{
	struct wanted_key key = {0, 0};

	check(num_parse_hex(id, DIGITS, &key.high) == 0);
	check(num_parse_hex(id + DIGITS, DIGITS, &key.low) == 0);
	return key;
}

static struct wish *
wishes_of(const struct wanted *w, struct wanted_key key)
{
	const struct wish *group = w->wishes[(key.high ^ key.low) % GROUPS];

	return (struct wish *)(uintptr_t)group;
}

static bool
is_for(const struct wish *e, struct wanted_key key)
{
	return atomic_load(&e->high) == key.high &&
	       atomic_load(&e->low) == key.low;
}

static struct wish *
find(const struct wanted *w, struct wanted_key key)
{
	struct wish *group = wishes_of(w, key);

	for (unsigned i = 0; i < GROUP; i++)
		if (is_for(&group[i], key))
			return &group[i];
	return NULL;
}

static void
raise(_Atomic uint64_t *n, uint64_t to)
{
	uint64_t was = atomic_load(n);

	while (was < to && !atomic_compare_exchange_weak(n, &was, to))
		;
}

/* The entry for a key: its own, else the one that ends first. */
static struct wish *
choose(struct wish *group, struct wanted_key key)
{
	struct wish *first = &group[0];

	for (unsigned i = 0; i < GROUP; i++) {
		if (is_for(&group[i], key))
			return &group[i];
		if (atomic_load(&group[i].until_ns) <
		    atomic_load(&first->until_ns))
			first = &group[i];
	}
	return first;
}

void
wanted_post(
    struct wanted *w, struct wanted_key key, uint64_t since_ns, uint64_t now_ns)
{
	uint64_t until = now_ns + WANTED_MS * NS_PER_MS;
	struct wish *e = choose(wishes_of(w, key), key);

	if (!is_for(e, key)) {
		atomic_store(&e->until_ns, 0);
		atomic_store(&e->high, key.high);
		atomic_store(&e->low, key.low);
		atomic_store(&e->since_ns, since_ns);
	}
	raise(&e->since_ns, since_ns);
	raise(&e->until_ns, until);
	raise(&w->until_ns, until);
}

bool
wanted_any(const struct wanted *w, uint64_t now_ns)
{
	return atomic_load(&w->until_ns) > now_ns;
}

bool
wanted_is(const struct wanted *w, struct wanted_key key, uint64_t since_ns,
    uint64_t now_ns)
{
	const struct wish *e;

	if (!wanted_any(w, now_ns))
		return false;
	e = find(w, key);
	return e != NULL && atomic_load(&e->until_ns) > now_ns &&
	       atomic_load(&e->since_ns) > since_ns;
}

bool
wanted_let_go(struct wanted *w, struct wanted_key key, uint64_t now_ns)
{
	struct wish *e;

	if (!wanted_any(w, now_ns))
		return false;
	e = find(w, key);
	if (e == NULL || atomic_load(&e->until_ns) <= now_ns)
		return false;
	atomic_fetch_add(&e->turns, 1);
	return true;
}

uint64_t
wanted_turns(const struct wanted *w, struct wanted_key key)
{
	const struct wish *e = find(w, key);

	return e != NULL ? atomic_load(&e->turns) : 0;
}

void
wanted_clear(struct wanted *w, struct wanted_key key, uint64_t since_ns)
{
	struct wish *e = find(w, key);

	if (e != NULL && atomic_load(&e->since_ns) <= since_ns)
		atomic_store(&e->until_ns, 0);
}
