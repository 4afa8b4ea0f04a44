/*
 * proc/needs.h - what a configuration needs that the system, or a master that
 * runs already, may not have: counted before anything is begun.
 *
 * What cannot be had is told in the words of the configuration, a line each, as
 * its mistakes are: "file:line:column: directive: what, the limit, what to do".
 */
#ifndef PROC_NEEDS_H
#define PROC_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "config/config.h"
#include "proc/children.h"

/* shared_init() with room for this configuration and for those that reloads
 * bring; false after logging that it cannot be had. */
NODISCARD bool needs_share(const struct config *conf, struct shared *s);

/* Raise the limit on descriptors to what `worker_connections` at once may need;
 * one warning when it is too low for that. */
void needs_raise_limit(const struct config *conf);

/*
 * needs_are_met(conf):
 * Does the limit on descriptors let the directories, listeners and logs be open,
 * and a few connections beside them?  Does that on processes let the workers have
 * threads?  Do the owners and groups of UNIX sockets exist?  False after logging
 * what is lacking.
 */
NODISCARD bool needs_are_met(const struct config *conf);

/*
 * needs_fit(conf, c):
 * Can the master that has these workers go on with `conf` without a restart?
 * False after logging why not.
 */
NODISCARD bool needs_fit(const struct config *conf, const struct children *c);

/* Warnings: what limits count in was made for fewer connections; or, until earlier
 * workers have ended, there are too many directories. */
void needs_warn(const struct config *conf, const struct children *c);

#endif
