#include "shared/ticket_keys.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"

enum {
	HOURS = 2, /* whose keys there are: the present, and the last one */
	WORDS = sizeof(struct ticket_key) / sizeof(uint64_t),
};

_Static_assert(sizeof(struct ticket_key) == WORDS * sizeof(uint64_t),
    "a key is whole words");

/*
 * `hour` is 0 while the words are being written; who reads them looks at it before and
 * after, so that a key is never half of one and half of another.
 */
struct entry {
	_Atomic uint64_t hour;
	_Atomic uint32_t owner; /* slot number + 1 of who writes; 0: none */
	_Atomic uint64_t words[WORDS];
};

struct ticket_keys {
	struct entry entries[HOURS];
};

size_t
ticket_keys_size(void)
{
	return sizeof(struct ticket_keys) + 64; /* what aligning takes */
}

struct ticket_keys *
ticket_keys_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct ticket_keys));
}

/* From 1 on: a fresh table has hour 0. */
static uint64_t
ticket_keys_hour(uint64_t now_ns)
{
	return now_ns / (TICKET_KEYS_PERIOD_S * NS_PER_S) + 1;
}

static struct entry *
ticket_keys_entry(const struct ticket_keys *t, uint64_t hour)
{
	const struct entry *e = &t->entries[hour % HOURS];

	return (struct entry *)(uintptr_t)e;
}

/* A plain memset() would be left out, since nobody looks at them any more. */
static void
wipe(uint64_t words[WORDS])
{
	volatile uint64_t *w = words;

	for (size_t i = 0; i < WORDS; i++)
		w[i] = 0;
}

/* The key of that hour; false: there is none. */
static bool
ticket_keys_read(
    const struct ticket_keys *t, uint64_t hour, struct ticket_key *ret)
{
	struct entry *e = ticket_keys_entry(t, hour);
	uint64_t words[WORDS];
	bool whole;

	if (atomic_load(&e->hour) != hour)
		return false;
	for (size_t i = 0; i < WORDS; i++)
		words[i] = atomic_load(&e->words[i]);
	whole = atomic_load(&e->hour) == hour;
	if (whole)
		memcpy(ret, words, sizeof(words));
	wipe(words);
	return whole;
}

/* Make the key of that hour, in place of an older one, unless another worker does. */
static void
ticket_keys_make(struct ticket_keys *t, unsigned owner, uint64_t hour)
{
	struct entry *e = ticket_keys_entry(t, hour);
	uint64_t words[WORDS];
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong(&e->owner, &none, owner + 1))
		return;
	/* One that was late, by an hour, must not replace what is newer. */
	if (atomic_load(&e->hour) < hour) {
		fd_random(words, sizeof(words));
		atomic_store(&e->hour, 0);
		for (size_t i = 0; i < WORDS; i++)
			atomic_store(&e->words[i], words[i]);
		wipe(words);
		atomic_store(&e->hour, hour);
	}
	atomic_store(&e->owner, 0);
}

bool
ticket_keys_current(struct ticket_keys *t, unsigned owner, uint64_t now_ns,
    struct ticket_key *ret)
{
	uint64_t hour = ticket_keys_hour(now_ns);

	if (ticket_keys_read(t, hour, ret))
		return true;
	ticket_keys_make(t, owner, hour);
	return ticket_keys_read(t, hour, ret);
}

enum ticket_keys_found
ticket_keys_find(const struct ticket_keys *t,
    const unsigned char name[TICKET_KEY_NAME], uint64_t now_ns,
    struct ticket_key *ret)
{
	uint64_t hour = ticket_keys_hour(now_ns);

	if (ticket_keys_read(t, hour, ret) &&
	    memcmp(ret->name, name, TICKET_KEY_NAME) == 0)
		return TICKET_KEYS_CURRENT;
	if (ticket_keys_read(t, hour - 1, ret) &&
	    memcmp(ret->name, name, TICKET_KEY_NAME) == 0)
		return TICKET_KEYS_PREVIOUS;
	return TICKET_KEYS_NONE;
}

void
ticket_keys_forget(struct ticket_keys *t, unsigned owner)
{
	for (size_t i = 0; i < HOURS; i++)
		if (atomic_load(&t->entries[i].owner) == owner + 1)
			atomic_store(&t->entries[i].owner, 0);
}
