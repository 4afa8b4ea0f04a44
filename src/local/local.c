#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "internal.h"
#include "local/path.h"

#define RETRY_S 1.0
#define SHORT_RETRY_S 0.1 /* when it is us who are short of something */

enum {
	SHORT_TRIES = 10, /* then it is not for a moment */
};

static bool
is_gone(int err)
{
	return err == -ENOENT || err == -ENOTDIR;
}

/* What spool_check() does once the directory is open. */
static int
try_publishing(const struct spool_setup *setup, int dir, struct str *report,
    enum device_sync *ret_sync)
{
	struct device_traits traits = device_traits_of(dir);
	const char *step = "cannot be written";
	struct unpublished u = {.fd = -1};
	struct publish p;
	bool full;
	int err;

	err = publish_init(&p, dir, setup->overwrite);
	if (err == -EOPNOTSUPP)
		step = "its file system can neither link nor rename without "
		       "replacing (with overwrite on, a plain rename would do)";
	if (err == 0)
		err = publish_rehearse(
		    &p, setup->overwrite, setup->keep_latest, &step);
	if (err == 0)
		err = publish_create(&p, -1, &u);
	full = publish_is_full(err);
	if (err < 0 && !full) {
		publish_explain(dir, setup->dir, err, report);
		if (report->len == 0)
			str_puts(report, step);
	} else if (setup->sync && traits.kind != DEVICE_MEMORY &&
		   path_sync_dir(dir) == -EINVAL) {
		/* fsync(2): this file has no such thing. */
		err = -EOPNOTSUPP;
		str_puts(report, "its file system cannot sync directories: no "
				 "upload could be acknowledged there (say sync "
				 "off)");
	} else {
		err = full;
		spool_report(setup, publish_way(&p), u.fd, &traits, report);
		*ret_sync = traits.sync;
	}
	publish_discard(&p, &u);
	fd_close(&u.fd);
	publish_fini(&p);
	return err;
}

int
spool_check(const struct spool_setup *setup, struct str *report,
    enum device_sync *ret_sync)
{
	struct place known = {0};
	int fd, err;

	/* A copy: this may be refused, and then nothing was open. */
	if (setup->places != NULL)
		places_look(setup->places, setup->dir, &known);
	fd = spool_open_dir(setup->dir, &known);
	if (fd < 0) {
		str_puts(report, "cannot be opened or made");
		return is_gone(fd) && place_is_known(&known) ? STORE_VANISHED
							     : fd;
	}
	err = try_publishing(setup, fd, report, ret_sync);
	fd_close(&fd);
	return err;
}

/* ---- open directories ---- */

size_t
spool_fds(bool overwrite)
{
#ifdef O_TMPFILE
	return overwrite ? 2 : 1; /* and PUBLISH_TEMP_DIR */
#else
	(void)overwrite; /* there are no nameless files at all */
	return 2;
#endif
}

void
spool_enter(struct spool_dir *at)
{
	at->users++;
}

/* On an engine thread. */
static int
close_dir_job(void *arg)
{
	struct spool_dir *at = arg;

	spool_old_last_try(at);
	publish_fini(&at->publish);
	fd_close(&at->fd);
	return 0;
}

/* What it has of its worker's, and of all workers'. */
static void
let_go(struct spool_dir *at)
{
	const struct spool_setup *to = &at->spool->to;

	newest_leave(to->newest, to->slot, &at->newest);
	ledger_leave(to->ledger, to->slot, &at->ledger);
	dirsync_free(&at->dirsync);
	device_put(to->devices, &at->device);
}

static void
dir_free(struct spool_dir *at)
{
	list_remove(&at->node);
	spool_old_give_up(at);
	device_unlisten(&at->health);
	let_go(at);
	free(at);
}

static void
on_dir_closed(struct op *op, int res)
{
	struct spool_dir *at = op->owner;

	if (res < 0) { /* it could not be run; the loop waits for no lock */
		spool_old_give_up(at);
		(void)close_dir_job(at);
	}
	at->spool->base.files--;
	dir_free(at);
}

void
spool_leave(struct spool_dir *at)
{
	struct spool *sp = at->spool;

	check(at->users > 0);
	if (--at->users > 0)
		return;
	if (device_is_hanging(at->device))
		spool_old_give_up(at);
	at->close_op = (struct op){.kind = OP_CALL,
	    .lengthy = true,
	    .unhurried = true,
	    .call = close_dir_job,
	    .arg = at,
	    .owner = at,
	    .on_done = on_dir_closed};
	engine_submit(sp->to.engine, at->device, &at->close_op);
}

/* On an engine thread: open the directory and find out how to use it. */
static int
open_job(void *arg)
{
	struct spool *sp = arg;
	struct spool_dir *at = sp->opening;
	int fd, err;

	str_fini(&sp->trouble);
	fd = spool_open_dir(sp->base.dir, sp->place);
	if (fd < 0)
		return fd;
	if (fstat(fd, &at->st) == -1) {
		err = -errno;
		goto close_fd;
	}
	at->identity = path_identity(fd);
	at->stamps = file_version_needs_stamp(fd);
	at->traits = device_traits_of(fd);
	err = publish_init(&at->publish, fd, sp->to.overwrite);
	if (err < 0) {
		publish_explain(fd, sp->base.dir, err, &sp->trouble);
		goto close_fd;
	}
	if (!sp->was_open || publish_locks_last())
		at->swept = publish_sweep(fd, &at->living);
	at->fd = fd;
	return 0;

close_fd:
	fd_close(&fd);
	return err;
}

bool
spool_try_later(struct spool *sp, int err)
{
	bool brief = (spool_is_ours(-err) || err == STORE_HELD_UP) &&
		     sp->short_tries < SHORT_TRIES;

	sp->short_tries += brief;
	ev_timer_stop(sp->to.loop, &sp->retry);
	ev_timer_set(&sp->retry, brief ? SHORT_RETRY_S : RETRY_S, 0.);
	ev_timer_start(sp->to.loop, &sp->retry);
	return !brief;
}

/* What the job opened becomes the directory that we use. */
static int
take_over(struct spool *sp, struct spool_dir *at)
{
	const struct spool_setup *to = &sp->to;

	at->device = device_get(to->devices, at->st.st_dev, at->traits);
	if (at->device == NULL)
		return errno == EBUSY ? (int)STORE_HELD_UP : -ENOMEM;
	at->dirsync = dirsync_new(to->engine, at->device);
	if (at->dirsync == NULL)
		return -ENOMEM;
	/* Without it `keep latest` would remove nothing, and say nothing. */
	at->newest = newest_of(
	    to->newest, to->slot, at->st.st_dev, at->st.st_ino, at->identity);
	if (at->newest == NULL)
		return errno == EBUSY ? STORE_HELD_UP : STORE_CROWDED;
	at->ledger = ledger_of(to->ledger, to->slot, at->st.st_dev);
	if (at->ledger == NULL && errno == EBUSY)
		return STORE_HELD_UP;
	at->health.on_health = spool_on_health;
	device_listen(at->device, &at->health);
	spool_enter(at);
	list_append(&sp->dirs, &at->node);
	sp->at = at;
	return 0;
}

static const char *
describe(const struct spool *sp, int err)
{
	if (sp->trouble.len > 0)
		return sp->trouble.s;
	if (err == STORE_UNMOUNTED)
		return "the disk that it was on is not mounted there (to use "
		       "what is there now, restart penstock)";
	if (err == STORE_CROWDED)
		return "workers of before the last reloads, which still finish "
		       "uploads, have more directories open than this penstock "
		       "was started with room for";
	if (err == STORE_HELD_UP)
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
opening_failed(struct spool *sp, int err)
{
	free(sp->opening);
	sp->opening = NULL;
	/* Those that wait for it to be opened again are told at once. */
	if (!spool_try_later(sp, err) && !sp->reopening)
		return;
	if (sp->said != err)
		log_error("%s: cannot be opened: %s; uploads to it get %s "
			  "until it can be",
		    sp->base.dir, describe(sp, err),
		    publish_is_full(err) ? "507" : "503");
	sp->said = err;
	sp->base.open_error = err;
	sp->base.open_settled = true;
	spool_reopened(sp, sp->at);
}

/* What is worth a line about the directory that is open now. */
static void
say_opened(const struct spool *sp)
{
	if (sp->said != 0 || sp->was_open)
		log_notice("%s: open again", sp->base.dir);
	if (sp->was_open && sp->to.sync && sp->at->traits.sync != sp->synced)
		spool_say_doubt(sp);
	if (sp->place == &sp->own_place && !sp->was_open)
		log_error("%s: too many output directories: once its disk is "
			  "not mounted, workers that start then do not know",
		    sp->base.dir);
	if (sp->at->ledger == NULL)
		log_error("%s: too many disks: uploads that cannot fit on "
			  "this one are not refused before their bodies",
		    sp->base.dir);
}

static void
on_open(struct op *op, int res)
{
	struct spool *sp = op->owner;
	struct spool_dir *at = sp->opening, *old = sp->at;

	if (res == 0) {
		res = take_over(sp, at);
		if (res < 0) {
			publish_fini(&at->publish);
			fd_close(&at->fd);
			let_go(at);
		}
	}
	if (res < 0) {
		opening_failed(sp, res);
		return;
	}
	sp->base.open_error = 0;
	sp->opening = NULL;
	say_opened(sp);
	spool_swept(at);
	sp->said = 0;
	sp->short_tries = 0;
	sp->was_open = true;
	sp->synced = at->traits.sync;
	sp->direct_refused = false;
	sp->base.is_open = true;
	spool_health_opened(sp);
	spool_scan(sp);
	spool_reopened(sp, old);
}

/* Its place among those that all workers know, or one of its own. */
static int
find_place(struct spool *sp)
{
	if (sp->place != NULL)
		return 0;
	sp->place = places_of(sp->to.places, sp->to.slot, sp->base.dir);
	if (sp->place == NULL && errno == EBUSY)
		return STORE_HELD_UP;
	if (sp->place == NULL)
		sp->place = &sp->own_place;
	return 0;
}

void
spool_begin_opening(struct spool *sp)
{
	int err;

	if (sp->open_op.in_flight)
		return;
	err = find_place(sp);
	if (err == 0)
		sp->opening = calloc(1, sizeof(*sp->opening));
	if (err == 0 && sp->opening == NULL)
		err = -ENOMEM;
	if (err < 0) {
		opening_failed(sp, err);
		return;
	}
	sp->opening->spool = sp;
	sp->opening->fd = -1;
	sp->opening->publish.temp_dir = -1;
	list_init(&sp->opening->old);
	list_init(&sp->opening->incoming);
	list_init(&sp->opening->outgoing);
	list_init(&sp->opening->held_incoming);
	list_init(&sp->opening->held_outgoing);
	sp->open_op = (struct op){.kind = OP_CALL,
	    .call = open_job,
	    .arg = sp,
	    .owner = sp,
	    .on_done = on_open};
	engine_submit(sp->to.engine, sp->unknown, &sp->open_op);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct spool *sp = w->data;

	(void)loop;
	(void)revents;
	if (sp->base.is_open)
		spool_scan(sp);
	else
		spool_begin_opening(sp);
}

static bool
is_idle(struct store *s)
{
	const struct spool *sp = spool_of(s);

	/* What a job works for is in a directory. */
	return sp->base.files == 0 && !sp->open_op.in_flight &&
	       !sp->place_op.in_flight &&
	       (sp->at == NULL || sp->at->users == 1);
}

static void
free_spool(struct store *s)
{
	struct spool *sp = spool_of(s);

	check(is_idle(s));
	ev_timer_stop(sp->to.loop, &sp->retry);
	spool_reopen_fini(sp);
	spool_health_fini(sp);
	spool_sweep_fini(sp);
	str_fini(&sp->trouble);
	spool_old_fini(sp);
	spool_scan_fini(sp);
	if (sp->at != NULL) {
		check(sp->at->users == 1);
		spool_old_give_up(sp->at); /* spool_old_rest() was in time */
		(void)close_dir_job(sp->at);
		dir_free(sp->at);
	}
	if (sp->place != NULL && sp->place != &sp->own_place)
		places_leave(sp->to.places, sp->to.slot, sp->place);
	free(sp);
}

static const struct store_ops spool_ops = {
    .create = spool_in_create,
    .commit = spool_in_commit,
    .abort = spool_in_abort,
    .open = spool_out_open,
    .close = spool_out_close,
    .rest = spool_old_rest,
    .is_idle = is_idle,
    .free = free_spool,
};

struct store *
spool_new(const struct spool_setup *setup)
{
	struct spool *sp = calloc(1, sizeof(*sp));

	if (sp == NULL)
		return NULL;
	sp->base.ops = &spool_ops;
	sp->base.dir = setup->dir;
	sp->to = *setup;
	list_init(&sp->dirs);
	spool_reopen_init(sp);
	spool_health_init(sp);
	spool_sweep_init(sp);
	spool_old_init(sp);
	spool_scan_init(sp);
	sp->unknown = device_new_unknown(setup->devices);
	if (sp->unknown == NULL) {
		free(sp);
		return NULL;
	}
	ev_timer_init(&sp->retry, on_retry, 0., 0.);
	sp->retry.data = sp;
	spool_begin_opening(sp);
	return &sp->base;
}
