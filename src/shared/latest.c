#include "shared/latest.h"

#include <stdatomic.h>
#include <string.h>

#include "base/process.h"
#include "shared/registry.h"

enum {
	/* Records kept for directories that no worker has open, before fresh
	 * memory is touched for another one: a record has 34 KiB. */
	IDLE_MAX = 256,
	BUFFERS = 32, /* far more than are in use within the microsecond that a
			 fill takes */
};

/*
 * A buffer is free (owner 0), being filled by the process `owner`, or a record
 * (OWNER_RECORD).  Its tag holds the owner and a version that changes with each
 * fill, and `current` holds that version too: a reader that copies an entry
 * without a lock can tell afterwards whether the entry was refilled meanwhile.
 */
struct buffer {
	_Atomic uint64_t tag;
	_Atomic uint64_t ticket; /* that of the entry */
	struct latest_entry entry;
};

#define OWNER_RECORD UINT32_MAX

struct latest {
	struct registry_head head; /* the key is st_dev and inode */
	_Atomic uint64_t identity; /* of the directory that has that inode */
	_Atomic uint32_t scanned;  /* the scan is over */
	_Atomic uint32_t scanner;  /* pid of the worker that scans, or 0 */
	_Atomic uint64_t current;  /* its version, and index + 1; 0: none */
	_Atomic uint64_t tickets;  /* how many were taken */
	struct buffer buffers[BUFFERS];
};

struct latest_table {
	struct registry_ref records;
};

size_t
latest_table_size(size_t directories)
{
	return sizeof(struct latest_table) + 64 +
	       registry_size(directories, sizeof(struct latest));
}

struct latest_table *
latest_table_new(struct shm *s, size_t directories)
{
	struct latest_table *t = shm_alloc(s, sizeof(*t));

	registry_refer(&t->records,
	    registry_new(s, directories, sizeof(struct latest), IDLE_MAX));
	return t;
}

bool
latest_claim_scan(struct latest *n)
{
	uint32_t none = 0;

	return !latest_is_known(n) &&
	       atomic_compare_exchange_strong(
		   &n->scanner, &none, (uint32_t)process_id());
}

void
latest_unclaim_scan(struct latest *n)
{
	atomic_store(&n->scanner, 0);
}

bool
latest_is_known(const struct latest *n)
{
	return atomic_load(&n->scanned) != 0 || atomic_load(&n->current) != 0;
}

static uint64_t
pack(uint32_t version, uint32_t low)
{
	/* A product, because clang-tidy 14 misreads the shift. */
	return (uint64_t)version * (UINT64_C(1) << 32) + low;
}

static uint32_t
version_of(uint64_t packed)
{
	return (uint32_t)(packed >> 32);
}

static uint32_t
low_of(uint64_t packed)
{
	return (uint32_t)packed;
}

/* The buffer that a value of `current` names. */
static struct buffer *
buffer_of(struct latest *n, uint64_t current)
{
	check(low_of(current) >= 1 && low_of(current) <= BUFFERS);
	return &n->buffers[low_of(current) - 1];
}

/* Fill a free buffer.  Returns the value of `current` that makes it the
 * record. */
static uint64_t
fill_buffer(struct latest *n, const struct latest_entry *e)
{
	uint32_t me = (uint32_t)process_id();

	for (;;) {
		for (uint32_t i = 0; i < BUFFERS; i++) {
			struct buffer *b = &n->buffers[i];
			uint64_t tag = atomic_load(&b->tag);
			uint32_t version = version_of(tag) + 1;

			if (low_of(tag) != 0 ||
			    !atomic_compare_exchange_strong(
				&b->tag, &tag, pack(version, me)))
				continue;
			/* A reader that sees any of the stores below sees the
			 * tag, too. */
			atomic_thread_fence(memory_order_release);
			atomic_store(&b->ticket, e->ticket);
			b->entry = *e;
			return pack(version, i + 1);
		}
		/* All are taken by workers in the middle of a few stores: try
		 * again. */
	}
}

/* It became the record, unless it has been replaced already. */
static void
latest_settle(struct latest *n, uint64_t mine)
{
	uint64_t tag = pack(version_of(mine), (uint32_t)process_id());

	atomic_compare_exchange_strong(&buffer_of(n, mine)->tag, &tag,
	    pack(version_of(mine), OWNER_RECORD));
}

/* Free a buffer, if it still is what `current` was. */
static void
latest_give_back(struct latest *n, uint64_t current)
{
	struct buffer *b = buffer_of(n, current);
	uint64_t tag = atomic_load(&b->tag);

	while (version_of(tag) == version_of(current) && low_of(tag) != 0 &&
	       !atomic_compare_exchange_weak(
		   &b->tag, &tag, pack(version_of(tag), 0)))
		;
}

/* Copy an entry; false when it has been filled anew meanwhile. */
static bool
copy_entry(struct latest *n, uint64_t current, struct latest_entry *ret)
{
	struct buffer *b = buffer_of(n, current);

	*ret = b->entry;
	atomic_thread_fence(memory_order_acquire);
	return version_of(atomic_load(&b->tag)) == version_of(current);
}

/*
 * Another directory may have got the inode.  The first worker that sees this
 * resets the record, except for what was published meanwhile.
 */
static void
begin_anew(struct latest *n, uint64_t identity)
{
	uint64_t current = atomic_load(&n->current);
	uint64_t before = atomic_load(&n->identity);

	if (identity == 0 || before == identity ||
	    !atomic_compare_exchange_strong(&n->identity, &before, identity))
		return;
	if (before == 0) /* it was unknown so far */
		return;
	atomic_store(&n->scanned, 0);
	if (current != 0 &&
	    atomic_compare_exchange_strong(&n->current, &current, 0))
		latest_give_back(n, current);
}

struct latest *
latest_of(struct latest_table *t, unsigned slot, dev_t dev, ino_t inode,
    uint64_t identity)
{
	struct latest *n = registry_take(registry_of(&t->records), slot,
	    (struct registry_key){
		.major = (uint64_t)dev, .minor = (uint64_t)inode});

	if (n != NULL)
		begin_anew(n, identity);
	return n;
}

void
latest_leave(struct latest_table *t, unsigned slot, struct latest **np)
{
	if (*np == NULL)
		return;
	registry_give(registry_of(&t->records), slot, *np);
	*np = NULL;
}

void
latest_scanned(struct latest *n, const struct latest_entry *found)
{
	uint64_t none = 0, mine;

	if (found != NULL) {
		mine = fill_buffer(n, found);
		if (atomic_compare_exchange_strong(&n->current, &none, mine))
			latest_settle(n, mine);
		else
			latest_give_back(n, mine);
	}
	atomic_store(&n->scanned, 1);
	atomic_store(&n->scanner, 0);
}

uint64_t
latest_ticket(struct latest *n)
{
	return atomic_fetch_add(&n->tickets, 1) + 1;
}

/* Has the entry, which is `current` now, a later ticket than that? */
static bool
is_later(struct latest *n, uint64_t current, uint64_t ticket)
{
	struct buffer *b;
	uint64_t its;

	if (current == 0)
		return false;
	b = buffer_of(n, current);
	its = atomic_load(&b->ticket);
	return its > ticket &&
	       version_of(atomic_load(&b->tag)) == version_of(current);
}

bool
latest_set(struct latest *n, const struct latest_entry *fresh,
    struct latest_entry *ret_gone)
{
	uint64_t mine = fill_buffer(n, fresh);
	uint64_t before = atomic_load(&n->current);
	bool known;

	do {
		if (is_later(n, before, fresh->ticket)) {
			latest_give_back(n, mine);
			*ret_gone = *fresh;
			return true;
		}
	} while (!atomic_compare_exchange_weak(&n->current, &before, mine));
	latest_settle(n, mine);
	if (before == 0)
		return false;
	/* Only the master can have taken it away, when it cleaned up after a
	 * worker. */
	known = copy_entry(n, before, ret_gone);
	latest_give_back(n, before);
	return known;
}

bool
latest_get(struct latest *n, struct latest_entry *ret)
{
	uint64_t current;

	do {
		current = atomic_load(&n->current);
		if (current == 0)
			return false;
	} while (!copy_entry(n, current, ret));
	return true;
}

void
latest_drop(struct latest *n, uint64_t ticket, const char *name)
{
	struct latest_entry e;
	uint64_t current = atomic_load(&n->current);

	if (current == 0 || !copy_entry(n, current, &e) || e.ticket != ticket ||
	    strcmp(e.name, name) != 0)
		return;
	/* This comes first: a reader that sees the record reset must also see
	 * that it is not scanned. */
	atomic_store(&n->scanned, 0);
	if (atomic_compare_exchange_strong(&n->current, &current, 0))
		latest_give_back(n, current);
}

/*
 * Free the buffers of a process that died.  A record that is not the current
 * one was replaced by a worker that has yet to free it; if that worker is alive
 * and frees it just now, it finds the tag changed and leaves it.
 */
static void
recover(struct latest *n, uint32_t index, uint32_t pid)
{
	struct buffer *b = &n->buffers[index];
	uint64_t tag = atomic_load(&b->tag);
	uint64_t current = atomic_load(&n->current);
	bool is_current = current == pack(version_of(tag), index + 1);

	if (low_of(tag) == pid || (low_of(tag) == OWNER_RECORD && !is_current))
		atomic_compare_exchange_strong(&b->tag, &tag,
		    pack(version_of(tag), is_current ? OWNER_RECORD : 0));
}

void
latest_forget(struct latest_table *t, unsigned slot, pid_t pid)
{
	for (size_t i = 0; i < registry_count(registry_of(&t->records)); i++) {
		struct latest *n = registry_at(registry_of(&t->records), i);
		uint32_t was = (uint32_t)pid;

		if (!registry_is_used_by(n, slot))
			continue;
		atomic_compare_exchange_strong(&n->scanner, &was, 0);
		for (uint32_t k = 0; k < BUFFERS; k++)
			recover(n, k, (uint32_t)pid);
	}
	registry_forget(registry_of(&t->records), slot);
}
