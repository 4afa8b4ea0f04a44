/*
 * config/access_log.h - the value of access_log: where the lines go, and in which form.
 *
 *	access_log FILE json;
 *	access_log syslog:server=unix:/dev/log,facility=local7,severity=info,tag=penstock;
 *
 * Used by value.c and config.c only.
 */
#ifndef CONFIG_ACCESS_LOG_H
#define CONFIG_ACCESS_LOG_H

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"

/* The words of enum conf_log_format; ended by NULL. */
extern const char *const access_log_formats[];

/* Is it syslog that `text` names? */
bool access_log_is_syslog(const char *text);

/*
 * access_log_read_syslog(text, ret, why):
 * Read "syslog", "syslog:TAG" or "syslog:KEY=VALUE,..." into `ret`, whose strings are the
 * caller's to end with access_log_clear().  0; -EINVAL, and what is wrong was added to `why`;
 * or -ENOMEM.
 */
NODISCARD int access_log_read_syslog(
    const char *text, struct conf_access_log *ret, struct str *why);

/* A copy, which owns its strings: 0 or -ENOMEM. */
NODISCARD int access_log_copy(
    struct conf_access_log *to, const struct conf_access_log *from);

/* Free what it has; it is empty. */
void access_log_clear(struct conf_access_log *l);

/* Add it as it would stand in a file. */
void access_log_format(const struct conf_access_log *l, struct str *out);

#endif
