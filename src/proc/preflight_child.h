/*
 * proc/preflight_child.h - have what the configuration asks for, or look whether it can
 * be had: by a child that has become `user`, since it may hang (preflight.h).
 */
#ifndef PROC_PREFLIGHT_CHILD_H
#define PROC_PREFLIGHT_CHILD_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

struct shared;

/* Its name, or NULL after logging that there is none such. */
const char *attempt_engine(const struct config *conf);

/*
 * attempt_location(conf, shared, l, engine):
 * Have its store checked for real; a line in the log says what holds there, with
 * `engine`.  False: it cannot be used as it is configured, which was logged.
 * What may pass, seen from what was open before (`shared`, or NULL), is a
 * warning.
 */
NODISCARD bool attempt_location(const struct config *conf,
    const struct shared *shared, const struct conf_location *l,
    const char *engine);

/* Could it be used, as far as it can be told without making anything?  Nothing
 * is logged if so. */
NODISCARD bool attempt_look(const struct conf_location *l);

#endif
