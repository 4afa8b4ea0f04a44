/*
 * What becomes of a directory's uploads and downloads when its disk does not
 * answer, or could not make something durable, and when it is well again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "spool_internal.h"

#define PROBE_AGAIN_S 1.0

/* End all that is in it: their clients are told at once, what the kernel has
 * stays with its operations. */
static void
fail_all(struct spool *sp)
{
	struct list_node *n, *tmp;

	LIST_EACH(&sp->incoming, n, tmp)
	spool_in_fail(container_of(n, struct incoming_file, node));
	LIST_EACH(&sp->outgoing, n, tmp)
	spool_out_fail(n);
}

static void
end_held(struct spool *sp)
{
	struct list_node *n;

	while ((n = list_first(&sp->held_incoming)) != NULL)
		spool_in_settle(
		    container_of(n, struct incoming_file, held_node));
	while ((n = list_first(&sp->held_outgoing)) != NULL)
		spool_out_settle(n);
}

static void
say(struct spool *sp, const struct device *d)
{
	if (!device_is_sick(d)) {
		if (sp->said_sick)
			log_notice("%s: the disk answers again", sp->base.dir);
		sp->said_sick = false;
		return;
	}
	if (sp->said_sick)
		return;
	sp->said_sick = true;
	if (d->stalled)
		log_error("%s: the disk does not answer: an operation has "
			  "taken %.0fs; its uploads get 503 until it does",
		    sp->base.dir, device_oldest_s(d));
	else
		log_error("%s: the disk could not make an upload durable; its "
			  "uploads get 503 until a file that is written to "
			  "try it can be",
		    sp->base.dir);
}

/* ---- is it well again? ---- */

static void probe(struct spool *sp);

/* On an engine thread: what an upload does, but for the name. */
static int
probe_job(void *arg)
{
	static const char text[512];
	struct spool_dir *at = arg;
	struct unpublished u = {.fd = -1};
	int err;

	err = publish_create(&at->publish, -1, &u);
	if (err < 0)
		return err;
	if (write(u.fd, text, sizeof(text)) == -1 || fsync(u.fd) == -1)
		err = -errno;
	publish_discard(&at->publish, &u);
	fd_close(&u.fd);
	return err;
}

static void
on_probed(struct op *op, int res)
{
	struct spool_dir *at = op->owner;
	struct spool *sp = at->spool;
	struct device *d = at->device;

	d->probing = false;
	if (res == 0) {
		device_set_failed(d, false);
	} else {
		ev_timer_set(&sp->probe_again, PROBE_AGAIN_S, 0.);
		ev_timer_start(sp->to.loop, &sp->probe_again);
	}
	spool_leave(at);
}

static void
probe(struct spool *sp)
{
	struct spool_dir *at = sp->at;

	if (at == NULL || !at->device->failed || at->device->probing)
		return;
	at->device->probing = true;
	spool_enter(at);
	sp->probe_op = (struct op){.kind = OP_CALL,
	    .call = probe_job,
	    .arg = at,
	    .owner = at,
	    .on_done = on_probed};
	engine_submit(sp->to.engine, at->device, &sp->probe_op);
}

static void
on_probe_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	probe(w->data);
}

/* ---- what others call ---- */

void
spool_on_health(struct device_listener *l, struct device *d)
{
	struct spool_dir *at = container_of(l, struct spool_dir, health);
	struct spool *sp = at->spool;

	say(sp, d);
	if (!d->stalled)
		end_held(sp);
	if (!device_is_sick(d))
		return;
	fail_all(sp);
	probe(sp);
}

void
spool_health_opened(struct spool *sp)
{
	say(sp, sp->at->device);
	probe(sp);
}

void
spool_learn(struct spool_dir *at, int err)
{
	if (err == STORE_VANISHED)
		spool_reopen(at);
	else if (err == STORE_SYNC_FAILED || err == STORE_OUTCOME_UNKNOWN)
		device_set_failed(at->device, true);
}

void
spool_health_init(struct spool *sp)
{
	list_init(&sp->incoming);
	list_init(&sp->outgoing);
	list_init(&sp->held_incoming);
	list_init(&sp->held_outgoing);
	ev_timer_init(&sp->probe_again, on_probe_again, 0., 0.);
	sp->probe_again.data = sp;
}

bool
spool_health_is_idle(const struct spool *sp)
{
	return !sp->probe_op.in_flight;
}

void
spool_health_fini(struct spool *sp)
{
	ev_timer_stop(sp->to.loop, &sp->probe_again);
}
