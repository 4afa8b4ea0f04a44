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

/* What local_check() does once the directory is open. */
static int
try_publishing(const struct local_setup *setup, int dir, struct str *report,
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
		err = publish_try_out(
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
		report_describe(setup, publish_way(&p), u.fd, &traits, report);
		*ret_sync = traits.sync;
	}
	publish_discard(&p, &u);
	fd_close(&u.fd);
	publish_fini(&p);
	return err;
}

int
local_check(const struct local_setup *setup, struct str *report,
    enum device_sync *ret_sync)
{
	struct mount_record known = {0};
	int fd, err;

	/* A copy: this may be refused, and then nothing was open. */
	if (setup->shared != NULL)
		mount_history_look(
		    setup->shared->mount_history, setup->dir, &known);
	fd = open_dir_make(setup->dir, &known);
	if (fd < 0) {
		str_puts(report, "cannot be opened or made");
		return is_gone(fd) && mount_history_is_known(&known)
			   ? STORE_VANISHED
			   : fd;
	}
	err = try_publishing(setup, fd, report, ret_sync);
	fd_close(&fd);
	return err;
}

/* ---- open directories ---- */

size_t
local_fds(bool overwrite)
{
#ifdef O_TMPFILE
	return overwrite ? 2 : 1; /* and PUBLISH_TEMP_DIR */
#else
	(void)overwrite; /* there are no nameless files at all */
	return 2;
#endif
}

void
local_dir_enter(struct local_dir *at)
{
	at->users++;
}

/* On an engine thread. */
static int
close_dir_job(void *arg)
{
	struct local_dir *at = arg;

	removals_last_try(at);
	publish_fini(&at->publish);
	fd_close(&at->fd);
	return 0;
}

/* What it has of its worker's, and of all workers'. */
static void
release(struct local_dir *at)
{
	const struct local_setup *to = &at->local->to;

	latest_leave(to->shared->latest, to->slot, &at->latest);
	reservations_leave(
	    to->shared->reservations, to->slot, &at->reservations);
	dirsync_free(&at->dirsync);
	device_put(to->devices, &at->device);
}

static void
dir_free(struct local_dir *at)
{
	list_remove(&at->node);
	removals_give_up(at);
	device_unlisten(&at->health);
	release(at);
	free(at);
}

static void
on_dir_closed(struct op *op, int res)
{
	struct local_dir *at = op->owner;

	if (res < 0) { /* it could not be run; the loop waits for no lock */
		removals_give_up(at);
		(void)close_dir_job(at);
	}
	at->local->base.files--;
	dir_free(at);
}

void
local_dir_leave(struct local_dir *at)
{
	struct local *local = at->local;

	check(at->users > 0);
	if (--at->users > 0)
		return;
	if (device_is_hanging(at->device))
		removals_give_up(at);
	at->close_op = (struct op){.kind = OP_CALL,
	    .slow = true,
	    .no_stall = true,
	    .call = close_dir_job,
	    .arg = at,
	    .owner = at,
	    .on_done = on_dir_closed};
	engine_submit(local->to.engine, at->device, &at->close_op);
}

/* On an engine thread: open the directory and find out how to use it. */
static int
open_job(void *arg)
{
	struct local *local = arg;
	struct local_dir *at = local->opening;
	int fd, err;

	str_fini(&local->trouble);
	fd = open_dir_make(local->base.dir, local->place);
	if (fd < 0)
		return fd;
	if (fstat(fd, &at->st) == -1) {
		err = -errno;
		goto close_fd;
	}
	at->identity = path_identity(fd);
	at->stamps = file_version_needs_stamp(fd);
	at->traits = device_traits_of(fd);
	err = publish_init(&at->publish, fd, local->to.overwrite);
	if (err < 0) {
		publish_explain(fd, local->base.dir, err, &local->trouble);
		goto close_fd;
	}
	if (!local->was_open || publish_locks_last())
		at->swept = publish_sweep(fd, &at->living);
	at->fd = fd;
	return 0;

close_fd:
	fd_close(&fd);
	return err;
}

bool
local_try_later(struct local *local, int err)
{
	bool brief = (local_is_our_lack(-err) || err == STORE_HELD_UP) &&
		     local->short_tries < SHORT_TRIES;

	local->short_tries += brief;
	ev_timer_stop(local->to.loop, &local->retry);
	ev_timer_set(&local->retry, brief ? SHORT_RETRY_S : RETRY_S, 0.);
	ev_timer_start(local->to.loop, &local->retry);
	return !brief;
}

/* What the job opened becomes the directory that we use. */
static int
take_over(struct local *local, struct local_dir *at)
{
	const struct local_setup *to = &local->to;

	at->device = device_get(to->devices, at->st.st_dev, at->traits);
	if (at->device == NULL)
		return errno == EBUSY ? (int)STORE_HELD_UP : -ENOMEM;
	at->dirsync = dirsync_new(to->engine, at->device);
	if (at->dirsync == NULL)
		return -ENOMEM;
	/* Without it `keep latest` would remove nothing, and say nothing. */
	at->latest = latest_of(to->shared->latest, to->slot, at->st.st_dev,
	    at->st.st_ino, at->identity);
	if (at->latest == NULL)
		return errno == EBUSY ? STORE_HELD_UP : STORE_CROWDED;
	at->reservations =
	    reservations_of(to->shared->reservations, to->slot, at->st.st_dev);
	if (at->reservations == NULL && errno == EBUSY)
		return STORE_HELD_UP;
	at->health.on_health = health_changed;
	device_listen(at->device, &at->health);
	local_dir_enter(at);
	list_append(&local->dirs, &at->node);
	local->at = at;
	return 0;
}

static const char *
describe(const struct local *local, int err)
{
	if (local->trouble.len > 0)
		return local->trouble.s;
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
opening_failed(struct local *local, int err)
{
	free(local->opening);
	local->opening = NULL;
	/* Those that wait for it to be opened again are told at once. */
	if (!local_try_later(local, err) && !local->reopening)
		return;
	if (local->said != err)
		log_error("%s: cannot be opened: %s; uploads to it get %s "
			  "until it can be",
		    local->base.dir, describe(local, err),
		    publish_is_full(err) ? "507" : "503");
	local->said = err;
	local->base.open_error = err;
	local->base.open_settled = true;
	reopen_done(local, local->at);
}

/* What is worth a line about the directory that is open now. */
static void
say_opened(const struct local *local)
{
	if (local->said != 0 || local->was_open)
		log_notice("%s: open again", local->base.dir);
	if (local->was_open && local->to.sync &&
	    local->at->traits.sync != local->synced)
		report_doubt(local);
	if (local->place == &local->own_mounts && !local->was_open)
		log_error("%s: too many output directories: once its disk is "
			  "not mounted, workers that start then do not know",
		    local->base.dir);
	if (local->at->reservations == NULL)
		log_error("%s: too many disks: uploads that cannot fit on "
			  "this one are not refused before their bodies",
		    local->base.dir);
}

static void
on_open(struct op *op, int res)
{
	struct local *local = op->owner;
	struct local_dir *at = local->opening, *old = local->at;

	if (res == 0) {
		res = take_over(local, at);
		if (res < 0) {
			publish_fini(&at->publish);
			fd_close(&at->fd);
			release(at);
		}
	}
	if (res < 0) {
		opening_failed(local, res);
		return;
	}
	local->base.open_error = 0;
	local->opening = NULL;
	say_opened(local);
	sweep_done(at);
	local->said = 0;
	local->short_tries = 0;
	local->was_open = true;
	local->synced = at->traits.sync;
	local->direct_refused = false;
	local->base.is_open = true;
	health_opened(local);
	scan_begin(local);
	reopen_done(local, old);
}

/* Its place among those that all workers know, or one of its own. */
static int
find_place(struct local *local)
{
	if (local->place != NULL)
		return 0;
	local->place = mount_history_of(
	    local->to.shared->mount_history, local->to.slot, local->base.dir);
	if (local->place == NULL && errno == EBUSY)
		return STORE_HELD_UP;
	if (local->place == NULL)
		local->place = &local->own_mounts;
	return 0;
}

void
local_begin_opening(struct local *local)
{
	int err;

	if (local->open_op.in_flight)
		return;
	err = find_place(local);
	if (err == 0)
		local->opening = calloc(1, sizeof(*local->opening));
	if (err == 0 && local->opening == NULL)
		err = -ENOMEM;
	if (err < 0) {
		opening_failed(local, err);
		return;
	}
	local->opening->local = local;
	local->opening->fd = -1;
	local->opening->publish.temp_dir = -1;
	list_init(&local->opening->old);
	list_init(&local->opening->incoming);
	list_init(&local->opening->outgoing);
	list_init(&local->opening->held_incoming);
	list_init(&local->opening->held_outgoing);
	local->open_op = (struct op){.kind = OP_CALL,
	    .call = open_job,
	    .arg = local,
	    .owner = local,
	    .on_done = on_open};
	engine_submit(local->to.engine, local->unknown, &local->open_op);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct local *local = w->data;

	(void)loop;
	(void)revents;
	if (local->base.is_open)
		scan_begin(local);
	else
		local_begin_opening(local);
}

static bool
is_idle(struct store *s)
{
	const struct local *local = local_of(s);

	/* What a job works for is in a directory. */
	return local->base.files == 0 && !local->open_op.in_flight &&
	       !local->place_op.in_flight &&
	       (local->at == NULL || local->at->users == 1);
}

static void
free_spool(struct store *s)
{
	struct local *local = local_of(s);

	check(is_idle(s));
	ev_timer_stop(local->to.loop, &local->retry);
	reopen_fini(local);
	health_fini(local);
	sweep_fini(local);
	str_fini(&local->trouble);
	removals_fini(local);
	scan_fini(local);
	if (local->at != NULL) {
		check(local->at->users == 1);
		removals_give_up(local->at); /* removals_rest() was in time */
		(void)close_dir_job(local->at);
		dir_free(local->at);
	}
	if (local->place != NULL && local->place != &local->own_mounts)
		mount_history_leave(local->to.shared->mount_history,
		    local->to.slot, local->place);
	free(local);
}

static const struct store_ops local_ops = {
    .create = incoming_create,
    .commit = incoming_commit,
    .abort = incoming_abort,
    .open = outgoing_open,
    .close = outgoing_close,
    .rest = removals_rest,
    .is_idle = is_idle,
    .free = free_spool,
};

struct store *
local_new(const struct local_setup *setup)
{
	struct local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->base.ops = &local_ops;
	local->base.dir = setup->dir;
	local->to = *setup;
	list_init(&local->dirs);
	reopen_init(local);
	health_init(local);
	sweep_init(local);
	removals_init(local);
	scan_init(local);
	local->unknown = device_new_unknown(setup->devices);
	if (local->unknown == NULL) {
		free(local);
		return NULL;
	}
	ev_timer_init(&local->retry, on_retry, 0., 0.);
	local->retry.data = local;
	local_begin_opening(local);
	return &local->base;
}
