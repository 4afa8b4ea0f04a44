/*
 * proc/signals.h - the signals of the master.  Handlers only note that a signal has
 * come; the master's loop acts on it.
 */
#ifndef PROC_SIGNALS_H
#define PROC_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"

enum signal_noted {
	SIGNAL_TERM, /* or INT, then that, too */
	SIGNAL_INT,
	SIGNAL_QUIT,
	SIGNAL_HUP,
	SIGNAL_USR1, /* the logs are to be opened again */
	SIGNAL_USR2, /* the program is to be executed again */
	SIGNAL_WINCH, /* sent by a process: a terminal does so, too, when its size changes */
	SIGNAL_CHLD,
	SIGNAL_COUNT
};

/* Ignore PIPE, XFSZ, USR1, USR2 and WINCH: most would end the process, and they are not
 * watched yet, or never. */
void signals_ignore(void);

/* Note the signals of enum signal_noted from here on.  0 or a negative errno 
 * of fd_wake_open(). */
NODISCARD int signals_watch(void);

/* Has this signal come?  signals_take() also forgets it. */
bool signals_has(enum signal_noted which);
bool signals_take(enum signal_noted which);

/* Has TERM, INT or QUIT come? */
bool signals_want_stop(void);

/* Wait until a signal comes, for `ms` milliseconds at most; -1: as long as it
 * takes. */
void signals_await(int ms);

/* fork(2), with all signals blocked in the child: one that comes before the child
 * has its own handlers must not run those of the master, and must not be lost. */
pid_t signals_fork(void);

/* With `worker_processes 0`: hand the signals over to the worker in this process,
 * those that have come already included.  They are blocked until the worker sets its
 * handlers. */
void signals_pass_on(void);

/* Close the pipe of signals_watch(); also in a child, which has a copy. */
void signals_restore(void);

#endif
