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
fail_all(struct spool_dir *at)
{
	struct list_node *n, *tmp;

	LIST_FOREACH(struct incoming_file, f, &at->incoming, node)
		spool_in_fail(f);
	if (!at->device->stalled)
		return;
	for (n = at->outgoing.head.next; n != &at->outgoing.head; n = tmp) {
		tmp = n->next;
		spool_out_fail(n);
	}
}

/* End what is held, each once: it may come to be held again. */
static void
end_held(struct spool_dir *at)
{
	struct list_node *n, *tmp;

	LIST_FOREACH(struct incoming_file, f, &at->held_incoming, held_node)
		spool_in_settle(f);
	for (n = at->held_outgoing.head.next; n != &at->held_outgoing.head;
	     n = tmp) {
		tmp = n->next;
		spool_out_settle(n);
	}
}

static void
say(const struct spool_dir *at)
{
	const struct device *d = at->device;
	const char *dir = at->spool->base.dir;

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
	struct spool_dir *at = arg;
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
	struct spool_dir *at = op->owner;

	device_end_probe(at->device, res == 0);
	spool_leave(at);
}

/* One at a time for each device, whoever of all workers begins it; and not at
 * once: one good sync says little of a disk that has just failed another. */
static void
probe(struct spool_dir *at)
{
	struct device *d = at->device;

	if (!d->failed || device_is_hanging(d) ||
	    clock_mono_s() - d->failed_s < PROBE_AFTER_S ||
	    !device_begin_probe(d))
		return;
	spool_enter(at);
	at->probe_op = (struct op){.kind = OP_CALL,
	    .call = probe_job,
	    .arg = at,
	    .owner = at,
	    .on_done = on_probed};
	engine_submit(at->spool->to.engine, d, &at->probe_op);
}

/* ---- does the path lead elsewhere? ---- */

static int
place_job(void *arg)
{
	return spool_check_place(arg);
}

static void
on_place(struct op *op, int res)
{
	struct spool_dir *at = op->owner;

	if (res == STORE_VANISHED)
		spool_reopen(at);
	spool_leave(at);
}

/* Not as an operation of the disk, which hangs perhaps. */
static void
look_at_place(struct spool_dir *at)
{
	struct spool *sp = at->spool;

	if (sp->place_op.in_flight)
		return;
	spool_enter(at);
	sp->place_op = (struct op){.kind = OP_CALL,
	    .call = place_job,
	    .unhurried = true,
	    .arg = at,
	    .owner = at,
	    .on_done = on_place};
	engine_submit(sp->to.engine, sp->unknown, &sp->place_op);
}

static void
on_sick_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct spool *sp = w->data;
	struct spool_dir *at = sp->at;
	bool holds = false;

	(void)revents;
	/* Those that the path has led to before may hold some, too. */
	LIST_FOREACH(struct spool_dir, dir, &sp->dirs, node) {
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
spool_health_watch(struct spool *sp)
{
	if (!ev_is_active(&sp->sick_look))
		ev_timer_again(sp->to.loop, &sp->sick_look);
}

void
spool_on_health(struct device_listener *l, struct device *d, bool news)
{
	struct spool_dir *at = container_of(l, struct spool_dir, health);

	if (at->users == 0)
		return; /* it is being closed */
	if (news)
		say(at);
	if (!d->stalled)
		end_held(at);
	if (!device_is_sick(d))
		return;
	spool_enter(at); /* the last file in it may end */
	fail_all(at);
	spool_health_watch(at->spool);
	spool_leave(at);
}

void
spool_health_opened(struct spool *sp)
{
	if (!device_is_sick(sp->at->device))
		return;
	say(sp->at);
	spool_health_watch(sp);
}

void
spool_learn(struct spool_dir *at, int err, int cause)
{
	if (err == STORE_VANISHED)
		spool_reopen(at);
	else if ((err == STORE_SYNC_FAILED || err == STORE_OUTCOME_UNKNOWN) &&
		 spool_syncs(at) && !spool_is_ours(cause))
		device_set_failed(at->device, true);
}

void
spool_health_init(struct spool *sp)
{
	ev_timer_init(&sp->sick_look, on_sick_look, 0., LOOK_S);
	sp->sick_look.data = sp;
}

void
spool_health_fini(struct spool *sp)
{
	ev_timer_stop(sp->to.loop, &sp->sick_look);
}
