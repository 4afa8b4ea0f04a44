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
#include "disk/engine.h"

#define COLLECT_S 0.005

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF
#endif

struct journal {
	struct ev_loop *loop;
	struct engine *engine;
	struct device *device;
	const char *name; /* of the log, for messages */
	int fd;
	bool is_known, is_file; /* what `fd` is; the job's, which finds out */
	ev_timer collect;
	struct str waiting, writing;
	struct op op; /* in flight while `writing` has something */
	unsigned long dropped;
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

/* On an engine thread: fstat(2) may wait, too. */
static int
write_lines(void *arg)
{
	struct journal *j = arg;
	const char *s = j->writing.s;
	size_t left = j->writing.len;
	struct stat st;
	int err = 0;

	if (!j->is_known)
		j->is_file = fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode);
	j->is_known = true;
	if (j->is_file)
		return fd_write_all(j->fd, s, left);
	while (left > 0 && err == 0) {
		size_t n = count_together(s, left);

		err = fd_write_all(j->fd, s, n);
		s += n;
		left -= n;
	}
	return err;
}

static void
journal_on_written(struct op *op, int res)
{
	static struct log_limit limit;
	struct journal *j = op->owner;

	if (res < 0 && log_allowed(&limit))
		log_error("log %s: %s: lines are lost", j->name,
		    res == -EPIPE ? "its reader is gone" : strerror(-res));
	str_clear(&j->writing);
	if (j->waiting.len > 0)
		journal_push(j);
}

void
journal_push(struct journal *j)
{
	struct str empty;

	ev_timer_stop(j->loop, &j->collect);
	if (j->op.in_flight || j->waiting.len == 0)
		return;
	if (j->dropped > 0)
		str_printf(&j->waiting,
		    "# %lu lines were dropped: the log "
		    "did not take them in time\n",
		    j->dropped);
	j->dropped = 0;
	empty = j->writing;
	j->writing = j->waiting;
	j->waiting = empty;
	engine_call(j->engine, j->device, &j->op, write_lines, j, 0,
	    journal_on_written);
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
		return;
	}
	str_add(&j->waiting, lines, len);
	if (str_failed(&j->waiting)) {
		j->waiting.failed = false; /* all that it has is whole lines */
		j->dropped++;
		return;
	}
	if (!j->op.in_flight && !ev_is_active(&j->collect)) {
		ev_timer_set(&j->collect, COLLECT_S, 0.);
		ev_timer_start(j->loop, &j->collect);
	}
}

bool
journal_is_idle(const struct journal *j)
{
	return !j->op.in_flight && j->waiting.len == 0;
}

struct journal *
journal_new(struct ev_loop *loop, struct engine *e, struct device *dev, int fd,
    const char *name)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->loop = loop;
	j->engine = e;
	j->device = dev;
	j->fd = fd;
	j->name = name;
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
	ev_timer_stop(j->loop, &j->collect);
	str_fini(&j->waiting);
	str_fini(&j->writing);
	free(j);
	*jp = NULL;
}
