/*
 * base/failure.h - why something failed: what it comes to for the request, and
 * the errno behind it, for the log.
 *
 * A failure is passed by value.  The side that knows makes it; those that it passes
 * on its way change nothing of it.
 */
#ifndef BASE_FAILURE_H
#define BASE_FAILURE_H

#include <stdbool.h>

#include "base/outcome.h"

struct failure {
	enum outcome outcome; /* OUTCOME_NONE: nothing has failed */
	int err;	      /* a negative errno, or 0: none is behind it */
};

static inline struct failure
failure_of(enum outcome outcome, int err)
{
	return (struct failure){.outcome = outcome, .err = err};
}

static inline struct failure
failure_none(void)
{
	return (struct failure){.outcome = OUTCOME_NONE};
}

/*
 * failure_of_errno(err):
 * What a negative errno comes to that a disk, or this system, has said.  This is the
 * one place where errnos become outcomes.  What it does not know is the disk's doing,
 * errnos of connections as well: FUSE and NFS may say any.
 */
struct failure failure_of_errno(int err);

static inline bool
failure_is(struct failure f)
{
	return f.outcome != OUTCOME_NONE;
}

#endif
