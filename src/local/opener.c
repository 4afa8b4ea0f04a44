#include "opener.h"

#include <stdlib.h>
#include <string.h>

#include "base/errno_class.h"
#include "base/log.h"
#include "local_error.h"
#include "publish_lock.h"
#include "report.h"

static const char *
opener_describe(const struct opener *o, int err)
{
	if (o->trouble.len > 0)
		return o->trouble.s;
	if (err == LOCAL_UNMOUNTED)
		return "the disk that it was on is not mounted there (to use "
		       "what is there now, restart penstock)";
	if (err == LOCAL_CROWDED)
		return "workers of before the last reloads, which still finish "
		       "uploads, have more directories open than this penstock "
		       "was started with room for";
	if (err == LOCAL_HELD_UP)
		return "a worker died while it looked up what all workers "
		       "know of it, and the master has not cleared up yet";
	if (err == -EMFILE)
		return "too many files are open: raise the limit (ulimit -Hn, "
		       "LimitNOFILE= of a systemd unit), or have fewer "
		       "locations";
	if (err == -EAGAIN)
		return "no thread can be had for it: raise the limit (ulimit "
		       "-u, TasksMax= of a systemd unit)";
	return strerror(-err);
}

static void
opener_fail(struct opener *o, int err)
{
	if (o->opening != NULL)
		dir_discard(o->opening);
	o->opening = NULL;
	/* Requests that wait for it are told at once. */
	if (!retry_later(&o->retry, err) && !o->awaited)
		return;
	if (o->said != err)
		log_error("%s: cannot be opened: %s; uploads to it get %s "
			  "until it can be",
		    o->to->policy->output_dir, opener_describe(o, err),
		    errno_is_no_space(err) ? "507" : "503");
	o->said = err;
	o->err = err;
	o->events->on_failed(o->owner);
}

/* What is worth a line about the directory that is open now. */
static void
say_opened(const struct opener *o)
{
	const struct local_dir *dir = o->current;

	if (o->said != 0 || o->was_open)
		log_notice("%s: open again", o->to->policy->output_dir);
	if (o->was_open && o->to->policy->sync && dir->traits.sync != o->synced)
		report_doubt(o->to->policy->output_dir, dir->traits.sync);
	if (o->mount == &o->own_mount && !o->was_open)
		log_error("%s: too many output directories: once its disk is "
			  "not mounted, workers that start then do not know",
		    o->to->policy->output_dir);
	if (dir->reservations == NULL)
		log_error("%s: too many disks: uploads that cannot fit on "
			  "this one are not refused before their bodies",
		    o->to->policy->output_dir);
}

static void
opener_on_open(struct op *op, int res)
{
	struct opener *o = op->owner;
	struct local_dir *before = o->current;

	if (res == 0)
		res = dir_start(o->opening);
	if (res < 0) {
		opener_fail(o, res);
		return;
	}
	o->current = o->opening;
	o->opening = NULL;
	list_append(&o->dirs, &o->current->node);
	say_opened(o);
	o->err = o->said = 0;
	retry_reset(&o->retry);
	o->was_open = true;
	o->synced = o->current->traits.sync;
	o->events->on_opened(o->owner, before);
}

/* On an engine thread. */
static int
opener_job(void *arg)
{
	struct opener *o = arg;

	str_fini(&o->trouble);
	return dir_open(o->opening, o->mount,
	    !o->was_open || publish_locks_last(), &o->trouble);
}

/* The mount record that all workers share; or one of its own, when there are
 * too many. */
static int
find_mount_record(struct opener *o)
{
	if (o->mount != NULL)
		return 0;
	o->mount = mount_history_of(o->to->shared->mount_history, o->to->slot,
	    o->to->policy->output_dir);
	if (o->mount == NULL && errno == EBUSY)
		return LOCAL_HELD_UP;
	if (o->mount == NULL)
		o->mount = &o->own_mount;
	return 0;
}

void
opener_begin(struct opener *o)
{
	int err;

	if (o->op.in_flight)
		return;
	err = find_mount_record(o);
	if (err == 0) {
		o->opening = dir_new(o->to, o->dir_events, o->owner);
		err = o->opening == NULL ? -ENOMEM : 0;
	}
	if (err < 0) {
		opener_fail(o, err);
		return;
	}
	engine_call(o->to->engine, o->unknown, &o->op, opener_job, o, 0,
	    opener_on_open);
}

static void
opener_on_retry(void *owner)
{
	struct opener *o = owner;

	if (o->current == NULL)
		opener_begin(o);
}

void
opener_close(struct opener *o)
{
	struct local_dir *dir = o->current;

	o->current = NULL;
	if (dir != NULL)
		dir_release(dir);
}

bool
opener_is_idle(const struct opener *o)
{
	if (o->op.in_flight)
		return false;
	LIST_FOREACH(const struct local_dir, dir, &o->dirs, node) {
		if (dir != o->current)
			return false;
	}
	return true;
}

int
opener_init(struct opener *o, const struct store_setup *to,
    const struct opener_events *events, const struct dir_events *dir_events,
    void *owner)
{
	o->to = to;
	o->events = events;
	o->dir_events = dir_events;
	o->owner = owner;
	list_init(&o->dirs);
	retry_init(&o->retry, to->loop, opener_on_retry, o);
	o->unknown = device_new_unknown(to->devices);
	return o->unknown == NULL ? -ENOMEM : 0;
}

void
opener_fini(struct opener *o)
{
	retry_stop(&o->retry);
	str_fini(&o->trouble);
	if (o->current != NULL)
		dir_close_now(o->current);
	if (o->mount != NULL && o->mount != &o->own_mount)
		mount_history_leave(
		    o->to->shared->mount_history, o->to->slot, o->mount);
}
