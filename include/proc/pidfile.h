/*
 * proc/pidfile.h - the file that names the master process, and keeps a second
 * master from starting.
 *
 * A master runs if and only if the file is locked (fcntl(2)).  The number in it proves
 * nothing: another process may have that pid by now.
 */
#ifndef PROC_PIDFILE_H
#define PROC_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "config/config.h"

/*
 * pidfile_take(conf, ret_fd):
 * Create, lock and write `pid_file`.  0, and *ret_fd, which is the caller's, keeps the
 * lock; with `pid_file off` it is -1.  Otherwise a negative errno after logging why:
 * -EAGAIN when another master runs.
 */
NODISCARD int pidfile_take(const struct config *conf, int *ret_fd);

/* For a dry run: could pidfile_take() write there?  False after logging why not.  That
 * another master has locked it does not matter. */
NODISCARD bool pidfile_look(const struct config *conf);

/* Its name while another master is to succeed the one that has it, "PID_FILE.oldbin"; the
 * caller's to free.  NULL: out of memory. */
char *pidfile_old_path(const char *path);

/*
 * pidfile_move(from, to, fd):
 * Give the file that `fd` has locked another name; what is there is replaced.  0, also when
 * `from` is gone or another's by now; or a negative errno.
 */
NODISCARD int pidfile_move(const char *from, const char *to, int fd);

/* Remove the file, unless `path` leads to another one by now; then close *fd, which
 * ends the lock. */
void pidfile_drop(const char *path, int *fd);

/* The pid of the process that has locked the file; 0: none has; or a negative
 * errno. */
pid_t pidfile_owner(const char *path);

#endif
