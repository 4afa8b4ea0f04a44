/*
 * proc/detach.h - `daemonize on`: into the background, where the command that
 * was typed ends only when the server is up, with 0, or has failed, with 1.
 */
#ifndef PROC_DETACH_H
#define PROC_DETACH_H

#include <stdbool.h>

#include "base/check.h"

/* How the start went; the status with which the command ends is 0 or 1. */
enum detach {
	DETACH_UP,
	DETACH_FAILED,
	DETACH_STOPPED, /* it was told to, before it was up */
};

/*
 * detach_begin(ret_fd):
 * Go on in a child with a session of its own.  The parent stays until *ret_fd is
 * told how it went, or closed, and never returns from here.  0 or a negative
 * errno.
 */
NODISCARD int detach_begin(int *ret_fd);

/*
 * detach_leave_terminal(log_is_lost):
 * Close the terminal, for the workers too: a command that reads what this one
 * prints would otherwise wait for them.  `log_is_lost`: the error log goes there;
 * that is logged first.
 */
void detach_leave_terminal(bool log_is_lost);

/* Let the parent end, once; nothing when *fd is -1. */
void detach_end(int *fd, enum detach how);

#endif
