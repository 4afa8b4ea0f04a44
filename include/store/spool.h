/*
 * store/spool.h - uploads kept as files below a directory: a `store`.
 *
 *	create:  parent, O_TMPFILE           one job on an engine thread
 *	write:   the chunk's operation       on the ring, or a thread
 *	commit:  sync, link, sync            one job
 *
 * The directory is opened by the engine, again and again while that fails, so
 * that a dead disk costs its own location only; until then every call says
 * STORE_NOT_READY.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "store/store.h"

struct ev_loop;
struct engine;
struct device_set;
struct newest_table;

struct spool_setup {
	struct ev_loop *loop;
	struct engine *engine;
	struct device_set *devices;
	struct newest_table *newest;
	const char *dir; /* absolute; outlives the store */
	bool overwrite;
	bool sync;
	bool keep_latest;
	bool dotfiles; /* the newest may be one */
};

/* A store that begins to open itself; NULL when out of memory. */
NODISCARD struct store *spool_new(const struct spool_setup *setup);

/*
 * spool_check(dir, overwrite, sync, report):
 * Make the directory where it is missing and try whether it can be written
 * and published into; waits for the disk.  0, and what a start-up line says
 * in `report`; or a negative errno, and in `report` which step failed.
 */
NODISCARD int spool_check(
    const char *dir, bool overwrite, bool sync, struct str *report);

#endif
