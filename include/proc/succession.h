/*
 * proc/succession.h - what a master hands to the program that is to succeed it, over an exec:
 *
 *	PENSTOCK_UPGRADE   1 PID TELL ERRORS SHARED BELL GENERATION
 *	                   FD NAME        a line for each listening socket
 *
 * The first number is that of this format.  All but PID and GENERATION are descriptors: where to
 * tell that it serves, where its standard error is to lead from then on, the memory that both
 * share (shared/shared.h) and its bell; -1: there is none.  NAME is that of a socket which was
 * handed over to the old master (proc/activation.h); else there is none.
 */
#ifndef PROC_SUCCESSION_H
#define PROC_SUCCESSION_H

#include <sys/types.h>

#include "base/check.h"
#include "proc/sockets.h"

struct succession {
	pid_t from;	     /* the old master; 0: there is none */
	int tell, errors;    /* descriptors; -1: none */
	int shared, bell;    /* the same */
	unsigned generation; /* the last of the old master's */
	int not_shared; /* why its memory is not used, an errno; 0: it is */
};

/* Nobody is succeeded. */
void succession_init(struct succession *s);

/* In the process that is about to execute the program: have it find all that.  0 or a negative
 * errno. */
NODISCARD int succession_hand_over(
    const struct succession *s, const struct sockets *sockets);

/*
 * succession_take(ret, ret_sockets):
 * Take what the old master has handed over, and take it out of the environment.  A UNIX socket
 * whose path is gone is closed.  0; ret->from is 0, and *ret_sockets as it was, when there is
 * none, or it is for another process.  A negative errno, after logging what is wrong.
 */
NODISCARD int succession_take(
    struct succession *ret, struct sockets *ret_sockets);

/* Close what is left of it, but for what has become somebody else's (-1). */
void succession_close(struct succession *s);

#endif
