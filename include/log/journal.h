/*
 * log/journal.h - lines into a file, without waiting for it.
 *
 * The access log and the trace may go to a disk, a pipe or a terminal that
 * makes a writer wait.  Lines are collected for a few milliseconds
 * and written by an engine thread, one write at a time, in order.  When more
 * than JOURNAL_MAX bytes wait, lines are dropped, and a line says how many.
 *
 * Several processes write to the same pipe, which keeps their writes apart only
 * up to PIPE_BUF bytes.  Into anything but a regular file whole lines go out,
 * as many together as that allows.
 */
#ifndef LOG_JOURNAL_H
#define LOG_JOURNAL_H

#include <stddef.h>

#include "base/check.h"
#include "disk/device.h"

struct ev_loop;
struct engine;
struct journal;

enum {
	JOURNAL_MAX = 1024 * 1024,
	JOURNAL_LINE_MAX = 4096, /* PIPE_BUF of Linux */
};

/*
 * journal_new(loop, e, dev, fd, name):
 * Lines go to `fd`, which stays the caller's; `dev` bounds what it may hold
 * up (one of its own); `name`, which stays the caller's, is where that is,
 * for messages.  NULL when out of memory.
 */
NODISCARD struct journal *journal_new(struct ev_loop *loop, struct engine *e,
    struct device *dev, int fd, const char *name);

/* Add whole lines, the last newline included; they are copied.  Together they
 * are not longer than JOURNAL_LINE_MAX. */
void journal_add(struct journal *j, const char *lines, size_t len);

/* Begin writing what waits now, not in a few milliseconds. */
void journal_push(struct journal *j);

/* Nothing waits and nothing is being written. */
bool journal_is_idle(const struct journal *j);

/* Free it and clear the caller's pointer; what still waits is lost.  A write
 * in flight is a bug: see journal_is_idle(). */
void journal_free(struct journal **jp);

#endif
