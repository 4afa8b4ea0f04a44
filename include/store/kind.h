/*
 * store/kind.h - a kind of store: what it can do before there is a store.
 *
 *	start, reload --preflight--> can the location be used?    in a child
 *	-t            --look-------> could it be?                 and nothing is made
 *	worker        --open-------> struct store (store/store.h)
 *
 * Each kind has one `struct store_kind`.  proc/kinds.c is the only file outside of the
 * kind's own folder that knows its name.
 */
#ifndef STORE_KIND_H
#define STORE_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "store/store.h"

struct device_set;
struct engine;
struct ev_loop;
struct shared;
struct store_policy;

/* What a worker gives to a store that it opens.  All that the fields point to outlives
 * the store. */
struct store_setup {
	const struct store_policy *policy; /* what the configuration says */
	struct ev_loop *loop;
	struct engine *engine;
	struct device_set *devices;
	const struct shared *shared; /* the tables that all workers share */
	unsigned slot;		     /* this worker's number in them */
	size_t chunk_size;	     /* bytes in each chunk of the worker */
	/*
	 * Called once, when the store has opened itself for the first time, or
	 * has found that it cannot for now; perhaps from within open().  If
	 * opening hangs it is never called.
	 */
	void (*on_settled)(void *owner);
	void *owner;
};

enum store_fitness {
	STORE_FIT,    /* uploads can be stored there */
	STORE_UNWELL, /* not now, but later perhaps with the same
			 configuration: its disk is full, or not mounted */
	STORE_UNFIT,  /* not with this configuration */
};

/* The result of a preflight, or of a look. */
struct store_check {
	enum store_fitness fitness;
	/*
	 * FIT: a text for the line that is logged at the start.  UNWELL: the
	 * reason.  UNFIT: the step that failed.  The caller ends it (str_fini()).
	 */
	struct str text;
	int err;	 /* UNFIT: the negative errno of that step */
	bool is_missing; /* UNFIT: there is nothing at output_dir, and this user
			    may not make it */
	bool is_full; /* UNWELL: there is no room: uploads get 507, not 503 */
	/* FIT, with `sync on`: why the store cannot make data durable, in words
	 * that follow the name of its directory; then receipts say `worth`.
	 * NULL: it can. */
	const char *doubt;
	enum durability worth;
};

struct store_kind {
	const char *name;

	/* How many descriptors such a store keeps open in each worker. */
	size_t (*descriptors)(const struct store_policy *policy);

	/*
	 * Make what is missing, and try to store something; may block for ever.
	 * `shared` tells what workers of this server had open before (NULL: there
	 * were none).  Nothing is changed there that would stay, since the
	 * configuration may still be refused.  *ret is zeroed by the caller.
	 */
	void (*preflight)(const struct store_policy *policy,
	    const struct shared *shared, struct store_check *ret);

	/* For -t: the same, as far as it can be found out without making anything.
	 * Sets FIT and nothing else, or UNFIT. */
	void (*look)(
	    const struct store_policy *policy, struct store_check *ret);

	/* A new store, which begins to open itself; NULL when out of memory.  The
	 * caller owns it until store_free(). */
	struct store *(*open)(const struct store_setup *setup);
};

#endif
