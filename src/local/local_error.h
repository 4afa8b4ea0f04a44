/*
 * local/local_error.h - errors of local files, and what each is for a request.
 *
 *	job --int--> incoming, outgoing --struct failure--> the store's user
 *
 * Jobs on engine threads return a negative errno or an enum local_error.  Where the
 * store tells its user, these functions make a failure of it: what an errno means
 * depends on what was done.
 */
#ifndef LOCAL_LOCAL_ERROR_H
#define LOCAL_LOCAL_ERROR_H

#include "base/failure.h"

/* What no errno says.  The values are those of no errno. */
enum local_error {
	LOCAL_NOT_READY = -20001,	/* not open (yet) */
	LOCAL_OUTCOME_UNKNOWN = -20002, /* the name may be there, not synced */
	LOCAL_SYNC_FAILED = -20003,	/* the data is lost, and has no name */
	LOCAL_REFUSED = -20004,		/* its preconditions do not hold */
	LOCAL_NONE = -20005,		/* nothing was uploaded yet */
	LOCAL_LOOKING = -20006,		/* the newest is being looked for */
	LOCAL_UNHEALTHY = -20007, /* its disk does not answer, or has failed */
	LOCAL_VANISHED = -20008,  /* the directory is gone, or another one */
	LOCAL_UNMOUNTED = -20011, /* what is there is not on the disk it was */
	LOCAL_NO_ROOM = -20012,	  /* beside min_free and what others need */
	LOCAL_CROWDED = -20013,	  /* others have all records of directories */
	LOCAL_APART = -20014,	  /* no file can be moved to that directory */
	LOCAL_BAD_NAME = -20015,  /* the file system cannot take the name */
	LOCAL_HELD_UP = -20016,	  /* a worker died with a lock of all workers */
	LOCAL_NO_UPLOAD = -20017, /* there is no such partial */
	LOCAL_HELD = -20018,	  /* another one has it open */
	LOCAL_GARBLED = -20019,	  /* what is kept of it is not to be believed */
	LOCAL_TOO_MANY = -20020,  /* as many partials wait as may */
};

/* A file on its way in failed with `err`; `cause` is the errno behind that, above 0,
 * or 0 when there is no other. */
struct failure local_error_in_put(int err, int cause);

/* A file could not be opened for reading. */
struct failure local_error_in_get(int err);

/* A file that is open could not be read. */
struct failure local_error_in_read(int err);

#endif
