/*
 * proc/verdict.h - the result of a reload, for the command that asked for it.
 *
 *	penstock -s reload               master
 *	reads "3 begun"
 *	sends HUP ------------------->   writes "4 begun"
 *	reads, now and then              refuses the file, or has new workers
 *	prints why, exits 1   <-------   writes "4 begun, 4 ended", refused, why
 *
 * The request is the signal, so that -s reload and a HUP from elsewhere do the
 * same.  The answer is a small file beside the pid file, PID_FILE.reload, made at
 * the start and kept open.  It is a file and not a socket so that no client can
 * make the master wait; many can read it at once, from any terminal or network
 * namespace.  A verdict holds for every command that asked before the reload
 * began; a command that reads it late gets the verdict of a later reload, which
 * read a later state of the configuration.
 *
 * Only the user that started the server, and root, can read the file (0600).  With
 * worker_processes 0 the process may have become another user: that user can send
 * the signal, but cannot read the verdict.  A reader trusts the file only if it is
 * a regular file, has the same owner as the process, names that process, and has
 * the right checksum, since it may be read while it is being written.
 */
#ifndef PROC_VERDICT_H
#define PROC_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/str.h"

enum verdict_kind {
	VERDICT_NONE,	 /* not yet */
	VERDICT_APPLIED, /* the new workers accept */
	VERDICT_REFUSED, /* nothing was changed */
	VERDICT_LATE,	 /* the new workers do not come up yet */
	VERDICT_COUNT
};

struct verdict {
	char *path; /* NULL: pid_file off, or out of memory: no verdicts */
	char *file; /* the configuration, absolute; NULL: none */
	char *pid_file;
	int pid_fd; /* that file, locked: the caller's */
	int fd;
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
void verdict_open(
    struct verdict *v, const char *pid_file, int pid_fd, const char *conf_file);

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
 * verdict_ask(pid_file, pid, conf_file):
 * Have the server `pid`, which holds this pid file, reload; wait for the verdict
 * and print it on stderr: the exit status of the program, 0 when it was applied.
 * When it read another file than `conf_file` (NULL: any), that is printed, too.
 */
NODISCARD int verdict_ask(
    const char *pid_file, pid_t pid, const char *conf_file);

#endif
