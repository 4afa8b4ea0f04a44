/*
 * The threads backend: ops wait in one list for a thread; threads are made
 * when an op finds none idle and end when they had nothing to do for a while.
 *
 * How many there can be follows from the cap per device, which the engine
 * holds: one thread for each op in flight.  So no op ever waits for a thread
 * that waits for another disk.
 *
 * Brief calls of one device wait in a lane instead, from which one thread takes them,
 * one after the other.  Side by side they would only wait for each other: for the
 * kernel's locks of a directory, with a switch of threads each time.  When one of them
 * has waited for too long, since what runs takes long after all, one more thread takes
 * part in the lane.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "disk/backend.h"

enum {
	BRIEF_NS = 1000 * 1000, /* what a brief call takes, at most */
	IDLE_S = 10,
	STACK_BYTES = 256 * 1024,
	LANES = 8, /* devices that have brief calls at the same time */
};

/* Brief calls of one device; all under the lock of `threads`. */
struct lane {
	const struct device *device; /* when idle it may get another */
	struct list todo;
	struct op runner; /* a call of a thread that takes part, ... */
	bool is_called;	  /* ... while it waits for one */
	unsigned running; /* threads that take part */
	unsigned calls;	  /* of threads, so far */
};

struct threads {
	struct backend base;
	const struct fd_wake *wake;
	pthread_mutex_t lock;
	pthread_cond_t work;	/* `todo` has something, or it is the end */
	pthread_cond_t all_out; /* the last thread ended */
	pthread_attr_t attr;

	/* under `lock` */
	struct list todo, done;
	size_t todo_count, idle, count;
	struct lane lanes[LANES];
	bool ending;
};

/* With the lock held: the next op, or NULL when this thread is to end. */
static struct op *
next_op(struct threads *t)
{
	struct list_node *n;

	while ((n = list_shift(&t->todo)) == NULL) {
		struct timespec until;
		int err;

		if (t->ending)
			return NULL;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += IDLE_S;
		t->idle++;
		err = pthread_cond_timedwait(&t->work, &t->lock, &until);
		t->idle--;
		if (err == ETIMEDOUT && list_is_empty(&t->todo))
			return NULL;
	}
	t->todo_count--;
	return container_of(n, struct op, node);
}

/* With the lock held: `op` is done, in whatever way. */
static void
finish(struct threads *t, struct op *op, int res)
{
	bool first = list_is_empty(&t->done);

	op->res = res;
	list_append(&t->done, &op->node);
	if (first)
		fd_wake_raise(t->wake);
}

/* With the lock held: run it, without. */
static void
run(struct threads *t, struct op *op)
{
	int res;

	pthread_mutex_unlock(&t->lock);
	res = op_run(op);
	pthread_mutex_lock(&t->lock);
	finish(t, op, res);
}

/*
 * With the lock held: take part in a lane, until nothing waits there.  Where calls are
 * over soon one thread is enough, the last one that came: one that came before may be
 * stuck.
 */
static void
run_lane(struct threads *t, struct lane *l)
{
	unsigned number = ++l->calls;
	uint64_t began = clock_mono_ns(), took = 0;
	struct list_node *n;

	l->is_called = false;
	l->running++;
	while ((l->running == 1 || number == l->calls || took > BRIEF_NS) &&
	       (n = list_shift(&l->todo)) != NULL) {
		run(t, container_of(n, struct op, node));
		took = clock_mono_ns() - began;
		began += took;
	}
	l->running--;
}

/* Is it a lane's call of a thread?  No owner of another op is these threads. */
static bool
is_runner(const struct threads *t, const struct op *op)
{
	return op->owner == t;
}

static void *
thread_main(void *arg)
{
	struct threads *t = arg;
	struct op *op;

	pthread_mutex_lock(&t->lock);
	while ((op = next_op(t)) != NULL) {
		if (is_runner(t, op))
			run_lane(t, op->arg);
		else
			run(t, op);
	}
	t->count--;
	if (t->count == 0)
		pthread_cond_signal(&t->all_out);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* With the lock held: one more thread, signals blocked (they are the loop's). */
static int
add_thread(struct threads *t)
{
	sigset_t all, before;
	pthread_t id;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&id, &t->attr, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err == 0)
		t->count++;
	return -err;
}

/* With the lock held: a thread is to take `op`.  False: there is none, and to wait for
 * one that waits for another disk would be worse than to fail. */
static bool
give(struct threads *t, struct op *op)
{
	if (t->todo_count >= t->idle && add_thread(t) < 0)
		return false;
	list_append(&t->todo, &op->node);
	t->todo_count++;
	pthread_cond_signal(&t->work);
	return true;
}

static bool
is_lane_idle(const struct lane *l)
{
	return list_is_empty(&l->todo) && l->running == 0 && !l->is_called;
}

/* With the lock held: the lane of that device, or NULL. */
static struct lane *
lane_of(struct threads *t, const struct device *d)
{
	struct lane *idle = NULL;

	for (size_t i = 0; i < LANES; i++) {
		struct lane *l = &t->lanes[i];

		if (l->device == d)
			return l;
		if (is_lane_idle(l))
			idle = l;
	}
	if (idle != NULL)
		idle->device = d;
	return idle;
}

/* With the lock held: one thread more takes part, soon.  False: there is none. */
static bool
call_runner(struct threads *t, struct lane *l)
{
	if (!l->is_called)
		l->is_called = give(t, &l->runner);
	return l->is_called;
}

/* With the lock held: false when there is no lane, nor a thread for it. */
static bool
give_lane(struct threads *t, struct op *op)
{
	struct lane *l = lane_of(t, op->device);

	if (l == NULL || (l->running == 0 && !call_runner(t, l)))
		return false;
	op->since = clock_mono_s();
	list_append(&l->todo, &op->node);
	return true;
}

static void
threads_start(struct backend *b, struct op *op)
{
	struct threads *t = container_of(b, struct threads, base);

	pthread_mutex_lock(&t->lock);
	if (!(op->brief && give_lane(t, op)) && !give(t, op))
		finish(t, op, -EAGAIN);
	pthread_mutex_unlock(&t->lock);
}

static bool
threads_hurry(struct backend *b)
{
	struct threads *t = container_of(b, struct threads, base);
	double late = clock_mono_s() - BACKEND_HURRY_S;
	bool any = false;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *l = &t->lanes[i];
		struct list_node *n = list_first(&l->todo);

		if (n == NULL)
			continue;
		any = true;
		if (container_of(n, struct op, node)->since < late)
			(void)call_runner(t, l); /* or the next time */
	}
	pthread_mutex_unlock(&t->lock);
	return any;
}

static void
threads_flush(struct backend *b)
{
	(void)b;
}

static void
threads_reap(struct backend *b, struct list *done)
{
	struct threads *t = container_of(b, struct threads, base);

	pthread_mutex_lock(&t->lock);
	list_append_all(done, &t->done);
	pthread_mutex_unlock(&t->lock);
}

static void
threads_free(struct backend *b)
{
	struct threads *t = container_of(b, struct threads, base);

	pthread_mutex_lock(&t->lock);
	t->ending = true;
	pthread_cond_broadcast(&t->work);
	while (t->count > 0)
		pthread_cond_wait(&t->all_out, &t->lock);
	pthread_mutex_unlock(&t->lock);
	pthread_attr_destroy(&t->attr);
	pthread_cond_destroy(&t->all_out);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const struct backend_ops threads_ops = {
    .name = "threads",
    .start = threads_start,
    .flush = threads_flush,
    .hurry = threads_hurry,
    .reap = threads_reap,
    .free = threads_free,
};

int
threads_new(const struct fd_wake *wake, struct backend **ret)
{
	struct threads *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	t->base.ops = &threads_ops;
	t->wake = wake;
	list_init(&t->todo);
	list_init(&t->done);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *l = &t->lanes[i];

		list_init(&l->todo);
		l->runner = (struct op){.kind = OP_CALL, .arg = l, .owner = t};
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	pthread_cond_init(&t->all_out, NULL);
	pthread_attr_init(&t->attr);
	pthread_attr_setdetachstate(&t->attr, PTHREAD_CREATE_DETACHED);
	check(pthread_attr_setstacksize(&t->attr, STACK_BYTES) == 0);
	*ret = &t->base;
	return 0;
}
