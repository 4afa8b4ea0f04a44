/*
 * web/outcome.h - what the errors of a body, a reader and a store come to.
 */
#ifndef WEB_OUTCOME_H
#define WEB_OUTCOME_H

#include "base/outcome.h"

/* Of a body or a reader: the one place where an errno becomes an answer. */
enum outcome outcome_of_error(int err);

/* The same for a store: EPIPE, ECONNRESET and ETIMEDOUT are its disk's there, not
 * its client's (FUSE and NFS may say any errno). */
enum outcome outcome_of_store_error(int err);

#endif
