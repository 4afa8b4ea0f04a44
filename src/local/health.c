#include "health.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"
#include "base/log.h"
#include "local/path.h"

#define WATCH_S 1.0
#define PROBE_AFTER_S 0.7 /* so at the second next one at the latest */

static void
say(const struct local_dir *dir)
{
	const struct device *d = dir->device;
	const char *path = dir->to->policy->output_dir;

	if (device_is_ok(d))
		log_notice("%s: the disk answers again", path);
	else if (d->stalled)
		log_error("%s: the disk does not answer: an operation has "
			  "taken %.0fs; its uploads get 503 until it does",
		    path, device_oldest_s(d));
	else
		log_error("%s: the disk could not make an upload durable; its "
			  "uploads get 503 until a file written to try it is "
			  "synced",
		    path);
}

/* ---- can it sync again? ---- */

/* A file is written and synced; the probe keeps its directory open. */
struct probe {
	struct op op;
	struct local_dir *dir;
};

/* On an engine thread: what an upload does, but for the name; the directory is
 * synced all the same. */
static int
probe_job(void *arg)
{
	static const char text[512];
	struct probe *p = arg;
	struct unpublished u = {.fd = -1};
	int err;

	err = publish_create(&p->dir->publish, -1, &u);
	if (err == 0 &&
	    (write(u.fd, text, sizeof(text)) == -1 || fsync(u.fd) == -1))
		err = -errno;
	/* A full disk is not a failed one: uploads get 507, and their own
	 * syncs tell about the rest. */
	if (errno_is_no_space(err))
		err = 0;
	publish_discard(&p->dir->publish, &u);
	fd_close(&u.fd);
	if (err == 0)
		err = path_sync_dir(p->dir->fd);
	return err == -EINVAL ? 0 : err; /* no such sync here: sync is off */
}

static void
on_probed(struct op *op, int res)
{
	struct probe *p = op->owner;

	device_end_probe(p->dir->device, res == 0);
	dir_release(p->dir);
	free(p);
}

/* One probe at a time for each device, in all workers; and not at once: one good
 * sync says little of a disk that has just failed another. */
static void
probe(struct local_dir *dir)
{
	struct device *d = dir->device;
	struct probe *p;

	if (!d->failed || !device_accepts_reads(d) ||
	    clock_mono_s() - d->failed_s < PROBE_AFTER_S)
		return;
	p = calloc(1, sizeof(*p));
	if (p == NULL || !device_begin_probe(d)) {
		free(p); /* next second, then */
		return;
	}
	dir_hold(dir);
	p->dir = dir;
	engine_call(dir->to->engine, d, &p->op, probe_job, p, 0, on_probed);
}

/* ---- does the path lead elsewhere? ---- */

static int
path_job(void *arg)
{
	return dir_check_path(arg);
}

static void
on_path_checked(struct op *op, int res)
{
	struct local_dir *dir = op->owner;

	dir_learn(dir, res, 0);
	dir_release(dir);
}

/* Charged to the unknown device: the disk itself may hang. */
static void
check_path(struct health *h, struct local_dir *dir)
{
	if (h->path_op.in_flight)
		return;
	dir_hold(dir);
	engine_call(dir->to->engine, h->opener->unknown, &h->path_op, path_job,
	    dir, CALL_NO_STALL, on_path_checked);
}

/* ---- each second ---- */

/* Directories that the path has led to before may have postponed members, too.
 * True: some are left. */
static bool
end_postponed(struct health *h)
{
	bool left = false;

	LIST_FOREACH(struct local_dir, dir, &h->opener->dirs, node) {
		if (!dir->device->stalled)
			dir_end_postponed(dir);
		left = left || !list_is_empty(&dir->postponed);
	}
	return left;
}

static void
health_on_watch(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct health *h = w->data;
	struct local_dir *dir = h->opener->current;
	bool left = end_postponed(h);

	(void)revents;
	if (dir != NULL && !device_accepts_writes(dir->device)) {
		check_path(h, dir);
		probe(dir);
	} else if (!left) {
		ev_timer_stop(loop, w); /* until health_watch() */
	}
}

/* ---- what others call ---- */

void
health_watch(struct health *h)
{
	if (!ev_is_active(&h->watch))
		ev_timer_again(h->opener->to->loop, &h->watch);
}

void
health_changed(struct health *h, struct local_dir *dir, bool news)
{
	if (news)
		say(dir);
	if (!dir->device->stalled)
		dir_end_postponed(dir);
	if (device_is_ok(dir->device))
		return;
	dir_fail_members(dir);
	health_watch(h);
}

void
health_opened(struct health *h)
{
	if (device_is_ok(h->opener->current->device))
		return;
	say(h->opener->current);
	health_watch(h);
}

bool
health_is_idle(const struct health *h)
{
	return !h->path_op.in_flight;
}

void
health_init(struct health *h, struct opener *o)
{
	h->opener = o;
	ev_timer_init(&h->watch, health_on_watch, 0., WATCH_S);
	h->watch.data = h;
}

void
health_fini(struct health *h)
{
	ev_timer_stop(h->opener->to->loop, &h->watch);
}
