/*
 * log/journal.h - lines into a file or to syslog, without waiting for it.
 *
 * The access log and the trace may go to a disk, a pipe or a terminal that
 * makes a writer wait.  Lines are collected for a few milliseconds
 * and written by an engine thread, one write at a time, in order.  When more
 * than JOURNAL_MAX bytes wait, lines are dropped, and so are those that cannot be
 * written, or sent.  All of them are counted (METRICS_LOG_LINES_DROPPED) and told: in the
 * log itself, by a line that begins with #, or in the error log, now and then.
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
struct metrics_share;
struct syslog_to;

enum {
	JOURNAL_MAX = 1024 * 1024,
	JOURNAL_LINE_MAX = 4096, /* PIPE_BUF of Linux */
};

struct journal_setup {
	struct ev_loop *loop;
	struct engine *engine;
	/* Of its own, so that a write that hangs holds up nothing else. */
	struct device *device;
	int fd;			  /* the caller's; -1 with `syslog` */
	struct syslog_to *syslog; /* the journal's from here on; or NULL */
	const char *name;	  /* of the log, for messages */
	/* Lines that begin with # would be wrong in it: what was dropped is told in
	 * the error log. */
	bool strict;
	struct metrics_share *metrics; /* or NULL */
};

/*
 * journal_new(setup):
 * The caller owns the journal until journal_free(); what the setup points to stays.
 * NULL when out of memory: then setup->syslog is the caller's still.
 */
NODISCARD struct journal *journal_new(const struct journal_setup *setup);

/* Add a copy of whole lines, with the last newline.  Together they must not be longer than
 * JOURNAL_LINE_MAX. */
void journal_add(struct journal *j, const char *lines, size_t len);

/* Begin to write what waits now, and not only in a few milliseconds. */
void journal_push(struct journal *j);

/*
 * journal_reopen(j, fresh, done, arg):
 * From the next write on `fresh`, which is the journal's from here on, is the file of the
 * descriptor that it was given: so the number stays, for all who have it.  done(arg, err) is
 * called when that is so, with 0 or a negative errno.  One at a time.
 */
void journal_reopen(
    struct journal *j, int fresh, void (*done)(void *arg, int err), void *arg);

/* True when nothing waits and nothing is being written. */
bool journal_is_idle(const struct journal *j);

/* Free it and clear the caller's pointer.  Lines that still wait are lost; no write may be
 * in flight (journal_is_idle()). */
void journal_free(struct journal **jp);

#endif
