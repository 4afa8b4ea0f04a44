#include "disk/engine.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "shared/bell.h"
#include "loop/deferred.h"
#include "disk/backend.h"
#include "disk/device.h"

/* How often we look, in parts of the longest time an operation may take. */
#define LOOKS 8.0
#define LOOK_MAX_S 1.0
#define LATE_S 0.5
#define TOLD_EVERY_S 10.
#define TURNS_S 0.001 /* how often other workers may have ended a turn */

struct engine {
	struct ev_loop *loop;
	struct fd_wake wake;
	ev_io on_wake;		 /* a backend has something for us */
	ev_prepare on_idle;	 /* the loop is about to sleep: flush */
	struct deferred deliver; /* `done` has something */
	struct backend *rw;	 /* reads and writes */
	struct backend *calls;	 /* everything else: threads */
	struct list done;	 /* completed, their on_done not called yet */
	size_t in_flight;
	struct list busy; /* devices that have operations that grow old */
	double stall_s;	  /* 0: they may take any time */
	ev_timer look;
	struct list holding; /* devices with operations that wait for a turn */
	ev_timer turns;
	ev_timer hurry; /* brief calls wait for others */
	ev_io on_bell;	/* another worker has ended something; fd -1: no bell */
	double told_s;	/* when the log was told of turns; 0: never */
	double looked_at;
};

/*
 * The backend that carries `op` out.  The ring's own threads put buffered writes
 * into one of 64 lines by a hash of the inode, over all files of the process: a
 * write that hangs on one disk holds up those to other disks that fall into its
 * line.  So where there are several disks, writes have threads of ours.  (Reads, and
 * direct writes on ext4 and XFS, are not put in line: `direct` of a device.)
 */
static struct backend *
choose_backend(const struct engine *e, const struct op *op)
{
	if (op->kind == OP_CALL || op->kind == OP_SPLICE)
		return e->calls;
	if (op->kind == OP_WRITE && !device_is_alone(op->device) &&
	    (op->align == 0 || !op->device->direct))
		return e->calls;
	return e->rw;
}

/* From now on it grows old, and so may those that wait for a place. */
static void
note_age(struct engine *e, struct op *op)
{
	struct device *dev = op->device;
	bool full = dev->in_flight >= dev->cap;

	if (e->stall_s <= 0 || (op->no_stall && !full))
		return;
	op->since = clock_mono_s();
	if (!op->no_stall)
		list_append(&dev->ages, &op->age);
	if (full)
		dev->moved_s = op->since;
	if (!list_is_linked(&dev->busy))
		list_append(&e->busy, &dev->busy);
	if (!ev_is_active(&e->look)) {
		e->looked_at = op->since;
		ev_timer_again(e->loop, &e->look);
	}
}

static void
start(struct engine *e, struct op *op)
{
	struct backend *b = choose_backend(e, op);

	op->device->in_flight++;
	op->started = true;
	note_age(e, op);
	b->ops->start(b, op);
	if (op->brief && !ev_is_active(&e->hurry))
		ev_timer_again(e->loop, &e->hurry);
}

static void
engine_on_hurry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct engine *e = w->data;

	(void)revents;
	if (!e->calls->ops->hurry(e->calls))
		ev_timer_stop(loop, w);
}

/* The device is stalled as long as its oldest operation has taken too long, or
 * all its places are taken and none has become free for as long. */
static void
engine_judge(const struct engine *e, struct device *dev)
{
	device_set_stalled(dev, device_oldest_s(dev) > e->stall_s);
}

/* `time` and `s`, but not in the future. */
static double
later(double time, double s, double now)
{
	return time + s < now ? time + s : now;
}

/* This process itself was stopped for `s` seconds: that time is not the disks',
 * and what they completed meanwhile has not been reaped yet. */
static void
forgive(struct engine *e, double s, double now)
{
	LIST_FOREACH(struct device, d, &e->busy, busy) {
		d->moved_s = later(d->moved_s, s, now);
		LIST_FOREACH(struct op, op, &d->ages, age) {
			op->since = later(op->since, s, now);
		}
	}
}

static void
engine_on_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct engine *e = w->data;
	double now = clock_mono_s(), late = now - e->looked_at - w->repeat;

	(void)revents;
	e->looked_at = now;
	if (late > 2 * w->repeat + LATE_S)
		forgive(e, late, now);
	LIST_FOREACH(struct device, d, &e->busy, busy)
		engine_judge(e, d);
	if (list_is_empty(&e->busy))
		ev_timer_stop(loop, w);
}

void
engine_watch(struct engine *e, double stall_s)
{
	double every = stall_s / LOOKS;

	e->stall_s = stall_s;
	e->look.repeat = every < LOOK_MAX_S ? every : LOOK_MAX_S;
}

/* It has its turn, and goes when there is a place. */
static void
enqueue(struct engine *e, struct op *op)
{
	struct device *dev = op->device;

	if (dev->in_flight >= dev->cap)
		list_append(&dev->waiting, &op->node);
	else
		start(e, op);
}

/* Those whose turn has come go. */
static void
let_go(struct engine *e, struct device *dev)
{
	struct op *op;

	while ((op = fair_next(&dev->fair)) != NULL)
		enqueue(e, op);
	if (!fair_holds(&dev->fair))
		list_remove(&dev->holding);
}

/* What ends a turn may happen in another worker. */
static void
on_turns(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct engine *e = w->data;

	(void)revents;
	LIST_FOREACH(struct device, d, &e->holding, holding)
		let_go(e, d);
	if (!list_is_empty(&e->holding))
		return;
	ev_timer_stop(loop, w);
	ev_io_stop(loop, &e->on_bell);
}

/* Once in a while: it may be so all day. */
static void
tell_turns(struct engine *e, const struct device *dev)
{
	double now = clock_mono_s();
	char number[DEVICE_NUMBER_MAX];

	if (e->told_s != 0 && now - e->told_s < TOLD_EVERY_S)
		return;
	e->told_s = now;
	device_number(dev->id, number);
	log_debug("disk %s: small synced uploads and large ones take "
		  "turns, large ones of %" PRIu64 " KiB",
	    number, fair_turn_bytes(&dev->fair) / 1024);
}

static void
on_bell(struct ev_loop *loop, ev_io *w, int revents)
{
	struct engine *e = w->data;

	bell_heard(w->fd);
	on_turns(loop, &e->turns, revents);
}

/* One is held there. */
static void
watch_turns(struct engine *e, struct device *dev)
{
	tell_turns(e, dev);
	if (!list_is_linked(&dev->holding))
		list_append(&e->holding, &dev->holding);
	if (!ev_is_active(&e->turns))
		ev_timer_again(e->loop, &e->turns);
	if (e->on_bell.fd != -1)
		ev_io_start(e->loop, &e->on_bell);
}

static void
deliver_later(struct engine *e, struct op *op)
{
	list_append(&e->done, &op->node);
	deferred_post(&e->deliver);
}

void
engine_submit(struct engine *e, struct device *dev, struct op *op)
{
	check(!op->in_flight);
	check(op->on_done != NULL);

	op->in_flight = true;
	op->started = false;
	op->called_off = false;
	op->is_admitted = false;
	op->age = (struct list_node){0};
	op->device = dev;
	op->done = 0;
	op->tries = 0;
	e->in_flight++;
	if (dev->kind == DEVICE_MEMORY && !op->slow) {
		op->res = op_run(op);
		op->started = true;
		dev->in_flight++;
		deliver_later(e, op);
	} else if (fair_admits(&dev->fair, op)) {
		enqueue(e, op);
	} else {
		watch_turns(e, dev);
	}
}

void
engine_call(struct engine *e, struct device *dev, struct op *op,
    int (*call)(void *arg), void *arg, unsigned flags,
    void (*on_done)(struct op *op, int res))
{
	check(!op->in_flight);
	check((flags & CALL_BULK) == 0 || (flags & CALL_SMALL) == 0);
	*op = (struct op){
	    .kind = OP_CALL,
	    .call = call,
	    .arg = arg,
	    .slow = (flags & CALL_SLOW) != 0,
	    .brief = (flags & CALL_BRIEF) != 0,
	    .no_stall = (flags & CALL_NO_STALL) != 0,
	    .turn = (flags & CALL_SMALL) != 0  ? OP_TURN_SMALL
		    : (flags & CALL_BULK) != 0 ? OP_TURN_BULK
					       : OP_TURN_ANY,
	    .weight = (flags & CALL_BULK) != 0 ? op->weight : 0,
	    .joins = (flags & CALL_JOINS) != 0,
	    .flushes = (flags & CALL_FLUSHES) != 0,
	    .owner = arg,
	    .on_done = on_done,
	};
	engine_submit(e, dev, op);
}

bool
engine_is_waiting(const struct op *op)
{
	return op->in_flight && !op->started;
}

bool
engine_cancel(struct engine *e, struct op *op)
{
	if (!engine_is_waiting(op))
		return false;
	fair_drop(&op->device->fair, op);
	list_remove(&op->node);
	op->res = -ECANCELED;
	op->called_off = op->started = true;
	op->device->in_flight++;
	deliver_later(e, op);
	return true;
}

/* `op` leaves its device; the next of those that wait may take its place. */
static void
leave_device(struct engine *e, struct op *op)
{
	struct device *dev = op->device;
	struct list_node *next;
	bool was_full = dev->in_flight >= dev->cap, timed;
	double now = 0;

	timed = list_is_linked(&op->age) && !op->called_off;
	if (timed || (was_full && !op->called_off))
		now = clock_mono_s();
	dev->in_flight--;
	if (was_full && !op->called_off)
		dev->moved_s = now;
	if (timed)
		device_note_latency(dev, now - op->since);
	list_remove(&op->age);
	fair_end(&dev->fair, op);
	if (dev->stalled)
		engine_judge(e, dev);
	if (list_is_empty(&dev->ages) && dev->in_flight < dev->cap)
		list_remove(&dev->busy);
	if (dev->in_flight < dev->cap &&
	    (next = list_shift(&dev->waiting)) != NULL)
		start(e, container_of(next, struct op, node));
}

/* Call on_done of all that completed, and let those that waited go. */
static void
on_deliver(struct deferred *d)
{
	struct engine *e = container_of(d, struct engine, deliver);
	struct list_node *n;

	while ((n = list_shift(&e->done)) != NULL) {
		struct op *op = container_of(n, struct op, node);

		check(op->in_flight);
		e->in_flight--;
		leave_device(e, op);
		op->in_flight = false;
		op->on_done(op, op->res); /* may free what `op` lives in */
	}
	/* Now that all is known of what comes next. */
	if (!list_is_empty(&e->holding))
		on_turns(e->loop, &e->turns, 0);
}

static void
engine_on_wake(struct ev_loop *loop, ev_io *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	fd_wake_lower(&e->wake);
	if (e->rw != e->calls)
		e->rw->ops->reap(e->rw, &e->done);
	e->calls->ops->reap(e->calls, &e->done);
	if (!list_is_empty(&e->done))
		deferred_post(&e->deliver);
}

static void
on_idle(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	e->rw->ops->flush(e->rw);
}

/* Make the backends that `choice` asks for. */
static int
make_backends(struct engine *e, enum conf_engine choice)
{
	int err;

	err = threads_new(&e->wake, &e->calls);
	if (err < 0)
		return err;
	e->rw = e->calls;
	if (choice == ENGINE_THREADS)
		return 0;
	err = uring_new(&e->wake, &e->rw);
	if (err == 0 || choice == ENGINE_IO_URING)
		return err;
	return 0;
}

int
engine_new(struct ev_loop *loop, enum conf_engine choice, struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	if (e == NULL)
		return -ENOMEM;
	e->loop = loop;
	list_init(&e->done);
	list_init(&e->busy);
	list_init(&e->holding);
	ev_timer_init(&e->look, engine_on_look, 0., LOOK_MAX_S);
	e->look.data = e;
	ev_timer_init(&e->turns, on_turns, 0., TURNS_S);
	e->turns.data = e;
	ev_timer_init(&e->hurry, engine_on_hurry, 0., BACKEND_HURRY_S);
	e->hurry.data = e;
	ev_io_init(&e->on_bell, on_bell, -1, EV_READ);
	e->on_bell.data = e;
	err = fd_wake_open(&e->wake);
	if (err < 0)
		goto free_engine;
	err = make_backends(e, choice);
	if (err < 0)
		goto free_backends;

	ev_io_init(&e->on_wake, engine_on_wake, e->wake.rd, EV_READ);
	e->on_wake.data = e;
	ev_io_start(loop, &e->on_wake);
	deferred_init(&e->deliver, loop, on_deliver);
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

void
engine_hear(struct engine *e, const struct bell *bell)
{
	ev_io_set(&e->on_bell, bell_listen(bell), EV_READ);
}

const char *
engine_name(const struct engine *e)
{
	return e->rw->ops->name;
}

size_t
engine_in_flight(const struct engine *e)
{
	return e->in_flight;
}

bool
engine_is_stuck(const struct engine *e)
{
	size_t stuck = 0;

	LIST_FOREACH(const struct device, d, &e->busy, busy) {
		if (!d->stalled)
			continue;
		stuck += d->in_flight + list_length(&d->waiting) + d->fair.held;
	}
	return stuck > 0 && stuck == e->in_flight;
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
	ev_timer_stop(e->loop, &e->look);
	ev_timer_stop(e->loop, &e->turns);
	ev_timer_stop(e->loop, &e->hurry);
	ev_io_stop(e->loop, &e->on_bell);
	fd_close(&e->on_bell.fd);
	deferred_cancel(&e->deliver);
	if (e->rw != e->calls)
		e->rw->ops->free(e->rw);
	e->calls->ops->free(e->calls);
	fd_wake_close(&e->wake);
	free(e);
	*ep = NULL;
}
