/*
 * The logs of a worker, opened again: the master hands them over one by one, and is answered
 * when the next line goes there (proc/log_handover.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/log.h"
#include "log/journal.h"
#include "proc/verdict.h"
#include "log_handover.h"
#include "worker_internal.h"

static void
answer(struct worker *w)
{
	struct worker_reopen *r = &w->reopen;
	struct log_handover_message m = {.round = r->round, .err = r->err};

	if (fd_pass_send(r->control.fd, &m,
		offsetof(struct log_handover_message, name), -1) < 0)
		log_warn("reopen: the master cannot be told");
	ev_io_start(w->loop, &r->control);
}

static void
on_reopened(void *arg, int err)
{
	struct worker *w = arg;

	check(w->reopen.waits > 0);
	if (err < 0)
		w->reopen.err = err;
	if (--w->reopen.waits == 0)
		answer(w);
}

/* `fd` stays the caller's. */
static void
give(struct worker *w, struct journal *j, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own == -1) {
		w->reopen.err = -errno;
		return;
	}
	w->reopen.waits++;
	journal_reopen(j, own, on_reopened, w);
}

static void
on_handed_over(struct ev_loop *loop, ev_io *io, int revents)
{
	struct worker *w = io->data;
	const struct logs *logs = w->to->logs;
	struct log_handover_message m;
	ssize_t n;
	int fd;

	(void)revents;
	n = fd_pass_receive(io->fd, &m, sizeof(m), &fd);
	if (n == -EAGAIN)
		return;
	ev_io_stop(loop, io);
	if (n <= 0)
		return; /* the master is gone */
	check((size_t)n > offsetof(struct log_handover_message, name) &&
	      memchr(m.name, '\0',
		  (size_t)n - offsetof(struct log_handover_message, name)) !=
		  NULL);
	w->reopen.round = m.round;
	w->reopen.err = fd == -1 ? -EMFILE : 0;
	/* One more, in case a journal is done at once. */
	w->reopen.waits = 1;
	if (fd != -1 && strcmp(m.name, w->to->conf->error_log) == 0)
		give(w, w->errors, fd);
	for (size_t i = 0; fd != -1 && i < logs->access_count; i++)
		if (strcmp(m.name, logs->access[i].conf->target) == 0)
			give(w, w->access[i], fd);
	fd_close(&fd);
	on_reopened(w, 0);
}

void
worker_reopen_begin(struct worker *w)
{
	ev_io_init(&w->reopen.control, on_handed_over, w->to->control, EV_READ);
	w->reopen.control.data = w;
	if (w->to->control != -1)
		ev_io_start(w->loop, &w->reopen.control);
}

void
worker_reopen_alone(struct worker *w)
{
	struct logs logs = *w->to->logs;
	int err;

	verdict_begin(w->to->reopened);
	err = logs_reopen(&logs, w->to->conf);
	if (err < 0)
		log_error("reopen: the others were opened again");
	else
		log_notice("logs reopened");
	verdict_give(
	    w->to->reopened, err < 0 ? VERDICT_REFUSED : VERDICT_APPLIED);
}
