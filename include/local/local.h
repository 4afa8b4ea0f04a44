/*
 * local/local.h - uploads kept as files below a directory: a `store`.
 *
 *	create:  parent, O_TMPFILE, room     one job on an engine thread
 *	write:   chunks, several at once     on the ring, or a thread
 *	commit:  sync, link                  one job
 *	         sync of the directory       shared by all who wait for it
 *
 * Small ones are collected first; then create, write and commit are one job.
 *
 * The directory is opened by the engine, again and again while that fails, so
 * that a dead disk costs its own location only; until then every call says
 * STORE_NOT_READY.  When the path leads elsewhere later, it is opened again.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "disk/device.h"
#include "store/store.h"

struct ev_loop;
struct engine;
struct device_set;
struct shared;
struct store_policy;

struct local_setup {
	struct ev_loop *loop;
	struct engine *engine;
	struct device_set *devices;
	const struct shared *shared; /* what all workers know */
	unsigned slot;		     /* of this worker, in the tables there */
	size_t chunk_size;	     /* of the chunks it will be given */
	const struct store_policy *policy; /* outlives the store */
};

/* Descriptors that an open directory keeps, where files need no name of their
 * own before they are published; elsewhere it is one more. */
size_t local_fds(const struct store_policy *policy);

/* A store that begins to open itself; NULL when out of memory. */
NODISCARD struct store *local_new(const struct local_setup *setup);

/*
 * local_check(policy, shared, report, ret_sync):
 * Make the directory where it is missing, and try whether it can be written
 * and published into; waits for the disk.  `shared` may be NULL: no directory
 * was ever open.  0, what a start-up line says in `report`, and what a sync is
 * worth there; 1: the same, and there is no room for a file now;
 * or a negative errno, and in `report` which step failed; or STORE_VANISHED,
 * STORE_UNMOUNTED: it was there before and is not now, and was not made.  In
 * shared->mount_history nothing is remembered: what is only tried may yet be
 * refused.
 */
NODISCARD int local_check(const struct store_policy *policy,
    const struct shared *shared, struct str *report,
    enum device_sync *ret_sync);

/* What a 201 stands for where a sync is worth that, and `sync` is on or off. */
enum durability local_durability(enum device_sync worth, bool sync);

#endif
