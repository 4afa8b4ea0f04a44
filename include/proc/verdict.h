/*
 * proc/verdict.h - what became of a reload, for whoever asked for it.
 *
 *	penstock -s reload               master
 *	reads "3 begun"
 *	sends HUP ------------------->   writes "4 begun"
 *	reads, now and then              refuses the file, or has new workers
 *	prints why, exits 1   <-------   writes "4 begun, 4 ended", refused, why
 *
 * The request stays the signal, so that a HUP from elsewhere and -s reload are
 * one thing.  The answer is a small file beside the pid file, PID_FILE.reload,
 * made at the start and kept open.  It is a file and no socket since nothing that
 * a client does or leaves undone can make the master wait then; many may look at
 * once, from any terminal or network namespace.  A verdict holds for all who
 * asked before its reload began; one who looks too late for his own is told that
 * of a reload after it, which read the file later.
 *
 * Only the user who started the server, and root, can read the file (0600), also
 * when worker_processes 0 has become another user since: that one may send the
 * signal, and is not told.  A reader believes it only when it is a regular file
 * that belongs to whom the process does, names that process, and its checksum is
 * right: it may be read while it is written.
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
	char *path; /* NULL: pid_file off, or out of memory: nobody can ask */
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
