/*
 * proc/master.h - the process that owns the sockets and the workers.
 *
 * It reads the configuration, binds sockets, forks workers, replaces those that die,
 * reloads, and stops.  It never serves a client and never opens an output directory,
 * so neither a client nor a disk can hang it.
 */
#ifndef PROC_MASTER_H
#define PROC_MASTER_H

#include "base/check.h"
#include "config/config.h"

/*
 * master_run(conf):
 * Start the server, and return when it has stopped: the exit status of the program.
 * Reloads replace *conf, which stays the caller's to free.
 */
NODISCARD int master_run(struct config **conf);

#endif
