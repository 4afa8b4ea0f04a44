/*
 * proc/verdict.h - the result of a reload, for the command that asked for it; and, in the same
 * way, that of opening the logs again (-s reopen, USR1), and of a binary upgrade (-s upgrade,
 * USR2), for which the server's pid file is given another name on the way.
 *
 *	penstock -s reload               master
 *	reads "3 begun"
 *	sends HUP ------------------->   writes "4 begun"
 *	reads, now and then              refuses the file, or has new workers
 *	prints why, exits 1   <-------   writes "4 begun, 4 ended", refused, why
 *
 * The request is the signal, so that -s reload and a HUP from elsewhere do the
 * same.  The answer is a bulletin, PID_FILE.reload, made at the start and kept open.  A
 * verdict holds for every command that asked before the reload began; a command that reads
 * it late gets the verdict of a later reload, which read a later state of the
 * configuration.
 */
#ifndef PROC_VERDICT_H
#define PROC_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/str.h"
#include "proc/bulletin.h"

enum verdict_kind {
	VERDICT_NONE,	 /* not yet */
	VERDICT_APPLIED, /* the new workers accept */
	VERDICT_REFUSED, /* nothing was changed */
	VERDICT_LATE,	 /* the new workers do not come up yet */
	VERDICT_COUNT
};

/* What is asked for: by which signal, and in words. */
struct verdict_of {
	const char *name; /* "reload" */
	const char *done; /* "reloaded" */
	int signal;
};

extern const struct verdict_of verdict_of_reload, verdict_of_reopen,
    verdict_of_upgrade;

struct verdict {
	const struct verdict_of *of;
	struct bulletin bulletin;
	char *file; /* the configuration, absolute; NULL: none */
	unsigned long begun;
	bool pending;	  /* the last one that was begun has not ended */
	struct str heard; /* errors and warnings of it */
};

/* ---- in the server ---- */

/*
 * verdict_open(v, pid_file, pid_fd, conf_file):
 * Make the file; where that cannot be, it is logged, and there is none.  It is
 * made again when it is gone, as long as the pid file is ours.  `conf_file`: what
 * reloads read, NULL: none.
 */
void verdict_open(struct verdict *v, const struct verdict_of *of,
    const char *pid_file, int pid_fd, const char *conf_file);

/* The pid file has this name now. */
void verdict_move(struct verdict *v, const char *pid_file);

/* A reload begins: from here on errors and warnings are heard. */
void verdict_begin(struct verdict *v);

/* Hear them, or hear no more: before a worker is forked. */
void verdict_hear(struct verdict *v, bool on);

/* It ended so, with what was heard; nothing when none is pending. */
void verdict_give(struct verdict *v, enum verdict_kind kind);

/* Remove the file, unless it is another's; in a child, only close it. */
void verdict_close(struct verdict *v, bool remove);

/* ---- in a client ---- */

/*
 * verdict_ask(of, pid_file, pid, conf_file):
 * Have the server `pid`, which holds this pid file, reload, or reopen; wait for the verdict
 * and print it on stderr: the exit status of the program, 0 when it was applied.
 * Warnings begin with "warning: ", as those of -t do, and when the rest was applied, a
 * line behind them says so; with nothing to say, nothing is printed.
 * When it read another file than `conf_file` (NULL: any), that is printed, too.
 */
NODISCARD int verdict_ask(const struct verdict_of *of, const char *pid_file,
    pid_t pid, const char *conf_file);

#endif
