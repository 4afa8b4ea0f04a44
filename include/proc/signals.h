/*
 * proc/signals.h - what the master is told by signals: noted by the handler,
 * carried out by the loop.
 */
#ifndef PROC_SIGNALS_H
#define PROC_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"

enum signal_noted {
	SIGNAL_TERM, /* or INT */
	SIGNAL_QUIT,
	SIGNAL_HUP,
	SIGNAL_CHLD,
	SIGNAL_COUNT
};

/* USR1, USR2 and WINCH mean nothing yet; they must not end anybody. */
void signals_ignore(void);

/* Note the others from here on.  0 or a negative errno. */
NODISCARD int signals_watch(void);

/* Has it come?  And: it is dealt with. */
bool signals_has(enum signal_noted which);
bool signals_take(enum signal_noted which);

/* Has a signal come that ends this server, gracefully or at once? */
bool signals_want_stop(void);

/* Wait for one, but no longer than this; -1: for good. */
void signals_await(int ms);

/* As fork(2); in the child all signals are blocked: one that comes before it has
 * handlers of its own must neither be lost in ours nor run them there. */
pid_t signals_fork(void);

/* To a worker in this process, with those that have come already: they stay
 * blocked until it has handlers of its own. */
void signals_pass_on(void);

/* Close what is the watcher's; in a child, too. */
void signals_restore(void);

#endif
