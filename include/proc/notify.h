/*
 * proc/notify.h - what the service manager is told that started us (sd_notify(3)):
 * datagrams of lines to the socket that NOTIFY_SOCKET names.
 *
 *	READY=1       the workers accept; and after each reload, whatever came of it
 *	RELOADING=1   a reload begins, with the time
 *	STOPPING=1    a stop does
 *	STATUS=...    for people: systemctl status shows it
 *	MAINPID=N     that process goes on as the master (a binary upgrade)
 *	WATCHDOG=1    the master's loop turns: sent at half of WATCHDOG_USEC
 *
 * By hand, since that is all of it: where there is no systemd there need be no
 * library of it either.  When nobody is to be told every call does nothing.
 */
#ifndef PROC_NOTIFY_H
#define PROC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

struct notify {
	int fd;		      /* -1: nobody is to be told */
	uint64_t watchdog_ns; /* how often it is told that we live; 0: never */
	uint64_t next_ns;     /* when next, by clock_mono_ns() */
	bool unheard;	      /* the last one was not taken: it was logged */
	char *socket, *watchdog_usec; /* as they came; NULL: they did not */
};

/*
 * notify_open(n):
 * Take what the environment says, and take it out of there: it is not for our
 * children.  An address that cannot be used is logged, and nobody is told then.  To
 * be called by the process that the manager has started, which has not forked yet.
 */
void notify_open(struct notify *n);

/* In a child that is about to execute our successor: put it into the environment again.  0 or a
 * negative errno. */
NODISCARD int notify_hand_on(const struct notify *n);

/* In a child, too: it has nothing to tell. */
void notify_close(struct notify *n);

/* Each with a line for people. */
void notify_ready(struct notify *n, const char *fmt, ...) PRINTF_LIKE(2, 3);
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Another process is the server's master from here on.  The manager hears that of the present
 * one only. */
void notify_main(struct notify *n, pid_t pid);

/*
 * notify_watchdog(n):
 * To be called in each turn of the loop: says that it turns, when that is due.
 * Returns the milliseconds until it is due again, or -1: never.
 */
int notify_watchdog(struct notify *n);

#endif
