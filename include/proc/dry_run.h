/*
 * proc/dry_run.h - `-t`: try what a configuration asks of the system, and leave
 * no trace of it.
 *
 * Tried are: the user, the numbers of descriptors, processes and directories,
 * shared memory, the engine, and whether logs, pid file, the paths of UNIX sockets
 * and, as the user, the output directories could be written or made.  Not tried,
 * since it would be seen: binding an address, opening a FIFO, writing to a disk.
 */
#ifndef PROC_DRY_RUN_H
#define PROC_DRY_RUN_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

/* All of it; on stderr, a line for each thing that cannot be had, and for each
 * warning that a start would give.  True: all can be had. */
NODISCARD bool dry_run(const struct config *conf);

#endif
