/*
 * upload/outcome.h - what the errors of a store come to.
 */
#ifndef UPLOAD_OUTCOME_H
#define UPLOAD_OUTCOME_H

#include "base/failure.h"

/* Of a file on its way in; `cause` is the errno behind `err`, above 0, or 0. */
struct failure outcome_of_put(int err, int cause);

/* Of one on its way out, which cannot be opened. */
struct failure outcome_of_get(int err);

#endif
