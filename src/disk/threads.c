/*
 * The threads backend: ops wait in one list for a thread; threads are made
 * when an op finds none idle and end when they had nothing to do for a while.
 *
 * How many there can be follows from the cap per device, which the engine
 * holds: one thread for each op in flight.  So no op ever waits for a thread
 * that waits for another disk.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "disk/backend.h"

enum {
	IDLE_S = 10,
	STACK_BYTES = 256 * 1024,
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

static void *
thread_main(void *arg)
{
	struct threads *t = arg;
	struct op *op;

	pthread_mutex_lock(&t->lock);
	while ((op = next_op(t)) != NULL) {
		int res;

		pthread_mutex_unlock(&t->lock);
		res = op_run(op);
		pthread_mutex_lock(&t->lock);
		finish(t, op, res);
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

static void
threads_start(struct backend *b, struct op *op)
{
	struct threads *t = container_of(b, struct threads, base);

	pthread_mutex_lock(&t->lock);
	if (t->todo_count < t->idle || add_thread(t) == 0) {
		list_append(&t->todo, &op->node);
		t->todo_count++;
		pthread_cond_signal(&t->work);
	} else {
		/* To wait for a thread that waits for another disk would be
		 * worse than to fail. */
		finish(t, op, -EAGAIN);
	}
	pthread_mutex_unlock(&t->lock);
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
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	pthread_cond_init(&t->all_out, NULL);
	pthread_attr_init(&t->attr);
	pthread_attr_setdetachstate(&t->attr, PTHREAD_CREATE_DETACHED);
	check(pthread_attr_setstacksize(&t->attr, STACK_BYTES) == 0);
	*ret = &t->base;
	return 0;
}
