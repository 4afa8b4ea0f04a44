/*
 * local/local_store.h - the store of local files, put together from its parts.
 *
 * Each part knows those above it in this struct, and tells those below by
 * events that local.c passes on.
 */
#ifndef LOCAL_LOCAL_STORE_H
#define LOCAL_LOCAL_STORE_H

#include "file_writer.h"
#include "health.h"
#include "incoming_job.h"
#include "opener.h"
#include "partials_sweep.h"
#include "removals.h"
#include "reopen.h"
#include "scan.h"
#include "sweep.h"
#include "view.h"

struct local {
	struct store base;
	struct store_setup to;
	struct opener opener;
	struct reopen reopen;
	struct health health;
	struct view view;
	struct sweep sweep;
	struct partials_sweep partials_sweep;
	struct scan scan;
	struct removals removals;
	struct file_writers writers; /* of all its files */
	struct spare jobs;	     /* struct incoming_job, of these, too */
	struct spare gets;	     /* struct outgoing_file */
	bool is_settled;	     /* its opener was told so */
};

static inline struct local *
local_of(struct store *s)
{
	return container_of(s, struct local, base);
}

#endif
