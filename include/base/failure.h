/*
 * base/failure.h - why a request fails: the outcome, and the errno behind it, which
 * is for the log.
 *
 * A failure is passed by value (8 bytes).  The module that detects it makes it, since
 * only that module knows what an errno means there; all others pass it on unchanged.
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
 * The failure for a negative errno from a file system or from this process.  No other
 * function turns errnos into outcomes.  Any value that it does not know is DISK_ERROR,
 * also errnos of connections (FUSE and NFS may return them).
 */
struct failure failure_of_errno(int err);

static inline bool
failure_is(struct failure f)
{
	return f.outcome != OUTCOME_NONE;
}

#endif
