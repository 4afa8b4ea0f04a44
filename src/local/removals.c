#include "removals.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "local_error.h"
#include "unlinked.h"

#define AGAIN_S 1.0

enum {
	OLD_MAX = 256, /* of a directory, in a worker */
};

/* What is to be removed in a directory. */
struct queue {
	struct dir_last last;
	struct list_node node; /* of `queues` */
	struct local_dir *dir;
	struct list old;
	unsigned count; /* of `old`, with the one that is being tried */
	int said;	/* the last error logged about it */
	struct op op;
};

/* One that could not be removed. */
struct old_file {
	struct list_node node; /* of the queue's `old` */
	struct queue *queue;
	struct latest_entry entry;
};

static const char *
quote(const struct latest_entry *e, char *buf, size_t size)
{
	return str_quote(e->name, strlen(e->name), buf, size);
}

/* It was not removed because it is not the file that was uploaded. */
static void
say_kept(const struct local_dir *dir, const struct latest_entry *e)
{
	static struct log_limit limit;
	struct latest_entry now;
	char quoted[128];

	/* An upload may have replaced it meanwhile. */
	if ((latest_get(dir->latest, &now) && strcmp(now.name, e->name) == 0) ||
	    !log_allowed(&limit))
		return;
	log_notice("%s: %s is kept: it is not what was uploaded, or nothing "
		   "tells it from what others put there",
	    dir->to->policy->output_dir, quote(e, quoted, sizeof(quoted)));
}

/* ---- one after another ---- */

static int
remove_job(void *arg)
{
	struct old_file *o = arg;

	return unlinked_remove(o->queue->dir, &o->entry, NULL);
}

/* It is gone, or is not ours to remove. */
static bool
is_over(int res)
{
	return res >= 0 || res == -ENOENT || res == LOCAL_REFUSED;
}

static void try_next(struct queue *q);

static void
on_removed(struct op *op, int res)
{
	struct old_file *o = op->owner;
	struct queue *q = o->queue;
	struct local_dir *dir = q->dir;
	char quoted[128];

	if (!is_over(res)) {
		list_append(&q->old, &o->node);
	} else {
		if (res == 0)
			log_notice("%s: %s is removed now",
			    dir->to->policy->output_dir,
			    quote(&o->entry, quoted, sizeof(quoted)));
		else if (res == LOCAL_REFUSED)
			say_kept(dir, &o->entry);
		q->count--;
		free(o);
		q->said = 0;
		try_next(q);
	}
	dir_release(dir);
}

/* Try the first one; on_removed() goes on when that has succeeded. */
static void
try_next(struct queue *q)
{
	struct local_dir *dir = q->dir;
	struct list_node *n;

	if (q->op.in_flight || !device_accepts_writes(dir->device))
		return;
	n = list_shift(&q->old);
	if (n == NULL)
		return;
	dir_hold(dir);
	engine_call(dir->to->engine, dir->device, &q->op, remove_job,
	    container_of(n, struct old_file, node), CALL_SLOW | CALL_NO_STALL,
	    on_removed);
}

static void
removals_on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct removals *r = w->data;
	bool left = false;

	(void)revents;
	LIST_FOREACH(struct queue, q, &r->queues, node) {
		if (q->dir->users > 0) /* else it is being closed */
			try_next(q);
		left = left || q->count > 0;
	}
	if (!left)
		ev_timer_stop(loop, w);
}

/* ---- when the directory is closed ---- */

static struct queue *
queue_of(const struct local_dir *dir)
{
	return dir->last == NULL ? NULL
				 : container_of(dir->last, struct queue, last);
}

/* On an engine thread. */
static void
last_try(struct dir_last *l)
{
	struct queue *q = container_of(l, struct queue, last);

	LIST_FOREACH(struct old_file, o, &q->old, node) {
		if (!is_over(unlinked_remove(q->dir, &o->entry, NULL)))
			continue;
		list_remove(&o->node);
		free(o);
	}
}

static void
removals_give_up(struct dir_last *l)
{
	struct queue *q = container_of(l, struct queue, last);
	struct list_node *n;
	char quoted[128];

	while ((n = list_shift(&q->old)) != NULL) {
		struct old_file *o = container_of(n, struct old_file, node);

		log_error("%s: %s stays, although there is a newer upload: "
			  "remove it by hand",
		    q->dir->to->policy->output_dir,
		    quote(&o->entry, quoted, sizeof(quoted)));
		free(o);
	}
}

static void
free_queue(struct dir_last *l)
{
	struct queue *q = container_of(l, struct queue, last);

	list_remove(&q->node);
	free(q);
}

/* ---- what could not be removed ---- */

/* The one of the directory, made when it is first needed; NULL: out of memory. */
static struct queue *
make_queue(struct removals *r, struct local_dir *dir)
{
	struct queue *q = queue_of(dir);

	if (q != NULL)
		return q;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return NULL;
	q->last = (struct dir_last){last_try, removals_give_up, free_queue};
	q->dir = dir;
	list_init(&q->old);
	list_append(&r->queues, &q->node);
	dir->last = &q->last;
	return q;
}

static struct old_file *
add(struct queue *q, const struct latest_entry *e)
{
	struct old_file *o = NULL;

	if (q != NULL && q->count < OLD_MAX)
		o = malloc(sizeof(*o));
	if (o == NULL)
		return NULL;
	*o = (struct old_file){.queue = q, .entry = *e};
	list_append(&q->old, &o->node);
	q->count++;
	return o;
}

/* It is logged once for as long as the reason is the same. */
static void
try_again(struct removals *r, struct local_dir *dir,
    const struct latest_entry *e, int err)
{
	struct queue *q = make_queue(r, dir);
	const struct old_file *o = add(q, e);
	char quoted[128];

	if (o == NULL || q->said != err)
		log_warn("%s: %s cannot be removed, for which there is a newer "
			 "upload: %s; it %s",
		    dir->to->policy->output_dir,
		    quote(e, quoted, sizeof(quoted)), strerror(-err),
		    o == NULL ? "stays: there are too many of them"
			      : "is tried again until it can be");
	if (q != NULL)
		q->said = err;
	if (o != NULL && !ev_is_active(&r->again))
		ev_timer_again(r->loop, &r->again);
}

void
removals_tried(struct removals *r, struct local_dir *dir,
    const struct latest_entry *e, int res)
{
	if (res == LOCAL_REFUSED)
		say_kept(dir, e);
	else if (!is_over(res))
		try_again(r, dir, e, res);
}

bool
removals_are_left(const struct local_dir *dir)
{
	const struct queue *q = queue_of(dir);

	return q != NULL && q->count > 0;
}

void
removals_init(struct removals *r, struct ev_loop *loop)
{
	r->loop = loop;
	list_init(&r->queues);
	ev_timer_init(&r->again, removals_on_again, 0., AGAIN_S);
	r->again.data = r;
}

void
removals_fini(struct removals *r)
{
	check(list_is_empty(&r->queues));
	ev_timer_stop(r->loop, &r->again);
}
