/*
 * proc/refusal.h - log lines about something that a configuration asks for and the
 * system refuses; they name the place in the configuration.
 *
 *	penstock.conf:3:1: pid_file /run/p.pid: Permission denied, as user nobody
 */
#ifndef PROC_REFUSAL_H
#define PROC_REFUSAL_H

#include "base/check.h"
#include "config/config.h"

enum {
	REFUSAL_WHY_MAX = 256, /* bytes, with the NUL */
};

/* Log an error: the `value` of `directive`, which stands at `at`, cannot be used, for
 * the reason that `fmt` gives.  The second logs a warning: it can be used, but. */
void refusal_log(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...) PRINTF_LIKE(4, 5);
void refusal_warn(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Writes to `buf`, and returns, what the negative errno `err` means for a path; where
 * permission was denied, also to which user. */
const char *refusal_why(int err, char buf[REFUSAL_WHY_MAX]);

#endif
