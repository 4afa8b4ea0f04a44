#include "shared/replacing.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"

enum {
	CLAIMS = 4096,
	GROUPS = 64, /* of locks */
	NOTES = 4,   /* in each */
	WRITERS = REPLACING_NO_WORKER + 1,
};

struct replacing {
	uint64_t seed;
	/* By a hash of the lock: until when a note holds, by clock_mono_ns(), its
	 * remainder of WRITERS replaced by the writer's slot; 0: there is none. */
	_Atomic uint64_t notes[GROUPS][NOTES];
	_Atomic uint32_t owner[CLAIMS]; /* slot number + 1; 0: free */
};

size_t
replacing_size(void)
{
	/* Some more covers the rounding of shm_alloc(). */
	return sizeof(struct replacing) + 64;
}

struct replacing *
replacing_new(struct shm *s)
{
	struct replacing *r = shm_alloc(s, sizeof(*r));

	fd_random(&r->seed, sizeof(r->seed));
	return r;
}

/* ---- claims ---- */

static uint64_t
key_of_inode(const struct replacing *r, dev_t dev, ino_t inode)
{
	return hash_mix(hash_mix(r->seed ^ (uint64_t)dev) ^ (uint64_t)inode);
}

uint64_t
replacing_key(const struct replacing *r, dev_t dev, ino_t dir, const char *name)
{
	return hash_bytes(key_of_inode(r, dev, dir), name, strlen(name));
}

replacing_claim
replacing_take(struct replacing *r, unsigned slot, uint64_t key)
{
	replacing_claim at = (replacing_claim)(key % CLAIMS);
	uint32_t none = 0;

	return atomic_compare_exchange_strong(&r->owner[at], &none, slot + 1)
		   ? at + 1
		   : 0;
}

void
replacing_give(struct replacing *r, replacing_claim *claim)
{
	if (*claim == 0)
		return;
	atomic_store(&r->owner[*claim - 1], 0);
	*claim = 0;
}

/* ---- waiters ---- */

static const _Atomic uint64_t *
notes_on(const struct replacing *r, dev_t dev, ino_t lock)
{
	return r->notes[key_of_inode(r, dev, lock) % GROUPS];
}

/* The same, to be written to. */
static _Atomic uint64_t *
notes_to_change(struct replacing *r, dev_t dev, ino_t lock)
{
	return r->notes[key_of_inode(r, dev, lock) % GROUPS];
}

static unsigned
writer_of(uint64_t note)
{
	return (unsigned)(note % WRITERS);
}

uint64_t
replacing_note(struct replacing *r, unsigned slot, dev_t dev, ino_t lock)
{
	_Atomic uint64_t *notes = notes_to_change(r, dev, lock);
	uint64_t now = clock_mono_ns();
	uint64_t note = now + REPLACING_NOTE_MS * NS_PER_MS;

	note = note - writer_of(note) + slot;
	for (size_t i = 0; i < NOTES; i++) {
		uint64_t was = atomic_load(&notes[i]);

		if (was < now &&
		    atomic_compare_exchange_strong(&notes[i], &was, note))
			return note;
	}
	/* More wait than there is room for.  One note is enough to keep others
	 * out, so it takes the place of one of them, whose writer came before and
	 * so need not be the last to wait. */
	atomic_store(&notes[note / WRITERS % NOTES], note);
	return note;
}

void
replacing_unnote(struct replacing *r, dev_t dev, ino_t lock, uint64_t note)
{
	_Atomic uint64_t *notes = notes_to_change(r, dev, lock);

	for (size_t i = 0; i < NOTES; i++) {
		uint64_t own = note;

		if (atomic_compare_exchange_strong(&notes[i], &own, 0))
			return;
	}
}

bool
replacing_is_noted(const struct replacing *r, dev_t dev, ino_t lock)
{
	const _Atomic uint64_t *notes = notes_on(r, dev, lock);

	for (size_t i = 0; i < NOTES; i++) {
		uint64_t note = atomic_load(&notes[i]);

		if (note != 0 && clock_mono_ns() < note)
			return true;
	}
	return false;
}

void
replacing_forget(struct replacing *r, unsigned slot)
{
	for (size_t i = 0; i < CLAIMS; i++) {
		uint32_t owner = slot + 1;

		(void)atomic_compare_exchange_strong(&r->owner[i], &owner, 0);
	}
	for (size_t i = 0; i < GROUPS * NOTES; i++) {
		_Atomic uint64_t *at = &r->notes[i / NOTES][i % NOTES];
		uint64_t note = atomic_load(at);

		if (note != 0 && writer_of(note) == slot)
			(void)atomic_compare_exchange_strong(at, &note, 0);
	}
}
