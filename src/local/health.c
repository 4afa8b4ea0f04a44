/*
 * What becomes of a directory's uploads and downloads when its disk does not
 * answer, or could not make something durable, and when it is well again.
 *
 * While it is sick, as this worker or another has found, we look each second:
 * whether the path leads elsewhere meanwhile, and, if it failed here, whether
 * it can sync again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "internal.h"
#include "local/path.h"

#define LOOK_S 1.0
#define PROBE_AFTER_S 0.7 /* so at the next look but one at the latest */

/* End all that is in it: their clients are told at once, what the kernel has
 * stays with its operations.  Downloads do not care for a sync that failed. */
static void
fail_all(struct local_dir *at)
{
	struct list_node *n, *tmp;

	LIST_FOREACH(struct incoming_file, f, &at->incoming, node)
		incoming_fail(f);
	if (!at->device->stalled)
		return;
	for (n = at->outgoing.head.next; n != &at->outgoing.head; n = tmp) {
		tmp = n->next;
		outgoing_fail(n);
	}
}

/* End what is held, each once: it may come to be held again. */
static void
end_held(struct local_dir *at)
{
	struct list_node *n, *tmp;

	LIST_FOREACH(struct incoming_file, f, &at->held_incoming, held_node)
		incoming_end(f);
	for (n = at->held_outgoing.head.next; n != &at->held_outgoing.head;
	     n = tmp) {
		tmp = n->next;
		outgoing_end(n);
	}
}

static void
say(const struct local_dir *at)
{
	const struct device *d = at->device;
	const char *dir = at->local->base.dir;

	if (!device_is_sick(d))
		log_notice("%s: the disk answers again", dir);
	else if (d->stalled)
		log_error("%s: the disk does not answer: an operation has "
			  "taken %.0fs; its uploads get 503 until it does",
		    dir, device_oldest_s(d));
	else
		log_error("%s: the disk could not make an upload durable; its "
			  "uploads get 503 until a file written to try it is "
			  "synced",
		    dir);
}

/* ---- can it sync again? ---- */

/* On an engine thread: what an upload does, but for the name; the directory is
 * synced all the same. */
static int
probe_job(void *arg)
{
	static const char text[512];
	struct local_dir *at = arg;
	struct unpublished u = {.fd = -1};
	int err;

	err = publish_create(&at->publish, -1, &u);
	if (err == 0 &&
	    (write(u.fd, text, sizeof(text)) == -1 || fsync(u.fd) == -1))
		err = -errno;
	/* Full is not sick: uploads are told so, and have syncs of their own. */
	if (publish_is_full(err))
		err = 0;
	publish_discard(&at->publish, &u);
	fd_close(&u.fd);
	if (err == 0)
		err = path_sync_dir(at->fd);
	return err == -EINVAL ? 0 : err; /* it has no such thing: sync is off */
}

static void
on_probed(struct op *op, int res)
{
	struct local_dir *at = op->owner;

	device_end_probe(at->device, res == 0);
	local_dir_leave(at);
}

/* One at a time for each device, whoever of all workers begins it; and not at
 * once: one good sync says little of a disk that has just failed another. */
static void
probe(struct local_dir *at)
{
	struct device *d = at->device;

	if (!d->failed || device_is_hanging(d) ||
	    clock_mono_s() - d->failed_s < PROBE_AFTER_S ||
	    !device_begin_probe(d))
		return;
	local_dir_enter(at);
	at->probe_op = (struct op){.kind = OP_CALL,
	    .call = probe_job,
	    .arg = at,
	    .owner = at,
	    .on_done = on_probed};
	engine_submit(at->local->to.engine, d, &at->probe_op);
}

/* ---- does the path lead elsewhere? ---- */

static int
place_job(void *arg)
{
	return jobs_check_path(arg);
}

static void
on_place(struct op *op, int res)
{
	struct local_dir *at = op->owner;

	if (res == STORE_VANISHED)
		reopen_begin(at);
	local_dir_leave(at);
}

/* Not as an operation of the disk, which hangs perhaps. */
static void
look_at_place(struct local_dir *at)
{
	struct local *local = at->local;

	if (local->place_op.in_flight)
		return;
	local_dir_enter(at);
	local->place_op = (struct op){.kind = OP_CALL,
	    .call = place_job,
	    .no_stall = true,
	    .arg = at,
	    .owner = at,
	    .on_done = on_place};
	engine_submit(local->to.engine, local->unknown, &local->place_op);
}

static void
on_sick_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct local *local = w->data;
	struct local_dir *at = local->at;
	bool holds = false;

	(void)revents;
	/* Those that the path has led to before may hold some, too. */
	LIST_FOREACH(struct local_dir, dir, &local->dirs, node) {
		if (!dir->device->stalled)
			end_held(dir);
		holds = holds || !list_is_empty(&dir->held_incoming) ||
			!list_is_empty(&dir->held_outgoing);
	}
	if (at != NULL && device_is_avoided(at->device)) {
		look_at_place(at);
		probe(at);
	} else if (!holds) {
		ev_timer_stop(loop, w); /* until somebody watches again */
	}
}

/* ---- what others call ---- */

void
health_watch(struct local *local)
{
	if (!ev_is_active(&local->sick_look))
		ev_timer_again(local->to.loop, &local->sick_look);
}

void
health_changed(struct device_listener *l, struct device *d, bool news)
{
	struct local_dir *at = container_of(l, struct local_dir, health);

	if (at->users == 0)
		return; /* it is being closed */
	if (news)
		say(at);
	if (!d->stalled)
		end_held(at);
	if (!device_is_sick(d))
		return;
	local_dir_enter(at); /* the last file in it may end */
	fail_all(at);
	health_watch(at->local);
	local_dir_leave(at);
}

void
health_opened(struct local *local)
{
	if (!device_is_sick(local->at->device))
		return;
	say(local->at);
	health_watch(local);
}

void
health_learn(struct local_dir *at, int err, int cause)
{
	if (err == STORE_VANISHED)
		reopen_begin(at);
	else if ((err == STORE_SYNC_FAILED || err == STORE_OUTCOME_UNKNOWN) &&
		 local_dir_syncs(at) && !local_is_our_lack(cause))
		device_set_failed(at->device, true);
}

void
health_init(struct local *local)
{
	ev_timer_init(&local->sick_look, on_sick_look, 0., LOOK_S);
	local->sick_look.data = local;
}

void
health_fini(struct local *local)
{
	ev_timer_stop(local->to.loop, &local->sick_look);
}
