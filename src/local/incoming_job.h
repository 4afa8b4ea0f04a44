/*
 * local/incoming_job.h - what is done for a file on its way in on an engine
 * thread: making it, giving it its name, throwing it away.
 *
 * A file has one from the beginning of a job until it can be written to, or until
 * its end; while it waits for its client it has none.  Those of a store are used
 * again.
 */
#ifndef LOCAL_INCOMING_JOB_H
#define LOCAL_INCOMING_JOB_H

#include "commit.h"
#include "reopen.h"

struct incoming_file;

struct incoming_job {
	struct op op;
	struct incoming_file *file;
	struct commit commit;
	struct reopen_follower follower;
	struct list_node spare;
};

/* Jobs that are not in use. */
struct incoming_jobs {
	struct list spare;
	unsigned count;
};

void incoming_jobs_init(struct incoming_jobs *all);
void incoming_jobs_fini(struct incoming_jobs *all);

/* A job that is in no use yet, or NULL when out of memory. */
NODISCARD struct incoming_job *incoming_job_take(
    struct incoming_jobs *all, struct incoming_file *file);

/* It is not in flight; clears the caller's pointer, which may be NULL. */
void incoming_job_give(struct incoming_jobs *all, struct incoming_job **jp);

#endif
