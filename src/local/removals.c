/*
 * `keep latest`: the uploads that are to go, since there is a newer one.
 *
 * Each is removed by the upload that took its place, if it still is the file
 * that it was.  What could not be removed then (no descriptor was left, somebody
 * has made it immutable) is tried again until it can be, one after another; and
 * a last time when the directory is closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "internal.h"

#define RETRY_S 1.0

enum {
	OLD_MAX = 256, /* of a directory, in a worker */
};

/* One that could not be removed. */
struct old_file {
	struct list_node node; /* of the directory's `old` */
	struct local_dir *at;
	struct latest_entry entry;
};

static const char *
quote(const struct latest_entry *e, char *buf, size_t size)
{
	return str_quote(e->name, strlen(e->name), buf, size);
}

/* It was not removed since it is not what we have stored. */
static void
say_kept(const struct local_dir *at, const struct latest_entry *e)
{
	static struct log_limit limit;
	struct latest_entry now;
	char quoted[128];

	/* An upload may have replaced it meanwhile. */
	if ((latest_get(at->latest, &now) && strcmp(now.name, e->name) == 0) ||
	    !log_allowed(&limit))
		return;
	log_notice("%s: %s is kept: it is not what was uploaded, or nothing "
		   "tells it from what others put there",
	    at->local->base.dir, quote(e, quoted, sizeof(quoted)));
}

static int
remove_job(void *arg)
{
	struct old_file *o = arg;

	return jobs_remove(o->at, &o->entry, NULL);
}

static void try_next(struct local_dir *at);

static void
on_removed(struct op *op, int res)
{
	struct old_file *o = op->owner;
	struct local_dir *at = o->at;
	char quoted[128];

	if (res < 0 && res != -ENOENT && res != STORE_REFUSED) {
		list_append(&at->old, &o->node);
	} else {
		if (res == 0)
			log_notice("%s: %s is removed now", at->local->base.dir,
			    quote(&o->entry, quoted, sizeof(quoted)));
		else if (res == STORE_REFUSED)
			say_kept(at, &o->entry);
		at->old_count--;
		free(o);
		at->old_said = 0;
		try_next(at);
	}
	local_dir_leave(at);
}

/* The first one; those that follow come when that could be done. */
static void
try_next(struct local_dir *at)
{
	struct list_node *n;

	if (at->old_op.in_flight || device_is_avoided(at->device))
		return;
	n = list_shift(&at->old);
	if (n == NULL)
		return;
	local_dir_enter(at);
	at->old_op = (struct op){.kind = OP_CALL,
	    .call = remove_job,
	    .slow = true,
	    .no_stall = true,
	    .arg = container_of(n, struct old_file, node),
	    .owner = container_of(n, struct old_file, node),
	    .on_done = on_removed};
	engine_submit(at->local->to.engine, at->device, &at->old_op);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct local *local = w->data;
	bool left = false;

	(void)revents;
	LIST_FOREACH(struct local_dir, at, &local->dirs, node) {
		if (at->users > 0) /* else it is being closed */
			try_next(at);
		left = left || at->old_count > 0;
	}
	if (!left)
		ev_timer_stop(loop, w);
}

/* It is told once for as long as the reason is the same. */
static void
try_again(struct local_dir *at, const struct latest_entry *e, int err)
{
	struct local *local = at->local;
	struct old_file *o = NULL;
	char quoted[128];

	if (at->old_count < OLD_MAX)
		o = malloc(sizeof(*o));
	if (o == NULL || at->old_said != err)
		log_warn("%s: %s cannot be removed, for which there is a newer "
			 "upload: %s; it %s",
		    local->base.dir, quote(e, quoted, sizeof(quoted)),
		    strerror(-err),
		    o == NULL ? "stays: there are too many of them"
			      : "is tried again until it can be");
	at->old_said = err;
	if (o == NULL)
		return;
	*o = (struct old_file){.at = at, .entry = *e};
	list_append(&at->old, &o->node);
	at->old_count++;
	if (!ev_is_active(&local->old_again))
		ev_timer_again(local->to.loop, &local->old_again);
}

void
removals_tried(struct local_dir *at, const struct latest_entry *e, int res)
{
	if (res == STORE_REFUSED)
		say_kept(at, e);
	else if (res < 0 && res != -ENOENT)
		try_again(at, e, res);
}

void
removals_last_try(struct local_dir *at)
{
	LIST_FOREACH(struct old_file, o, &at->old, node) {
		int err = jobs_remove(at, &o->entry, NULL);

		if (err < 0 && err != -ENOENT && err != STORE_REFUSED)
			continue;
		list_remove(&o->node);
		free(o);
	}
}

void
removals_give_up(struct local_dir *at)
{
	struct list_node *n;
	char quoted[128];

	while ((n = list_shift(&at->old)) != NULL) {
		struct old_file *o = container_of(n, struct old_file, node);

		log_error("%s: %s stays, although there is a newer upload: "
			  "remove it by hand",
		    at->local->base.dir,
		    quote(&o->entry, quoted, sizeof(quoted)));
		free(o);
	}
}

void
removals_rest(struct store *s)
{
	struct local *local = local_of(s);

	if (local->at == NULL || local->at->old_count == 0 ||
	    device_is_hanging(local->at->device))
		return;
	ev_timer_stop(local->to.loop, &local->retry);
	reopen_done(local, local->at);
}

void
removals_init(struct local *local)
{
	ev_timer_init(&local->old_again, on_retry, 0., RETRY_S);
	local->old_again.data = local;
}

void
removals_fini(struct local *local)
{
	ev_timer_stop(local->to.loop, &local->old_again);
}
