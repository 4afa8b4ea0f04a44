/*
 * proc/refusal.h - what the system does not let a configuration have, logged in
 * the words of the configuration.
 *
 *	penstock.conf:3:1: pid_file /run/p.pid: Permission denied, as user nobody
 */
#ifndef PROC_REFUSAL_H
#define PROC_REFUSAL_H

#include "base/check.h"
#include "config/config.h"

enum {
	REFUSAL_WHY_MAX = 256,
};

/* Log as an error that the value, which was given there, cannot be had, and
 * why.  As a warning: it can, but. */
void refusal_log(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...) PRINTF_LIKE(4, 5);
void refusal_warn(const struct conf_place *at, const char *directive,
    const char *value, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* What the negative errno says of a path; and where permission is lacking, which
 * user was refused.  In `buf`, which is returned. */
const char *refusal_why(int err, char buf[REFUSAL_WHY_MAX]);

#endif
