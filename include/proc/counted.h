/*
 * proc/counted.h - what the master has to say to those who count (shared/metrics.h).
 */
#ifndef PROC_COUNTED_H
#define PROC_COUNTED_H

#include "config/config.h"
#include "shared/metrics.h"

/* `conf` is that of a new `generation`, of which no worker is forked yet: enter the names of
 * what it has. */
void counted_begin(
    struct metrics *m, const struct config *conf, unsigned generation);

#endif
