/*
 * proc/logs.h - the log files of a configuration, opened by the master.
 *
 * No call here blocks, although a log may be a FIFO that has no reader, or whose
 * reader has stopped reading.
 */
#ifndef PROC_LOGS_H
#define PROC_LOGS_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

/* Descriptors. */
struct logs {
	int error;
	int *access; /* one for each server block; -1: off */
	size_t access_count;
};

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

/* Close those that are files and free what `l` holds.  If this process logs to `l`, it
 * logs to stderr from here on. */
void logs_close(struct logs *l);

#endif
