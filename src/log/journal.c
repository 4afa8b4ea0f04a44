#include "log/journal.h"

#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "shared/metrics.h"
#include "disk/engine.h"
#include "log/syslog.h"

#define COLLECT_S 0.005

enum {
	TELL_S = 10, /* between two messages about lines that were dropped */
};

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF
#endif

struct journal {
	struct journal_setup to;
	ev_timer collect;
	struct str waiting, writing;
	struct op op;	       /* in flight while `writing` has something */
	unsigned long dropped; /* and not told yet */
	struct log_limit limit;

	/* Of journal_reopen(): */
	int fresh; /* -1: none */
	void (*done)(void *arg, int err);
	void *arg;

	/* The job's, while the operation is in flight: */
	bool is_known, is_file; /* what `fd` is */
	bool torn;		/* the last line in the file has no end */
	int taken;		/* `fresh`, or -1 */
	int reopen_err;
	size_t lost; /* lines */
	int lost_err;
};

/* How many of the first bytes are whole lines that a pipe takes as one. */
static size_t
count_together(const char *s, size_t len)
{
	size_t together = 0;

	while (together < len) {
		const char *end = memchr(s + together, '\n', len - together);
		size_t next = end == NULL ? len : (size_t)(end - s) + 1;

		if (together > 0 && next > PIPE_BUF)
			break;
		together = next;
	}
	return together;
}

/* What is left of them when a write fails: all of that is lost, and with it a line that was
 * written in part. */
static void
lose(struct journal *j, const char *s, size_t left, int err)
{
	j->torn = s > j->writing.s ? s[-1] != '\n' : j->torn;
	j->lost += str_count_lines(s, left);
	j->lost_err = err;
}

/* Write them, as many bytes at a time as `together` says. */
static void
write_lines(struct journal *j, const char *s, size_t left)
{
	while (left > 0) {
		size_t n = j->is_file ? left : count_together(s, left), done;
		int err = fd_write_some(j->to.fd, s, n, &done);

		s += done;
		left -= done;
		if (err < 0) {
			lose(j, s, left, err);
			return;
		}
	}
}

static void
take_fresh(struct journal *j)
{
	j->reopen_err = fd_move_onto(j->taken, j->to.fd);
	fd_close(&j->taken);
	j->is_known = j->torn = false;
}

/* On an engine thread: fstat(2) may wait, too, and the end of the file before. */
static int
write_journal(void *arg)
{
	struct journal *j = arg;
	struct stat st;

	if (j->taken != -1)
		take_fresh(j);
	if (j->to.syslog != NULL) {
		j->lost += syslog_to_send(
		    j->to.syslog, j->writing.s, j->writing.len, &j->lost_err);
		return 0;
	}
	if (!j->is_known)
		j->is_file = fstat(j->to.fd, &st) == 0 && S_ISREG(st.st_mode);
	j->is_known = true;
	/* A line that has no end must not spoil the next one, too. */
	if (j->torn && fd_write_all(j->to.fd, "\n", 1) == 0)
		j->torn = false;
	write_lines(j, j->writing.s, j->writing.len);
	return 0;
}

static const char *
why_lost(int err)
{
	return err == -EPIPE ? "its reader is gone" : strerror(-err);
}

/* Each is counted once, when it is certain. */
static void
drop(struct journal *j, size_t lines)
{
	if (j->to.metrics != NULL)
		metrics_add(j->to.metrics, METRICS_LOG_LINES_DROPPED, lines);
}

/* Those that could not be written, and those that had no room, where the log cannot say so
 * itself. */
static void
tell_lost(struct journal *j)
{
	static struct log_limit limit;
	size_t lost = j->lost;

	j->lost = 0;
	drop(j, lost);
	if (lost > 0 && log_allowed(&limit))
		log_error("log %s: %s: lines are lost", j->to.name,
		    why_lost(j->lost_err));
	if (!j->to.strict || j->dropped == 0 ||
	    !log_allowed_each(&j->limit, TELL_S))
		return;
	lost = j->dropped;
	j->dropped = 0;
	log_error("log %s: %zu lines were dropped: it did not take them in "
		  "time",
	    j->to.name, lost);
}

static void
journal_on_written(struct op *op, int res)
{
	struct journal *j = op->owner;
	void (*done)(void *arg, int err) = j->done;

	check(res == 0);
	str_clear(&j->writing);
	tell_lost(j);
	if (done != NULL && j->fresh == -1) {
		j->done = NULL;
		done(j->arg, j->reopen_err);
	}
	journal_push(j);
}

void
journal_push(struct journal *j)
{
	struct str empty;

	ev_timer_stop(j->to.loop, &j->collect);
	if (j->op.in_flight || (j->waiting.len == 0 && j->fresh == -1))
		return;
	if (j->dropped > 0 && !j->to.strict) {
		str_printf(&j->waiting,
		    "# %lu lines were dropped: the log "
		    "did not take them in time\n",
		    j->dropped);
		j->dropped = 0;
	}
	empty = j->writing;
	j->writing = j->waiting;
	j->waiting = empty;
	j->taken = j->fresh;
	j->fresh = -1;
	engine_call(j->to.engine, j->to.device, &j->op, write_journal, j, 0,
	    journal_on_written);
}

void
journal_reopen(
    struct journal *j, int fresh, void (*done)(void *arg, int err), void *arg)
{
	check(j->done == NULL);
	j->fresh = fresh;
	j->done = done;
	j->arg = arg;
	journal_push(j);
}

static void
journal_on_collected(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	journal_push(w->data);
}

void
journal_add(struct journal *j, const char *lines, size_t len)
{
	check(len <= JOURNAL_LINE_MAX);
	if (j->waiting.len + len > JOURNAL_MAX) {
		j->dropped++;
		drop(j, 1);
		return;
	}
	str_add(&j->waiting, lines, len);
	if (str_failed(&j->waiting)) {
		j->waiting.failed = false; /* all that it has is whole lines */
		j->dropped++;
		drop(j, 1);
		return;
	}
	if (!j->op.in_flight && !ev_is_active(&j->collect)) {
		ev_timer_set(&j->collect, COLLECT_S, 0.);
		ev_timer_start(j->to.loop, &j->collect);
	}
}

bool
journal_is_idle(const struct journal *j)
{
	return !j->op.in_flight && j->waiting.len == 0 && j->fresh == -1;
}

struct journal *
journal_new(const struct journal_setup *setup)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->to = *setup;
	j->fresh = j->taken = -1;
	ev_timer_init(&j->collect, journal_on_collected, 0., 0.);
	j->collect.data = j;
	return j;
}

void
journal_free(struct journal **jp)
{
	struct journal *j = *jp;

	if (j == NULL)
		return;
	check(!j->op.in_flight);
	ev_timer_stop(j->to.loop, &j->collect);
	str_fini(&j->waiting);
	str_fini(&j->writing);
	syslog_to_free(&j->to.syslog);
	fd_close(&j->fresh);
	free(j);
	*jp = NULL;
}
