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

#include "base/spare.h"
#include "commit.h"
#include "reopen.h"

struct incoming_file;

enum {
	INCOMING_JOBS_SPARE = 64, /* of a store */
};

struct incoming_job {
	struct op op;
	struct incoming_file *file;
	struct commit commit;
	struct reopen_follower follower;
	uint64_t small_since; /* it takes turns since, as a small upload that
				 is to be durable (disk/fair.h); 0: it does not */
};

/* A job of those in `jobs`, or NULL when out of memory. */
NODISCARD struct incoming_job *incoming_job_take(
    struct spare *jobs, struct incoming_file *file);

/* It is not in flight; clears the caller's pointer, which may be NULL. */
void incoming_job_give(struct spare *jobs, struct incoming_job **jp);

#endif
