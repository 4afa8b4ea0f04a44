/*
 * proc/detach.h - `daemonize on`: the server goes into the background.  The command
 * that was typed ends when the server is up, with status 0, or when the start has
 * failed, with status 1.
 */
#ifndef PROC_DETACH_H
#define PROC_DETACH_H

#include <stdbool.h>

#include "base/check.h"

/* How the start went. */
enum detach {
	DETACH_UP,
	DETACH_FAILED,
	DETACH_STOPPED, /* a signal stopped the server before it was up */
};

/*
 * detach_begin(ret_fd):
 * Fork, and return in a child that has a session of its own: 0 or a negative errno.
 * The parent never returns from here: it ends when the child calls detach_end() or
 * closes *ret_fd, which is the child's.  A negative errno in the parent: no child.
 */
NODISCARD int detach_begin(int *ret_fd);

/*
 * detach_leave_terminal(log_is_lost):
 * Point the standard descriptors at /dev/null, so that a command which reads the
 * output of this one does not wait for the workers.  `log_is_lost`: the error log
 * goes to the terminal; a warning about that is logged first.
 */
void detach_leave_terminal(bool log_is_lost);

/* Have the parent end with the status for `how`; closes *fd and sets it to -1.  Does
 * nothing when it is -1. */
void detach_end(int *fd, enum detach how);

#endif
