#include "shared/shm.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	ALIGN = 64,
};

struct shm *
shm_new(size_t area)
{
	struct shm *s = fd_map_shared(sizeof(*s) + area + ALIGN);

	if (s == NULL)
		return NULL;
	s->size = area;
	/* `area` need not be aligned itself. */
	s->used = (ALIGN - (uintptr_t)s->area % ALIGN) % ALIGN;
	s->size += s->used;
	return s;
}

void *
shm_alloc(struct shm *s, size_t size)
{
	void *p = s->area + s->used;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	check(size <= s->size - s->used);
	s->used += size;
	return p;
}

struct slot *
shm_slot_take(struct shm *s)
{
	for (size_t i = 0; i < SHM_SLOTS; i++) {
		uint32_t none = 0;

		/* Marked with the master's pid until the child exists. */
		if (atomic_compare_exchange_strong(
			&s->slots[i].pid, &none, (uint32_t)getpid()))
			return &s->slots[i];
	}
	return NULL;
}

unsigned
shm_slot_number(const struct shm *s, const struct slot *slot)
{
	check(slot >= s->slots && slot < s->slots + SHM_SLOTS);
	return (unsigned)(slot - s->slots);
}

void
shm_slot_wipe(struct slot *slot)
{
	atomic_store(&slot->accepting, 0);
	atomic_store(&slot->connections, 0);
	atomic_store(&slot->traces, 0);
	atomic_store(&slot->stopping, 0);
	atomic_store(&slot->stuck_ops, 0);
	memset(slot->stuck_dir, 0, sizeof(slot->stuck_dir));
	atomic_store(&slot->pid, 0);
}

uint32_t
shm_traces(const struct shm *s)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < SHM_SLOTS; i++)
		sum += atomic_load_explicit(
		    &s->slots[i].traces, memory_order_relaxed);
	return sum;
}

uint32_t
shm_fewest_connections(const struct shm *s, const struct slot *me)
{
	uint32_t fewest = UINT32_MAX;

	for (size_t i = 0; i < SHM_SLOTS; i++) {
		const struct slot *other = &s->slots[i];
		uint32_t n;

		if (other == me || !atomic_load_explicit(
				       &other->accepting, memory_order_relaxed))
			continue;
		n = atomic_load_explicit(
		    &other->connections, memory_order_relaxed);
		if (n < fewest)
			fewest = n;
	}
	return fewest;
}
