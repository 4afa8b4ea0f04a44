/*
 * store/kind.h - what a kind of store can do before there is a store of it.
 *
 *	start, reload --preflight--> can the location be used?    in a child
 *	-t            --look-------> could it be?                 and nothing is made
 *	worker        --open-------> struct store (store/store.h)
 *
 * Each kind has one `struct store_kind`, which proc/kinds.c lists: nothing else
 * outside of the kind's own folder calls it by name.
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

/* What a worker gives a store that it opens; all that the fields point to
 * outlives the store. */
struct store_setup {
	const struct store_policy *policy; /* what the configuration says */
	struct ev_loop *loop;
	struct engine *engine;
	struct device_set *devices;
	const struct shared *shared; /* what all workers know */
	unsigned slot;		     /* of this worker, in the tables there */
	size_t chunk_size;	     /* bytes in each chunk of the worker */
	/*
	 * The store has opened itself for the first time, or has found that it
	 * cannot for now.  Once; perhaps from within open(), and never when
	 * opening takes for ever.
	 */
	void (*on_settled)(void *owner);
	void *owner;
};

enum store_fitness {
	STORE_FIT,    /* uploads can be stored there */
	STORE_UNWELL, /* not now; that may end without a change of the
			 configuration: its disk is full or not mounted, say */
	STORE_UNFIT,  /* not with this configuration */
};

/* The result of a preflight, or of a look. */
struct store_check {
	enum store_fitness fitness;
	/*
	 * FIT: what the line of the start says of it.  UNWELL: why.  UNFIT: the
	 * step that failed.  The caller's to str_fini().
	 */
	struct str text;
	int err;	 /* UNFIT: of that step, a negative errno */
	bool is_missing; /* UNFIT: there is nothing at output_dir, and this user
			    may not make it */
	bool is_full;	 /* no room for an upload now: they get 507, not 503 */
	/* FIT, with `sync on`: why the store cannot keep that promise, words
	 * that follow the name of its directory; NULL: it can.  Receipts then
	 * say `worth`. */
	const char *doubt;
	enum durability worth;
};

struct store_kind {
	const char *name;

	/* Descriptors that a store of it keeps open in each worker. */
	size_t (*descriptors)(const struct store_policy *policy);

	/*
	 * Make what is missing, and try to store something; may wait for the
	 * disk for ever.  `shared`: what was open before, by this server's
	 * workers; NULL: there was none.  Nothing there is changed: what was
	 * only tried may yet be refused.  *ret is zeroed.
	 */
	void (*preflight)(const struct store_policy *policy,
	    const struct shared *shared, struct store_check *ret);

	/* The same as far as it can be told without making anything: FIT, and
	 * nothing else is set; or UNFIT.  For -t. */
	void (*look)(
	    const struct store_policy *policy, struct store_check *ret);

	/* A store that begins to open itself; NULL when out of memory. */
	struct store *(*open)(const struct store_setup *setup);
};

#endif
