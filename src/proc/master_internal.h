/*
 * proc/master_internal.h - the master's state, which its own files share:
 * master.c starts it, master_stop.c stops it, reload.c replaces the configuration and the workers,
 * master_status.c tells people about it, upgrade.c has another program take over.
 * Other files do not include it.
 */
#ifndef PROC_MASTER_INTERNAL_H
#define PROC_MASTER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/secrets.h"
#include "base/clock.h"
#include "config/config.h"
#include "proc/certificates.h"
#include "proc/children.h"
#include "proc/logs.h"
#include "proc/notify.h"
#include "proc/sockets.h"
#include "proc/status.h"
#include "proc/succession.h"
#include "proc/verdict.h"
#include "log_handover.h"
#include "upgrade_said.h"

enum {
	MASTER_READY_MS = 3000, /* for new workers to come up */
	MASTER_SLOW_MS = 12000, /* and more, if none of them has ended */
	MASTER_GOES_ON = -1,
};

enum master_phase {
	MASTER_RUNNING,
	MASTER_DELAYING,  /* it is to stop in a while (shutdown_delay) */
	MASTER_FINISHING, /* QUIT was sent */
	MASTER_STOPPING,  /* TERM was sent */
	MASTER_KILLING,	  /* and KILL */
};

/* The program is executed again (USR2). */
struct upgrade {
	pid_t pid; /* of the new master; 0: there is none */
	bool up;   /* it serves */
	int tell;  /* until then: it says so there; or -1 */
	struct upgrade_said said;
	uint64_t end_ns; /* when it should be up at last */
	struct verdict verdict;
};

struct master {
	struct config **conf;
	char *program;		 /* on disk, absolute; NULL: it is not known */
	struct secrets *secrets; /* of *conf */
	struct sockets sockets;
	struct sockets
	    given; /* handed over; none once the start has come so far */
	struct logs logs;
	struct certificates certificates;
	struct shared shared;
	struct children children;
	int pidfile;
	char *pid_path; /* of that file, now */
	struct upgrade upgrade;
	struct succession from; /* whom we are to succeed */
	unsigned generation;	/* of the newest workers; the first is 1 */
	bool reloading;	   /* new workers are starting, old ones run still */
	uint64_t ready_ns; /* when the newest workers should be up */
	enum master_phase phase, phase_after; /* DELAYING */
	bool paused; /* WINCH: there are no workers, until HUP */
	uint64_t phase_end_ns;
	uint64_t listen_end_ns; /* FINISHING: workers empty the queue of the
				   sockets until then */
	int detach;		/* daemonize: tell here that we are up; -1 */
	bool failed;		/* the start did, after all */
	struct notify notify;
	struct verdict verdict;
	struct log_handover reopen;
	struct status status;
	const char *told; /* there: a word */
	uint64_t look_ns; /* when certificates are looked at again */
	/* Of a reload that tries its configuration out: a worker that is
	 * forked meanwhile closes them.  Else NULL. */
	struct sockets *fresh_sockets;
	struct logs *fresh_logs;
};

/* The newest workers should be up by now and are not: some of them have died, or
 * it has taken so long that the machine being slow is no excuse. */
static inline bool
master_is_overdue(const struct master *m)
{
	uint64_t now = clock_mono_ns();

	return now >= m->ready_ns &&
	       (children_die_early(&m->children, m->generation) ||
		   now - m->ready_ns >= MASTER_SLOW_MS * NS_PER_MS);
}

/* Is a new master coming up that is to succeed us? */
static inline bool
upgrade_is_starting(const struct master *m)
{
	return m->upgrade.pid != 0 && !m->upgrade.up;
}

/* ---- master_stop.c ---- */

/* Are clients served, though perhaps not for long any more? */
bool master_is_serving(const struct master *m);

/* Begin this phase of a stop, unless it is that far already. */
void master_enter(struct master *m, enum master_phase phase);

/* Begin to stop, at once or when shutdown_delay is over, if a signal says so. */
void master_stop_on_signals(struct master *m);

/* On with the stop, if there is one.  Returns 0 when all workers are gone, 1 when one cannot
 * be made to; else MASTER_GOES_ON. */
int master_stop_tend(struct master *m);

/* ---- master_status.c ---- */

/* Whoever asks with -s status hears what has changed, and the service manager does when
 * new workers accept. */
void master_tell_status(struct master *m);

/* The service manager hears that a start or a reload has ended, and that clients are
 * served by the workers of this generation. */
void master_tell_ready(struct master *m, unsigned generation);

/* Once a day: which certificates expire soon? */
void master_look_at_certificates(struct master *m);

/* ---- reload.c ---- */

/*
 * reload_on_hup(m, meanwhile):
 * If a HUP has come, load the configuration and start workers of a new
 * generation.  Everything that may fail is done before anything is changed.  While
 * output directories are tried, meanwhile(m) is called now and then; true: give
 * up.  A HUP that comes while new workers come up waits, so that each reload has
 * its own verdict.
 */
void reload_on_hup(struct master *m, bool (*meanwhile)(void *m));

/* Are new workers coming up?  Once they are late, what comes next need not wait for them: a
 * reload is the chance to mend the file. */
bool reload_is_busy(const struct master *m);

/* Retire the old workers once the new ones accept, or say that these are late. */
void reload_end(struct master *m);

/* There are no workers (WINCH): start some with the configuration as it is. */
void reload_resume(struct master *m);

/* The server stops: tell that the reload under way, if any, is not applied. */
void reload_give_up(struct master *m);

/* ---- upgrade.c ---- */

/* A USR2 has come: begin an upgrade, or log why not. */
void upgrade_on_usr2(struct master *m);

/* In each turn of the loop; returns in how many milliseconds it is to be called again, -1: it
 * need not. */
int upgrade_tend(struct master *m);

/* For children.on_other: the new master may have ended. */
void upgrade_on_end(void *master, pid_t pid, int status);

/* The server stops: a new master that is not up yet stops, too. */
void upgrade_give_up(struct master *m);

/* Does another master serve on the same sockets? */
bool upgrade_has_other(const struct master *m);

/* In the new master: go on in the memory of the old one; false: there is none that could be
 * used.  When it is certain that it will serve: its standard error is that of the old one again.
 * And log what it means that the memory is not shared, if it is not. */
NODISCARD bool upgrade_take_memory(struct master *m);
void upgrade_begin_serving(struct master *m);
void upgrade_log_memory(const struct master *m);

#endif
