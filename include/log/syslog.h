/*
 * log/syslog.h - lines to the syslog of this machine, one datagram each, without waiting.
 *
 *	<190>Nov 23 08:16:04 penstock[4711]: LINE
 *
 * That is what syslog(3) sends (RFC 3164, without a name of the host); the time is UTC.  A
 * receiver that is gone is looked for again; one that does not take a line at once
 * does not get it.
 */
#ifndef LOG_SYSLOG_H
#define LOG_SYSLOG_H

#include <stddef.h>

#include "base/check.h"

struct syslog_to;

/* For the receiver at the socket `path`, NULL: out of memory.  `tag` and `path` stay the
 * caller's, and as long as it. */
NODISCARD struct syslog_to *syslog_to_new(
    const char *path, const char *tag, int priority);

/* On any thread, one at a time: send whole lines.  Returns how many could not be sent; if
 * there are any, *ret_err is why, a negative errno. */
size_t syslog_to_send(
    struct syslog_to *s, const char *lines, size_t len, int *ret_err);

void syslog_to_free(struct syslog_to **sp);

#endif
