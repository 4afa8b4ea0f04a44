/*
 * proc/worker.h - the process that does the work: one loop, all uploads of
 * its clients.
 *
 *	shared sockets -> acceptor -> conn -> service -> stores, engine
 *
 * A worker ends by itself: on QUIT when it has finished what it accepted, on
 * TERM or INT at once, and, when its master is gone, as on QUIT.  With
 * operations that a disk does not give back it cannot be freed, nor can the
 * process end before the disk returns: it closes its sockets first and says
 * in its slot what it waits for.
 */
#ifndef PROC_WORKER_H
#define PROC_WORKER_H

#include "base/check.h"
#include "shared/arrivals.h"
#include "shared/disk_health.h"
#include "shared/latest.h"
#include "shared/limits.h"
#include "shared/mount_history.h"
#include "shared/reservations.h"
#include "shared/shm.h"
#include "config/config.h"
#include "proc/logs.h"
#include "proc/sockets.h"

struct verdict;

struct worker_setup {
	const struct config *conf;
	const struct sockets *sockets;
	const struct logs *logs;
	const struct shm *shm;
	struct latest_table *latest;
	struct mount_history *mount_history;
	struct reservations *reservations;
	struct disk_health *disk_health;
	struct arrivals *arrivals;
	struct limits *limits;
	struct slot *slot;
	int master; /* reads end-of-file when the master is gone; -1: none */
	unsigned generation;	     /* how many reloads there were, and one */
	bool alone;		     /* worker_processes 0: no master at all */
	struct verdict *verdict;     /* alone: for a reload, which is refused */
	void (*on_ready)(void *arg); /* it accepts; NULL: nobody asks */
	void *arg;
};

/* Work until told to stop; the exit status of the process. */
NODISCARD int worker_run(const struct worker_setup *setup);

#endif
