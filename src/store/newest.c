#include "store/newest.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum {
	RECORDS = 256,
	BUFFERS = 32, /* far more than can be in use in one microsecond */
};

/*
 * A buffer is free (owner 0), being written or read out by `owner`, or the
 * record (owner OWNER_RECORD).  `version` changes before each writing, so
 * that a reader that copies without a lock can tell that it was too slow.
 */
struct buffer {
	_Atomic uint32_t owner;
	_Atomic uint32_t version;
	struct newest_entry entry;
};

#define OWNER_RECORD UINT32_MAX
#define NO_BUFFER UINT32_MAX

struct newest {
	_Atomic uint64_t key_dev, key_inode;
	_Atomic uint32_t used;	  /* 0: free, pid: being set up, or IN_USE */
	_Atomic uint32_t scanned; /* what was there before us is known */
	_Atomic uint32_t scanner; /* who finds out, while it does */
	_Atomic uint32_t current; /* index + 1 of the record; 0: none */
	struct buffer buffers[BUFFERS];
};

#define IN_USE UINT32_MAX

struct newest_table {
	struct newest records[RECORDS];
};

size_t
newest_table_size(void)
{
	return sizeof(struct newest_table) + 64;
}

struct newest_table *
newest_table_new(struct shm *s)
{
	return shm_alloc(s, sizeof(struct newest_table));
}

struct newest *
newest_of(struct newest_table *t, dev_t dev, ino_t inode)
{
	for (size_t i = 0; i < RECORDS; i++) {
		struct newest *n = &t->records[i];
		uint32_t used = 0;

		if (atomic_compare_exchange_strong(
			&n->used, &used, (uint32_t)getpid())) {
			atomic_store(&n->key_dev, (uint64_t)dev);
			atomic_store(&n->key_inode, (uint64_t)inode);
			atomic_store(&n->used, IN_USE);
			return n;
		}
		/* Somebody is setting it up: a matter of two stores, or
		 * forever if it died there; then this one is passed over. */
		for (int spin = 0; spin < 1000 && used != IN_USE; spin++)
			used = atomic_load(&n->used);
		if (used == IN_USE &&
		    atomic_load(&n->key_dev) == (uint64_t)dev &&
		    atomic_load(&n->key_inode) == (uint64_t)inode)
			return n;
	}
	return NULL;
}

bool
newest_claim_scan(struct newest *n)
{
	uint32_t none = 0;

	return !newest_is_known(n) &&
	       atomic_compare_exchange_strong(
		   &n->scanner, &none, (uint32_t)getpid());
}

bool
newest_is_known(const struct newest *n)
{
	return atomic_load(&n->scanned) != 0 || atomic_load(&n->current) != 0;
}

/* A free buffer, now owned by us and filled. */
static uint32_t
fill_buffer(struct newest *n, const struct newest_entry *e)
{
	for (;;) {
		for (uint32_t i = 0; i < BUFFERS; i++) {
			struct buffer *b = &n->buffers[i];
			uint32_t none = 0;

			if (!atomic_compare_exchange_strong(
				&b->owner, &none, (uint32_t)getpid()))
				continue;
			atomic_fetch_add(&b->version, 1);
			b->entry = *e;
			return i;
		}
		/* All taken: the others are in the middle of a few stores. */
	}
}

void
newest_scanned(struct newest *n, const struct newest_entry *found)
{
	uint32_t none = 0, i;

	if (found != NULL) {
		i = fill_buffer(n, found);
		atomic_store(&n->buffers[i].owner, OWNER_RECORD);
		if (!atomic_compare_exchange_strong(&n->current, &none, i + 1))
			atomic_store(&n->buffers[i].owner, 0);
	}
	atomic_store(&n->scanned, 1);
	atomic_store(&n->scanner, 0);
}

bool
newest_set(struct newest *n, const struct newest_entry *fresh,
    struct newest_entry *ret_old)
{
	uint32_t i = fill_buffer(n, fresh), before;

	atomic_store(&n->buffers[i].owner, OWNER_RECORD);
	before = atomic_exchange(&n->current, i + 1);
	if (before == 0)
		return false;
	/* It is nobody's record any more, so it is ours until we free it. */
	*ret_old = n->buffers[before - 1].entry;
	atomic_store(&n->buffers[before - 1].owner, 0);
	return true;
}

bool
newest_get(struct newest *n, struct newest_entry *ret)
{
	for (;;) {
		uint32_t at = atomic_load(&n->current), version;
		struct buffer *b;

		if (at == 0)
			return false;
		b = &n->buffers[at - 1];
		version = atomic_load(&b->version);
		if (atomic_load(&n->current) != at)
			continue; /* `version` may be that of a later filling */
		*ret = b->entry;
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load(&b->version) == version &&
		    atomic_load(&n->current) == at)
			return true;
	}
}

void
newest_forget(struct newest_table *t, pid_t pid)
{
	for (size_t i = 0; i < RECORDS; i++) {
		struct newest *n = &t->records[i];
		uint32_t was = (uint32_t)pid;

		atomic_compare_exchange_strong(&n->used, &was, 0);
		was = (uint32_t)pid;
		atomic_compare_exchange_strong(&n->scanner, &was, 0);
		for (size_t k = 0; k < BUFFERS; k++) {
			was = (uint32_t)pid;
			atomic_compare_exchange_strong(
			    &n->buffers[k].owner, &was, 0);
		}
	}
}
