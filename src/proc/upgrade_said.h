/*
 * proc/upgrade_said.h - what a new master says on its standard error while it comes up.
 *
 * Only proc/upgrade.c and proc/master_internal.h include this.
 */
#ifndef PROC_UPGRADE_SAID_H
#define PROC_UPGRADE_SAID_H

#include "base/str.h"

struct upgrade_said {
	int fd; /* the end of a pipe that does not block; -1: none */
	struct str text;
};

/* Read what is there. */
void upgrade_said_read(struct upgrade_said *s);

/*
 * upgrade_said_log(s):
 * Log it, and forget it: lines of a log at the level that they have there; all others, which
 * are why a start has failed, as errors.
 */
void upgrade_said_log(struct upgrade_said *s);

/* Close it. */
void upgrade_said_end(struct upgrade_said *s);

#endif
