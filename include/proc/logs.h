/*
 * proc/logs.h - the log files of a configuration, opened by the master.
 *
 * No call here blocks, although a log may be a FIFO that has no reader, or whose
 * reader has stopped reading.
 *
 * Root makes what is missing for its `user`: the files, and their directories (made_dirs.h).
 */
#ifndef PROC_LOGS_H
#define PROC_LOGS_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

/* An access log that is written to.  Many servers and locations may have one. */
struct log_file {
	const struct conf_access_log *conf; /* the first that is of it */
	int fd; /* -1: it is syslog's, whose socket is each worker's own */
};

struct logs {
	int error; /* a descriptor */
	struct log_file *access;
	size_t access_count;
};

/* Which one of them lines for `l` go to; SIZE_MAX: it is off. */
size_t logs_find(const struct logs *logs, const struct conf_access_log *l);

/* Open all of them: 0, and *ret is to be ended with logs_close(); or a negative errno,
 * after logging which ones could not be opened, and none is open. */
NODISCARD int logs_open(const struct config *conf, struct logs *ret);

/* For a dry run: could they be opened or made?  False after logging which ones could
 * not.  It opens none, so that the reader of a FIFO sees nothing of it. */
NODISCARD bool logs_look(const struct config *conf);

/* From here on this process logs to `l`, as verbosely as `conf` says. */
void logs_use(const struct logs *l, const struct config *conf);

/* Log to `fresh` from here on (logs_use()), close what `l` had, and move `fresh` into
 * `l`; `fresh` is left empty. */
void logs_replace(
    struct logs *l, struct logs *fresh, const struct config *conf);

/* Open what is now at the path of a log, without waiting; for fd_move_onto().  *ret is -1 for one
 * that is no file.  0; or a negative errno after logging why. */
NODISCARD int logs_open_again(const char *target, int *ret);

/* The same of all that `l` has, for this process alone: 0; or a negative errno, and those that
 * could not be opened are as they were. */
NODISCARD int logs_reopen(struct logs *l, const struct config *conf);

/* Close those that are files and free what `l` holds.  If this process logs to `l`, it
 * logs to stderr from here on. */
void logs_close(struct logs *l);

#endif
