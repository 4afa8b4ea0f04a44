/*
 * proc/worker.h - the process that does the work: one loop, all uploads of
 * its clients.
 *
 *	shared sockets -> acceptor -> conn -> dispatch -> stores, engine
 *
 * A worker ends on QUIT when it has finished what it accepted, on TERM or INT at
 * once, and, if its master is gone, as on QUIT.  While a disk does not complete
 * operations, their memory cannot be freed and the process cannot end: the worker
 * closes its sockets first, and writes into its slot what it waits for.
 */
#ifndef PROC_WORKER_H
#define PROC_WORKER_H

#include "base/check.h"
#include "shared/shared.h"
#include "shared/shm.h"
#include "config/config.h"
#include "proc/certificates.h"
#include "proc/logs.h"
#include "proc/sockets.h"

struct secrets;
struct verdict;

struct worker_setup {
	const struct config *conf;
	const struct secrets *secrets; /* of `conf` */
	const struct sockets *sockets;
	const struct logs *logs;
	const struct certificates *certificates;
	const struct shared *shared; /* with all workers */
	struct slot *slot;	     /* this one's */
	int master;  /* reads end-of-file when the master is gone; -1: none */
	int control; /* the master hands logs over here; -1: there is none */
	unsigned number;	     /* which one of its generation, from 0 */
	unsigned generation;	     /* how many reloads there were, and one */
	bool alone;		     /* worker_processes 0: no master at all */
	struct verdict *verdict;     /* alone: for a reload, which is refused */
	struct verdict *reopened;    /* alone: for USR1 */
	struct verdict *upgraded;    /* alone: for USR2, which is refused */
	void (*on_ready)(void *arg); /* it accepts connections; or NULL */
	/* It is `what` now: stopping, or finishing; or NULL. */
	void (*on_stopping)(void *arg, const char *what);
	/* The loop turns: returns in how many milliseconds it is to be called again,
	 * -1: never; or NULL. */
	int (*on_turn)(void *arg);
	void *arg;
};

/* Work until told to stop; the exit status of the process. */
NODISCARD int worker_run(const struct worker_setup *setup);

#endif
