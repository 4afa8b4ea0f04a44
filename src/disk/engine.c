#include "disk/engine.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "disk/device.h"

struct engine {
	struct ev_loop *loop;
	struct fd_wake wake;
	ev_io on_wake;	    /* a backend has something for us */
	ev_prepare on_idle; /* the loop is about to sleep: flush */
	ev_prepare on_done; /* never started: fed when `done` has something */
	struct backend *moves; /* reads and writes */
	struct backend *calls; /* everything else: threads */
	struct list done;      /* completed, their on_done not called yet */
	size_t in_flight;
};

/*
 * Who carries `op` out.  The ring's own threads take buffered writes to one of
 * 64 lines by a hash of the inode, over all files of the process: a write that
 * hangs on one disk holds up those to other disks that fall into its line.  So
 * where there are several disks, writes have threads of ours.  (Reads, and
 * direct writes on ext4 and XFS, are not put in line.)
 */
static struct backend *
choose_backend(const struct engine *e, const struct op *op)
{
	if (op->kind == OP_CALL)
		return e->calls;
	if (op->kind == OP_WRITE && !device_is_alone(op->device))
		return e->calls;
	return e->moves;
}

static void
start(struct engine *e, struct op *op)
{
	struct backend *b = choose_backend(e, op);

	op->device->in_flight++;
	b->ops->start(b, op);
}

static void
deliver_later(struct engine *e, struct op *op)
{
	list_append(&e->done, &op->node);
	ev_feed_event(e->loop, &e->on_done, EV_CUSTOM);
}

void
engine_submit(struct engine *e, struct device *dev, struct op *op)
{
	check(!op->in_flight);
	check(op->on_done != NULL);

	op->in_flight = true;
	op->device = dev;
	op->done = 0;
	e->in_flight++;
	if (dev->kind == DEVICE_MEMORY && !op->lengthy) {
		op->res = op_run(op);
		dev->in_flight++;
		deliver_later(e, op);
	} else if (dev->in_flight >= ENGINE_DEVICE_CAP) {
		list_append(&dev->waiting, &op->node);
	} else {
		start(e, op);
	}
}

void
engine_done(struct engine *e, struct op *op)
{
	check(op->in_flight);
	deliver_later(e, op);
}

/* Call on_done of all that completed, and let those that waited go. */
static void
on_done(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct engine *e = w->data;
	struct list_node *n, *next;

	(void)loop;
	(void)revents;
	while ((n = list_shift(&e->done)) != NULL) {
		struct op *op = container_of(n, struct op, node);
		struct device *dev = op->device;

		e->in_flight--;
		dev->in_flight--;
		if (dev->in_flight < ENGINE_DEVICE_CAP &&
		    (next = list_shift(&dev->waiting)) != NULL)
			start(e, container_of(next, struct op, node));
		op->in_flight = false;
		op->on_done(op, op->res); /* may free what `op` lives in */
	}
}

static void
on_wake(struct ev_loop *loop, ev_io *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	fd_wake_lower(&e->wake);
	if (e->moves != e->calls)
		e->moves->ops->reap(e->moves);
	e->calls->ops->reap(e->calls);
}

static void
on_idle(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	e->moves->ops->flush(e->moves);
}

/* Make the backends that `wish` asks for. */
static int
make_backends(struct engine *e, enum engine_wish wish)
{
	int err;

	err = threads_new(e, &e->wake, &e->calls);
	if (err < 0)
		return err;
	e->moves = e->calls;
	if (wish == ENGINE_WISH_THREADS)
		return 0;
	err = uring_new(e, &e->wake, &e->moves);
	if (err == 0 || wish == ENGINE_WISH_URING)
		return err;
	return 0;
}

int
engine_new(struct ev_loop *loop, enum engine_wish wish, struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	if (e == NULL)
		return -ENOMEM;
	e->loop = loop;
	list_init(&e->done);
	err = fd_wake_open(&e->wake);
	if (err < 0)
		goto free_engine;
	err = make_backends(e, wish);
	if (err < 0)
		goto free_backends;

	ev_io_init(&e->on_wake, on_wake, e->wake.rd, EV_READ);
	e->on_wake.data = e;
	ev_io_start(loop, &e->on_wake);
	ev_prepare_init(&e->on_done, on_done);
	e->on_done.data = e;
	ev_prepare_init(&e->on_idle, on_idle);
	e->on_idle.data = e;
	ev_prepare_start(loop, &e->on_idle);
	*ret = e;
	return 0;

free_backends:
	if (e->calls != NULL)
		e->calls->ops->free(e->calls);
	fd_wake_close(&e->wake);
free_engine:
	free(e);
	return err;
}

const char *
engine_name(const struct engine *e)
{
	return e->moves->ops->name;
}

size_t
engine_in_flight(const struct engine *e)
{
	return e->in_flight;
}

void
engine_free(struct engine **ep)
{
	struct engine *e = *ep;

	if (e == NULL)
		return;
	check(e->in_flight == 0);
	ev_io_stop(e->loop, &e->on_wake);
	ev_prepare_stop(e->loop, &e->on_idle);
	ev_clear_pending(e->loop, &e->on_done);
	if (e->moves != e->calls)
		e->moves->ops->free(e->moves);
	e->calls->ops->free(e->calls);
	fd_wake_close(&e->wake);
	free(e);
	*ep = NULL;
}
