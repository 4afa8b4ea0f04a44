/*
 * proc/attempt.h - have what the configuration asks for, or look whether it can
 * be had: by a child that has become `user`, since it may hang (preflight.h).
 */
#ifndef PROC_ATTEMPT_H
#define PROC_ATTEMPT_H

#include "base/check.h"
#include "config/config.h"

struct shared;

/* Its name, or NULL after logging that there is none such. */
const char *attempt_engine(const struct config *conf);

/*
 * attempt_location(conf, shared, l, engine):
 * Make the directory where it is missing, and publish in it; a line in the log
 * says what holds there, with `engine`.  0; or a negative errno after logging
 * it.  What is the fault of a disk, seen from where the directory was before
 * (`shared`, or NULL), is a warning and no error.
 */
NODISCARD int attempt_location(const struct config *conf,
    const struct shared *shared, const struct conf_location *l,
    const char *engine);

/* Would that be possible, as far as it can be told without making anything?
 * The same, but nothing is logged on success. */
NODISCARD int attempt_look(const struct conf_location *l);

#endif
