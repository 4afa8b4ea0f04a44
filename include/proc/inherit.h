/*
 * proc/inherit.h - a process inherits much from its parent, and some of it may be
 * unfit for a server.
 *
 *	descriptors   0 to 2 are opened if they are closed; all others are closed,
 *	              except those that a log names (/dev/fd/N), and sockets that
 *	              are handed over
 *	signals       none stays blocked; SIGCHLD is not ignored
 *	umask         never takes permissions from the owner
 *	limits        one on the size of files is logged at the start
 *
 * The working directory is handled by config/config.h: if it was removed, that is an
 * error for relative paths only.
 */
#ifndef PROC_INHERIT_H
#define PROC_INHERIT_H

#include "config/config.h"
#include "proc/sockets.h"
#include "proc/succession.h"

/* Open the standard descriptors, reset signals and umask.  To be called first in
 * main(), before any file is opened. */
void inherit_tidy(void);

/*
 * inherit_close(conf, given, from):
 * Close what the parent left open: a pipe, say, whose reader waits for its end, or a
 * file that it has locked; but not the sockets `given`, which it has handed over on
 * purpose (proc/activation.h), nor what `from` has.  To be called before we open a descriptor
 * ourselves.
 */
void inherit_close(const struct config *conf, const struct sockets *given,
    const struct succession *from);

/* In a new child, while all signals are blocked: restore the default handlers, since
 * those of the master would note signals for the master.  HUP is ignored: only
 * the master reloads. */
void inherit_from_master(void);

/* Log a warning for a umask that was changed, and for a limit on the size of
 * files. */
void inherit_report(void);

#endif
