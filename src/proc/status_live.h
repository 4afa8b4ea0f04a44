/*
 * proc/status_live.h - what a server does at this moment, read in its shared memory.
 *
 * Only proc/status.c includes this.
 */
#ifndef PROC_STATUS_LIVE_H
#define PROC_STATUS_LIVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

/*
 * status_live_add(pid, fd, out):
 * Add lines about workers, uploads and disks of the master `pid`, whose descriptor `fd` is that of
 * the memory.  Nothing is asked of the server, and nothing is written there; where it may not be
 * read, or is another version's, a line says so.  False: something is wrong there.
 */
bool status_live_add(pid_t pid, int fd, struct str *out);

#endif
