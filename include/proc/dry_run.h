/*
 * proc/dry_run.h - `-t`: could the server start with this configuration?  It
 * changes nothing to find out.
 *
 * It checks that the user exists; that there are enough descriptors, processes and
 * shared memory; that the engine works; and that logs, pid file, paths of UNIX sockets
 * and (as that user) output directories could be made or written to
 * (proc/preflight.h).  It does not bind an address, open a FIFO or write to a disk,
 * since others would notice.
 */
#ifndef PROC_DRY_RUN_H
#define PROC_DRY_RUN_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

/* Check all of this.  Prints on stderr a line for each thing that is missing, and
 * each warning that a start would give.  True when the server could start. */
NODISCARD bool dry_run(const struct config *conf);

#endif
