/*
 * proc/inherit.h - what a process gets from the one that started it, and does
 * not take on trust.
 *
 *	descriptors   0 to 2 are open; all others are closed, but for those
 *	              a log names (/dev/fd/N)
 *	signals       none is blocked; the end of a child is told
 *	umask         the owner may use what it makes
 *	limits        on the size of files: told at the start
 *
 * The working directory is the configuration's business (config/config.h): one
 * that is gone is an error only for relative paths.
 */
#ifndef PROC_INHERIT_H
#define PROC_INHERIT_H

#include "config/config.h"

/* Before anything else in main(), also before a file is opened. */
void inherit_tidy(void);

/*
 * inherit_close(conf):
 * Before the first descriptor of our own is opened: close what the parent left
 * open, a pipe whose other end waits for us to close it, a lock, an epoll set.
 * Sockets that are handed over on purpose would have to be kept here.
 */
void inherit_close(const struct config *conf);

/* In a fresh child, signals blocked: forget the master's handlers, which would
 * note its signals for it.  HUP is the master's alone, and ignored. */
void inherit_from_master(void);

/* Log what of the rest will be felt. */
void inherit_report(void);

#endif
