/*
 * proc/pidfile.h - says which process is the master, and keeps it the only
 * one.
 *
 * A master runs if the file is locked (fcntl(2)).  The number in it proves
 * nothing: it may be another process's by now.
 */
#ifndef PROC_PIDFILE_H
#define PROC_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "config/config.h"

/*
 * pidfile_take(conf, ret_fd):
 * Create, lock and write `pid_file`; *ret_fd keeps the lock.  "off": nothing, -1.
 * 0; or a negative errno after logging why, -EAGAIN when another master runs.
 */
NODISCARD int pidfile_take(const struct config *conf, int *ret_fd);

/* Could pidfile_take() do that?  False after logging why not.  A master that runs
 * with this file is no reason. */
NODISCARD bool pidfile_look(const struct config *conf);

/* Remove it, unless the name leads to another file by now, and let go of the
 * lock. */
void pidfile_drop(const char *path, int *fd);

/* The pid of the process that has it locked, 0 for none, or a negative errno. */
pid_t pidfile_owner(const char *path);

#endif
