#include "shared/user_names.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/hash.h"

enum {
	PLACES = 4 * USER_NAMES, /* in which names are found by hash */
	PROBES = 16,
	WEIGHTS = 1024,
};

enum place_state {
	PLACE_FREE,
	PLACE_BEING_MADE,
	PLACE_MADE,
};

struct place {
	_Atomic uint32_t state;	 /* enum place_state */
	_Atomic uint32_t number; /* of the user */
	char name[USER_NAME_MAX];
};

struct user_names {
	uint32_t layout;	/* USER_NAMES_LAYOUT */
	_Atomic uint32_t count; /* numbers that are given */
	struct place places[PLACES];
	_Atomic uint32_t place_of[USER_NAMES]; /* and 1; by number */
	/* What those without a number have brought; some have one together. */
	_Atomic uint64_t weights[WEIGHTS];
};

size_t
user_names_size(void)
{
	return sizeof(struct user_names) + 64; /* rounding of shm_alloc() */
}

struct user_names *
user_names_new(struct shm *s)
{
	struct user_names *u = shm_alloc(s, sizeof(*u));

	u->layout = USER_NAMES_LAYOUT;
	return u;
}

/* Does who has brought so much get a number? */
static bool
is_worth_one(struct user_names *u, uint64_t hash, uint64_t bytes)
{
	uint32_t count = atomic_load(&u->count);
	_Atomic uint64_t *weight = &u->weights[(hash >> 32) % WEIGHTS];

	if (count >= USER_NAMES)
		return false;
	if (count < USER_NAMES / 2)
		return true;
	return atomic_fetch_add(weight, bytes) + bytes >= USER_NAMES_MUCH;
}

/* Take the next number for this name, which has the place for itself. */
static unsigned
give_number(struct user_names *u, struct place *p, const char *name, size_t len)
{
	uint32_t number = atomic_fetch_add(&u->count, 1);

	if (number >= USER_NAMES) {
		atomic_store(&u->count, USER_NAMES);
		number = USER_NAMES_OTHER;
	}
	memcpy(p->name, name, len + 1);
	atomic_store(&p->number, number);
	if (number < USER_NAMES)
		atomic_store(
		    &u->place_of[number], (uint32_t)(p - u->places) + 1);
	atomic_store(&p->state, PLACE_MADE);
	return number;
}

unsigned
user_names_take(struct user_names *u, const char *name, uint64_t bytes)
{
	size_t len = strnlen(name, USER_NAME_MAX);
	uint64_t hash = hash_bytes(0, name, len);

	/* All of those without a number are called so. */
	if (len == USER_NAME_MAX || len == 0 || strcmp(name, "other") == 0)
		return USER_NAMES_OTHER;
	for (unsigned i = 0; i < PROBES; i++) {
		struct place *p = &u->places[(hash + i) % PLACES];
		uint32_t state = atomic_load(&p->state);

		if (state == PLACE_MADE && strcmp(p->name, name) == 0)
			return atomic_load(&p->number);
		if (state == PLACE_MADE)
			continue;
		/* While another worker makes it, perhaps for the same user, this
		 * one goes without: nobody has two. */
		if (state == PLACE_FREE && is_worth_one(u, hash, bytes) &&
		    atomic_compare_exchange_strong(
			&p->state, &state, PLACE_BEING_MADE))
			return give_number(u, p, name, len);
		return USER_NAMES_OTHER;
	}
	return USER_NAMES_OTHER;
}

const char *
user_names_of(const struct user_names *u, unsigned number)
{
	uint32_t place =
	    number < USER_NAMES ? atomic_load(&u->place_of[number]) : 0;

	return place > 0 ? u->places[place - 1].name : NULL;
}
