/*
 * proc/needs.h - does the system have what a configuration needs: descriptors,
 * threads, shared memory?  And can a master that runs already apply it?  Checked
 * before a start or a reload changes anything.
 *
 * What is missing is logged like a mistake in the configuration, a line each:
 * "file:line:column: directive: what is needed, the limit, what to do".
 */
#ifndef PROC_NEEDS_H
#define PROC_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "config/config.h"
#include "proc/children.h"

/* Make the shared memory of all workers (shared_init()), with room for this
 * configuration and for those that reloads may bring.  False after logging that there is
 * not enough memory. */
NODISCARD bool needs_share(const struct config *conf, struct shared *s);

/* Raise this process's limit on descriptors (RLIMIT_NOFILE) to what
 * `worker_connections` need.  Logs one warning if it stays too low. */
void needs_raise_limit(const struct config *conf);

/*
 * needs_are_met(conf):
 * Are there descriptors enough for all directories, listeners and logs, and a few
 * connections?  Processes enough (RLIMIT_NPROC) for the threads of all workers?  Do
 * the owners and groups of UNIX sockets exist?  False after logging what is missing.
 */
NODISCARD bool needs_are_met(const struct config *conf);

/*
 * needs_fit(what, conf, c):
 * Can the master whose workers are `c` apply `conf` without a restart?  False after
 * logging why not, behind `what` ("reload: ").
 */
NODISCARD bool needs_fit(
    const char *what, const struct config *conf, const struct children *c);

/* Log warnings: the tables in shared memory were made for fewer connections; or there
 * are too many directories until the workers of earlier generations have ended. */
void needs_warn(const struct config *conf, const struct children *c);

#endif
