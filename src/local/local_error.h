/*
 * local/local_error.h - what an error of local files comes to, for the request.
 *
 * Jobs return ints: a negative errno, or an enum store_error.  They become failures
 * here, where the store tells its owners, and what an errno means depends on what was
 * done.
 */
#ifndef LOCAL_LOCAL_ERROR_H
#define LOCAL_LOCAL_ERROR_H

#include "base/failure.h"

/* Of a file on its way in; `cause` is the errno behind `err`, above 0, or 0. */
struct failure local_error_in_put(int err, int cause);

/* Of opening a file that is to be read. */
struct failure local_error_in_get(int err);

/* Of reading it. */
struct failure local_error_in_read(int err);

#endif
