/*
 * proc/logs.h - the log files of a configuration, opened by the master.
 *
 * Nothing here waits: a log may be a FIFO, whose reader never came, left, or
 * reads no more.
 */
#ifndef PROC_LOGS_H
#define PROC_LOGS_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

struct logs {
	int error;
	int *access; /* one for each server; -1: off */
	size_t access_count;
};

/* Open them: 0; or a negative errno after logging which ones failed. */
NODISCARD int logs_open(const struct config *conf, struct logs *ret);

/* Could they be opened, or made?  False after logging which ones not; nothing is
 * opened, so that no reader of a FIFO is told of it. */
NODISCARD bool logs_look(const struct config *conf);

/* From here on, the error log is that of `l`. */
void logs_use(const struct logs *l, const struct config *conf);

/* `fresh` takes the place of `l` as in logs_use(); those that `l` had are closed,
 * and `fresh` is empty. */
void logs_replace(
    struct logs *l, struct logs *fresh, const struct config *conf);

/* Close those that are files. */
void logs_close(struct logs *l);

#endif
