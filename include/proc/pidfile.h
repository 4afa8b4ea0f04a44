/*
 * proc/pidfile.h - says which process is the master, and keeps it the only
 * one.
 *
 * Whether it runs is told by the lock on the file (fcntl(2)), never by the
 * number in it: a number may belong to somebody else by now.
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
 * 0; or a negative errno after logging why, -EAGAIN when another one runs.
 */
NODISCARD int pidfile_take(const struct config *conf, int *ret_fd);

/* Could it be?  False after logging why not; one that runs with it already is no
 * reason. */
NODISCARD bool pidfile_look(const struct config *conf);

/* Remove it, unless the name leads to another file by now, and let go of the
 * lock. */
void pidfile_drop(const char *path, int *fd);

/* Who holds it: a pid, 0 when nobody does, or a negative errno. */
pid_t pidfile_owner(const char *path);

#endif
