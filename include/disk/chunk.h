/*
 * disk/chunk.h - the memory that bodies pass through.
 *
 *	pool -> reader (filling) -> queue -> writer -> operation -> pool
 *
 * All chunks of a worker have one size, are page-aligned, and are handed out
 * last-used-first, so that they stay in cache; those that were free for some
 * seconds go back to the system.  These rules keep one upload, or one disk,
 * from taking what others need:
 *
 *  - the pool never holds more than its budget;
 *  - each claim gets one chunk before any claim gets a second;
 *  - claims that hold none are served in the order in which they began to wait.
 *    A claim that waits for a further chunk, and has given back all that it had
 *    meanwhile, joins them with the time that it has waited: so each claim gets
 *    its turn, however many new ones there are;
 *  - each chunk is charged to the device that it is bound for: a device has at
 *    most half of the budget while another one waits; and where there are
 *    several, none ever has more than four times what is still free, and one
 *    chunk is kept back for each device that has none, so that its first upload
 *    finds one even when all other devices are stuck for good.
 */
#ifndef DISK_CHUNK_H
#define DISK_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"

struct ev_loop;
struct chunk_pool;
struct chunk_claim;

struct chunk {
	unsigned char *data;   /* chunk_size() bytes */
	size_t len;	       /* of them filled */
	size_t taken;	       /* of those gone on their way (sockets) */
	uint64_t offset;       /* of them in the file that they go to */
	struct list_node node; /* for its owner */

	/* the pool's */
	struct chunk_pool *pool;
	struct chunk_account *account;
	struct chunk_claim *claim; /* NULL: the taker is gone */
	unsigned shares;	   /* how many beside its owner read it */
	bool given;		   /* by its owner; they have it still */
	unsigned canary;
};

/* What one device has of the pool. */
struct chunk_account {
	struct list_node node;
	size_t held;
	size_t waiting;	      /* claims that wait */
	size_t waiting_first; /* of them, those that hold none */
};

/* What one upload has of the pool, and its place among the claims that wait. */
struct chunk_claim {
	struct chunk_account *account;
	void (*on_grant)(struct chunk_claim *claim, struct chunk *c);
	struct list_node node; /* linked while it waits */
	unsigned held;	       /* chunks */
	bool waits_first;
	uint64_t since; /* ordinal of its wait: smaller is longer */
};

/* A pool of chunks of `size` bytes, `budget` bytes at most; NULL: memory. */
NODISCARD struct chunk_pool *chunk_pool_new(
    struct ev_loop *loop, size_t size, size_t budget);

/* Free it and all free chunks; chunks still out are a bug. */
void chunk_pool_free(struct chunk_pool **pp);

/* Bytes in one chunk. */
size_t chunk_size(const struct chunk_pool *p);

/* A claim waits for a chunk. */
bool chunk_pool_is_short(const struct chunk_pool *p);

/* For tests: chunks handed out now. */
size_t chunk_pool_held(const struct chunk_pool *p);

/* Let a device take part; it must stay until chunk_account_remove(). */
void chunk_account_add(struct chunk_pool *p, struct chunk_account *a);
void chunk_account_remove(struct chunk_pool *p, struct chunk_account *a);

/*
 * chunk_take(p, claim):
 * An empty chunk, which the caller owns; or NULL, and then the claim waits
 * and claim->on_grant() brings one later, from the loop.  Taking while the
 * claim waits is a bug.
 */
NODISCARD struct chunk *chunk_take(
    struct chunk_pool *p, struct chunk_claim *claim);

/* Wait no longer; nothing when the claim does not wait. */
void chunk_stop_waiting(struct chunk_pool *p, struct chunk_claim *claim);

/* Its owner has done with it: back to its pool, at once or when those with whom
 * it is shared have done, too. */
void chunk_give(struct chunk *c);

/* The claim of a chunk that is in an operation ends before the operation; also
 * of one that is only shared still. */
void chunk_disown(struct chunk *c);

/*
 * chunk_share(c):
 * Another one than its owner reads it, until chunk_unshare().  It stays charged
 * to its device until then, or until its owner has given it back and its claim
 * has ended: the device may be gone after that.
 */
void chunk_share(struct chunk *c);
void chunk_unshare(struct chunk *c);

#endif
