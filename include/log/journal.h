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
 * Lines are written to `fd`, which stays the caller's, by operations on `dev`, a device of
 * its own, so that a write that hangs holds up nothing else.  `name` is what messages
 * call the file; it stays the caller's, too.  The caller owns the journal until
 * journal_free().  NULL when out of memory.
 */
NODISCARD struct journal *journal_new(struct ev_loop *loop, struct engine *e,
    struct device *dev, int fd, const char *name);

/* Add a copy of whole lines, with the last newline.  Together they must not be longer than
 * JOURNAL_LINE_MAX. */
void journal_add(struct journal *j, const char *lines, size_t len);

/* Begin to write what waits now, and not only in a few milliseconds. */
void journal_push(struct journal *j);

/* True when nothing waits and nothing is being written. */
bool journal_is_idle(const struct journal *j);

/* Free it and clear the caller's pointer.  Lines that still wait are lost; no write may be
 * in flight (journal_is_idle()). */
void journal_free(struct journal **jp);

#endif
