#include "shared/shm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	ALIGN = 64,
};

#define MAGIC UINT64_C(0x6b636f74736e6570) /* "penstock" */

/* `area` need not be aligned itself. */
static struct shm *
begin(struct shm *s, size_t area)
{
	if (s == NULL)
		return NULL;
	s->used = (ALIGN - (uintptr_t)s->area % ALIGN) % ALIGN;
	s->size = area + s->used;
	return s;
}

struct shm *
shm_new(size_t area)
{
	return begin(fd_map_shared(sizeof(struct shm) + area + ALIGN), area);
}

struct shm *
shm_new_for_successor(size_t area, int *ret_fd)
{
	return begin(
	    fd_map_named(sizeof(struct shm) + area + ALIGN, ret_fd), area);
}

struct shm_stamp
shm_stamp_of(uint64_t layout, uint64_t sum)
{
	return (struct shm_stamp){.magic = MAGIC, .layout = layout, .sum = sum};
}

static bool
is_ours(const struct shm *s, size_t size, const struct shm_stamp *stamp)
{
	return size >= sizeof(s->stamp) &&
	       memcmp(&s->stamp, stamp, sizeof(*stamp)) == 0 &&
	       size >= sizeof(*s) && s->size <= size - sizeof(*s);
}

struct shm *
shm_adopt(int fd, const struct shm_stamp *stamp, bool only_look)
{
	size_t size;
	struct shm *s = fd_map_again(fd, !only_look, &size);

	if (s == NULL)
		return NULL;
	if (is_ours(s, size, stamp))
		return s;
	(void)munmap(s, size);
	errno = ESTALE;
	return NULL;
}

int
shm_master_begin(struct shm *s)
{
	for (int i = 0; i < SHM_MASTERS; i++) {
		uint32_t none = 0;

		if (atomic_compare_exchange_strong(
			&s->masters[i], &none, (uint32_t)getpid()))
			return i;
	}
	return -1;
}

static bool
is_master(const struct shm *s, uint32_t pid)
{
	for (int i = 0; i < SHM_MASTERS; i++)
		if (atomic_load(&s->masters[i]) == pid)
			return true;
	return false;
}

void
shm_master_end(struct shm *s, pid_t pid)
{
	for (int i = 0; i < SHM_MASTERS; i++) {
		uint32_t was = (uint32_t)pid;

		(void)atomic_compare_exchange_strong(&s->masters[i], &was, 0);
	}
}

/* Has the slot a worker, dead or alive, whose master cannot reap it? */
static bool
is_orphaned(const struct shm *s, const struct slot *slot)
{
	return atomic_load(&slot->pid) != 0 &&
	       !is_master(s, atomic_load(&slot->master));
}

bool
shm_has_orphans(const struct shm *s)
{
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		if (is_orphaned(s, &s->slots[i]))
			return true;
	return false;
}

unsigned
shm_next_orphan(const struct shm *s, unsigned from)
{
	for (unsigned i = from; i < SHM_SLOTS; i++) {
		pid_t pid = (pid_t)atomic_load(&s->slots[i].pid);

		if (is_orphaned(s, &s->slots[i]) && pid > 0 &&
		    kill(pid, 0) == -1 && errno == ESRCH)
			return i;
	}
	return SHM_SLOTS;
}

size_t
shm_slots_free(const struct shm *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < SHM_SLOTS; i++)
		n += atomic_load(&s->slots[i].pid) == 0;
	return n;
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
		uint32_t none = 0, me = (uint32_t)getpid();

		/* Marked with the master's pid until the child exists. */
		if (!atomic_compare_exchange_strong(
			&s->slots[i].pid, &none, me))
			continue;
		atomic_store(&s->slots[i].master, me);
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
	atomic_store(&slot->master, 0);
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
