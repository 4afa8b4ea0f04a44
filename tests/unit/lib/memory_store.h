/*
 * lib/memory_store.h - a store that keeps uploads in memory, for unit tests.
 *
 *	memory_kind.open(setup) -> struct store, behind store/store.h as any other
 *
 * It needs a loop and nothing else: no engine, no device, no shared memory.  Each
 * step ends later, by a deferred call from the loop; a test says how: well, with
 * an error, or not before it says so.
 *
 *	memory_store_plan(s)->why[MEMORY_COMMIT] = failure_of_errno(-EIO);
 *	memory_store_plan(s)->held[MEMORY_WRITE] = true;
 *	... memory_store_release(s, MEMORY_WRITE);
 */
#ifndef LIB_MEMORY_STORE_H
#define LIB_MEMORY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk/chunk.h"
#include "store/kind.h"

/* Of `setup` it looks at the loop, the policy (output_dir, for messages, and
 * overwrite), chunk_size and on_settled(). */
extern const struct store_kind memory_kind;

/* What it does for its callers, in steps. */
enum memory_step {
	MEMORY_BEGIN_PUT, /* store_create(), before it returns: is never held */
	MEMORY_CREATE,
	MEMORY_WRITE, /* of all chunks that it has */
	MEMORY_COMMIT,
	MEMORY_RESUME,
	MEMORY_APPEND,
	MEMORY_SUSPEND,
	MEMORY_HASH,
	MEMORY_CONCLUDE, /* nobody is told of its end */
	MEMORY_REMOVE,
	MEMORY_SETTLE,
	MEMORY_TAKE_BACK,
	MEMORY_BEGIN_GET, /* store_open(), before it returns: is never held */
	MEMORY_OPEN,
	MEMORY_READ,
	MEMORY_STEPS
};

/* How they end, from now on; and what is said of an upload that is stored.  All
 * zero at first: well, at once, DURABLE_SYNCED. */
struct memory_plan {
	struct failure why[MEMORY_STEPS]; /* NONE: it goes well */
	unsigned spared[MEMORY_STEPS];	  /* so many go well before they fail */
	bool held[MEMORY_STEPS]; /* it does not end until it is released */
	enum durability durability;
	enum store_state state; /* as views have it */
	bool superseded;	/* a later one has replaced it at once */
	/* What is got has a descriptor.  If MEMORY_READ fails, it ends half way. */
	bool in_files;
};

struct memory_plan *memory_store_plan(struct store *s);

/* From now on it can do only this: enum store_can.  At first it can do all. */
void memory_store_limit(struct store *s, unsigned can);

/* Hold such steps no more; those that wait end, from the loop. */
void memory_store_release(struct store *s, enum memory_step step);

/* Its disk falls sick: each put that is not told yet fails with `why`, which is told
 * from within this call.  Its name never appears, unless that is
 * OUTCOME_UNKNOWN: then it does, if it is being committed. */
void memory_store_fail_all(struct store *s, struct failure why);

/* What chunks bound for the store are charged to: to be added to a pool by the test,
 * and removed before store_free(). */
struct chunk_account *memory_store_account(struct store *s);

/* An object is there, as if it had been stored; it is the newest. */
void memory_store_add(
    struct store *s, const char *name, const void *bytes, size_t len);

/* What is stored under that name, until the next call; NULL: nothing. */
const void *memory_store_find(
    struct store *s, const char *name, size_t *ret_len);

/* When the last byte came of the upload that was committed last, as its owner said. */
uint64_t memory_store_last_ns(struct store *s);

/* How many objects there are. */
size_t memory_store_count(struct store *s);

/* ---- partials ---- */

/* The one with this ID, as it is kept: with the offset of its last suspend; valid until
 * the next turn of the loop.  NULL: there is none. */
const struct partial *memory_store_partial(struct store *s, const char *id);

/* Another process has it open, or no longer. */
void memory_store_hold(struct store *s, const char *id, bool is_held);

/* While others have it its record cannot be read, or can again. */
void memory_store_hide(struct store *s, const char *id, bool is_hidden);

/* It was not resumed in time; nobody may have it open. */
void memory_store_expire(struct store *s, const char *id);

/* How many there are, of all phases. */
size_t memory_store_partials(struct store *s);

#endif
