#include "disk/journal.h"

#include <ev.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "disk/engine.h"

#define COLLECT_S 0.005

struct journal {
	struct ev_loop *loop;
	struct engine *engine;
	struct device *device;
	int fd;
	ev_timer collect;
	struct str waiting, writing;
	struct op op; /* in flight while `writing` has something */
	unsigned long dropped;
};

/* On an engine thread. */
static int
write_lines(void *arg)
{
	struct journal *j = arg;

	return fd_write_all(j->fd, j->writing.s, j->writing.len);
}

static void
on_written(struct op *op, int res)
{
	static struct log_limit limit;
	struct journal *j = op->owner;

	if (res < 0 && log_allowed(&limit))
		log_error("log: write: errno %d: lines are lost", -res);
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
	j->op.kind = OP_CALL;
	j->op.call = write_lines;
	j->op.arg = j;
	j->op.owner = j;
	j->op.on_done = on_written;
	engine_submit(j->engine, j->device, &j->op);
}

static void
on_collected(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	journal_push(w->data);
}

void
journal_add(struct journal *j, const char *lines, size_t len)
{
	if (j->waiting.len + len > JOURNAL_MAX) {
		j->dropped++;
		return;
	}
	str_add(&j->waiting, lines, len);
	if (str_failed(&j->waiting)) {
		j->waiting.failed = false; /* what is there is whole lines */
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
journal_new(struct ev_loop *loop, struct engine *e, struct device *dev, int fd)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->loop = loop;
	j->engine = e;
	j->device = dev;
	j->fd = fd;
	ev_timer_init(&j->collect, on_collected, 0., 0.);
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
