/*
 * disk/chunk.h - what bodies pass through: memory, or a pipe.
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
 *
 * A chunk may have a pipe instead of memory: its bytes are pages of the kernel's, and
 * are moved, not copied (base/pipe.h).  It counts as the chunks that would hold as
 * many bytes.  There are few, they are taken when there are bytes for them, and nobody
 * waits for one: with none to be had, memory is used.
 */
#ifndef DISK_CHUNK_H
#define DISK_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/pipe.h"

struct ev_loop;
struct chunk_pool;
struct chunk_claim;

enum {
	/* The most that one with a pipe holds. */
	CHUNK_PIPE_BYTES = 1024 * 1024,
	CHUNK_PIPES_MAX = 4, /* of a pool; each has two descriptors */
};

struct chunk {
	unsigned char *data; /* chunk_size() bytes; NULL: it has a pipe */
	size_t len;	     /* bytes filled */
	size_t taken;	     /* of these, bytes that a socket has taken, or that
				have left the pipe */
	uint64_t offset;     /* where they go in a file */
	struct list_node node; /* for its owner */

	/* the pool's */
	struct chunk_pool *pool;
	struct chunk_account *account;
	struct chunk_claim *claim; /* NULL: the taker is gone */
	struct pipe pipe;	   /* used if `data` is NULL */
	unsigned weight;	   /* chunks that it counts as */
	unsigned shares;	   /* chunk_share() calls not undone yet */
	bool given;		   /* its owner has given it back */
	unsigned canary;
};

/* How much of the pool one device has. */
struct chunk_account {
	struct list_node node;
	size_t held;	      /* chunks */
	size_t waiting;	      /* claims that wait */
	size_t waiting_first; /* of these, claims that hold no chunk */
};

/* How much of the pool one reader has, and its place among the claims that wait. */
struct chunk_claim {
	struct chunk_account *account;
	/* The claim has waited, and gets `c`, which is the callee's. */
	void (*on_grant)(struct chunk_claim *claim, struct chunk *c);
	struct list_node node; /* linked while it waits */
	unsigned held;	       /* chunks */
	bool waits_first;
	uint64_t since; /* ordinal of its wait: smaller is longer */
};

/* A pool of chunks of `size` bytes each, of at most `budget` bytes in all; NULL when out of
 * memory.  The caller owns it until chunk_pool_free(). */
NODISCARD struct chunk_pool *chunk_pool_new(
    struct ev_loop *loop, size_t size, size_t budget);

/* Free it and its chunks, all of which must have been given back. */
void chunk_pool_free(struct chunk_pool **pp);

/* Bytes in one chunk. */
size_t chunk_size(const struct chunk_pool *p);

/* True while any claim waits for a chunk. */
bool chunk_pool_is_short(const struct chunk_pool *p);

/* For tests: how many chunks are handed out. */
size_t chunk_pool_held(const struct chunk_pool *p);

/* Add the account of a device, which must stay until chunk_account_remove(). */
void chunk_account_add(struct chunk_pool *p, struct chunk_account *a);
void chunk_account_remove(struct chunk_pool *p, struct chunk_account *a);

/*
 * chunk_take(p, claim):
 * An empty chunk, which the caller owns.  Or NULL: then the claim waits, and
 * claim->on_grant() brings a chunk later, from the loop.  A claim that waits must not take
 * one.
 */
NODISCARD struct chunk *chunk_take(
    struct chunk_pool *p, struct chunk_claim *claim);

/*
 * chunk_take_spare(p, claim):
 * Another chunk for a claim that has one already and does not wait, if it is to spare:
 * no claim waits, and a quarter of the budget stays free.  Else NULL, and the claim does
 * not wait for one.
 */
NODISCARD struct chunk *chunk_take_spare(
    struct chunk_pool *p, struct chunk_claim *claim);

/*
 * chunk_take_pipe(p, claim):
 * An empty chunk with a pipe, under the same conditions, also for a claim that has none
 * yet.  NULL: there is none, or this system has no such pipes.
 *
 * What its owner moves out of it is to be counted in `taken`: a pipe in which bytes are
 * left when the chunk is given back is closed, so that they cannot get into another
 * upload.
 */
NODISCARD struct chunk *chunk_take_pipe(
    struct chunk_pool *p, struct chunk_claim *claim);

/* It has a pipe. */
static inline bool
chunk_is_pipe(const struct chunk *c)
{
	return c->data == NULL;
}

/* Stop waiting; does nothing when the claim does not wait. */
void chunk_stop_waiting(struct chunk_pool *p, struct chunk_claim *claim);

/* Its owner gives it back: it returns to the pool, at once or when it is no longer
 * shared. */
void chunk_give(struct chunk *c);

/* For a chunk that an operation, or a reader that shares it, has after its claim has
 * ended: the claim does not hold it any more. */
void chunk_disown(struct chunk *c);

/*
 * chunk_share(c):
 * Let something beside its owner read the chunk, until chunk_unshare().  It stays charged
 * to its device until then, or until its owner has given it back and its claim has ended
 * (after which the device may be freed).
 */
void chunk_share(struct chunk *c);
void chunk_unshare(struct chunk *c);

#endif
