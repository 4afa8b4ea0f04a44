/*
 * proc/master.h - the process that owns the sockets and the workers.
 *
 * It reads the configuration, binds, forks, restarts workers that die, reloads
 * and stops.  It never serves a client nor opens an output directory, so a disk
 * or a client that hangs cannot hang it.
 */
#ifndef PROC_MASTER_H
#define PROC_MASTER_H

#include "base/check.h"
#include "config/config.h"

/*
 * master_run(conf):
 * Start, and stay until told to stop; `*conf` may be replaced by reloads and
 * stays the caller's to free.  The exit status of the program.
 */
NODISCARD int master_run(struct config **conf);

#endif
