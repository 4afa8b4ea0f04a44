/* What spool.c, spool_in.c and spool_out.c share; nobody else includes it. */
#ifndef STORE_SPOOL_INTERNAL_H
#define STORE_SPOOL_INTERNAL_H

#include <ev.h>
#include <stdatomic.h>

#include "disk/device.h"
#include "disk/engine.h"
#include "store/newest.h"
#include "store/publish.h"
#include "store/spool.h"

enum {
	SPOOL_SYNCED_DIRS = 256,
};

struct spool {
	struct store base;
	struct spool_setup to;
	int root; /* the output directory; -1: not open */
	struct publish publish;
	struct device *device;	/* whose st_dev this is; NULL: not open */
	struct device *unknown; /* while it is not */
	struct newest *newest;
	int said; /* the last error logged about opening */

	/* Directories (inodes) whose way down from the root is on stable
	 * storage; engine threads look and store. */
	_Atomic uint64_t synced_dirs[SPOOL_SYNCED_DIRS];

	struct op open_op;
	ev_timer retry;
	struct op scan_op;
	struct newest_entry scanned;
	/* what the opening job found, for the loop to take over */
	struct stat found_stat;
	enum device_kind found_kind;
	unsigned swept;
};

static inline struct spool *
spool_of(struct store *s)
{
	return container_of(s, struct spool, base);
}

static inline bool
spool_syncs(const struct spool *sp)
{
	return sp->to.sync && sp->device->kind != DEVICE_MEMORY;
}

/* spool_in.c */
int spool_in_create(struct store *s, const struct store_wish *wish, void *owner,
    void (*done)(void *owner, int err), struct incoming **ret);
void spool_in_commit(struct incoming *in);
void spool_in_abort(struct incoming *in);

/* spool_out.c */
int spool_out_open(struct store *s, const char *name, void *owner,
    void (*done)(void *owner, int err), struct outgoing **ret);
void spool_out_close(struct outgoing *out);

#endif
