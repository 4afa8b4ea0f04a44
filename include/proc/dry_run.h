/*
 * proc/dry_run.h - `-t`: could the server start with this configuration?  Nothing
 * is changed to find out.
 *
 * Asked are: the user, the numbers of descriptors, processes and directories,
 * shared memory, the engine, and whether logs, pid file, the paths of UNIX sockets
 * and, as the user, the output directories (proc/preflight.h) could be written or
 * made.  Not asked, since it would be seen: binding an address, opening a FIFO,
 * writing to a disk.
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
