#include "dir.h"

#include <ev.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "base/log.h"
#include "local/path.h"
#include "file_version.h"
#include "local_error.h"
#include "open_dir.h"

/* ---- opening it ---- */

struct local_dir *
dir_new(
    const struct store_setup *to, const struct dir_events *events, void *owner)
{
	struct local_dir *dir = calloc(1, sizeof(*dir));

	if (dir == NULL)
		return NULL;
	dir->to = to;
	dir->events = events;
	dir->owner = owner;
	dir->fd = -1;
	dir->publish.temp_dir = -1;
	dir->found = UINT_MAX; /* not for years */
	list_init(&dir->members);
	list_init(&dir->postponed);
	return dir;
}

int
dir_open(struct local_dir *dir, struct mount_record *place, bool sweep,
    struct str *trouble)
{
	int fd = open_dir_make(dir->to->policy->output_dir, place);
	int err;

	if (fd < 0)
		return fd;
	if (fstat(fd, &dir->st) == -1) {
		err = -errno;
		goto close_fd;
	}
	dir->identity = path_identity(fd);
	dir->stamps = file_version_needs_stamp(fd);
	dir->traits = device_traits_of(fd);
	err = publish_init(&dir->publish, fd, dir->to->policy->overwrite,
	    (struct publish_waiter){dir->to->shared->replacing, dir->to->slot});
	if (err < 0) {
		publish_explain(fd, dir->to->policy->output_dir, err, trouble);
		goto close_fd;
	}
	if (sweep)
		dir->swept = publish_sweep(fd, &dir->living);
	dir->fd = fd;
	return 0;

close_fd:
	fd_close(&fd);
	return err;
}

/* Leave what is shared with other directories of the worker, and with other
 * workers. */
static void
leave_shared(struct local_dir *dir)
{
	const struct store_setup *to = dir->to;

	latest_leave(to->shared->latest, to->slot, &dir->latest);
	reservations_leave(
	    to->shared->reservations, to->slot, &dir->reservations);
	partials_let_go(to->shared->partials, to->slot, &dir->partials);
	dirsync_free(&dir->dirsync);
	device_put(to->devices, &dir->device);
}

static int
join_shared(struct local_dir *dir)
{
	const struct store_setup *to = dir->to;

	dir->device = device_get(to->devices, dir->st.st_dev, dir->traits);
	if (dir->device == NULL)
		return errno == EBUSY ? (int)LOCAL_HELD_UP : -ENOMEM;
	fair_want(&dir->device->fair, to->policy->small_latency_s);
	dir->dirsync = dirsync_new(to->engine, dir->device);
	if (dir->dirsync == NULL)
		return -ENOMEM;
	/* Without a record `keep latest` would silently remove nothing. */
	dir->latest = latest_of(to->shared->latest, to->slot, dir->st.st_dev,
	    dir->st.st_ino, dir->identity);
	if (dir->latest == NULL)
		return errno == EBUSY ? LOCAL_HELD_UP : LOCAL_CROWDED;
	dir->reservations =
	    reservations_of(to->shared->reservations, to->slot, dir->st.st_dev);
	if (dir->reservations == NULL && errno == EBUSY)
		return LOCAL_HELD_UP;
	dir->partials = partials_of(
	    to->shared->partials, to->slot, dir->st.st_dev, dir->st.st_ino);
	if (dir->partials == NULL && errno == EBUSY)
		return LOCAL_HELD_UP;
	return 0;
}

static void
dir_on_health(struct device_listener *l, struct device *d, bool news)
{
	struct local_dir *dir = container_of(l, struct local_dir, health);

	(void)d;
	if (dir->users == 0)
		return; /* it is being closed */
	dir_hold(dir);	/* its last member may leave */
	dir->events->on_health(dir->owner, dir, news);
	dir_release(dir);
}

int
dir_start(struct local_dir *dir)
{
	int err = join_shared(dir);

	if (err < 0) {
		leave_shared(dir);
		return err;
	}
	dir->health.on_health = dir_on_health;
	device_listen(dir->device, &dir->health);
	dir_hold(dir);
	return 0;
}

void
dir_discard(struct local_dir *dir)
{
	check(dir->users == 0);
	if (dir->fd != -1)
		publish_fini(&dir->publish);
	fd_close(&dir->fd);
	free(dir);
}

/* ---- closing it ---- */

static void
give_up_last(struct local_dir *dir)
{
	if (dir->last != NULL)
		dir->last->give_up(dir->last);
}

/* On an engine thread. */
static int
dir_close_job(void *arg)
{
	struct local_dir *dir = arg;

	if (dir->last != NULL)
		dir->last->try(dir->last);
	publish_fini(&dir->publish);
	fd_close(&dir->fd);
	return 0;
}

static void
dir_free(struct local_dir *dir)
{
	list_remove(&dir->node);
	give_up_last(dir);
	if (dir->last != NULL)
		dir->last->free(dir->last);
	device_unlisten(&dir->health);
	leave_shared(dir);
	free(dir);
}

static void
dir_on_closed(struct op *op, int res)
{
	struct local_dir *dir = op->owner;

	if (res < 0) { /* no thread ran it; the loop must not wait for locks */
		give_up_last(dir);
		(void)dir_close_job(dir);
	}
	dir_free(dir);
}

void
dir_hold(struct local_dir *dir)
{
	dir->users++;
}

void
dir_release(struct local_dir *dir)
{
	check(dir->users > 0);
	if (--dir->users > 0)
		return;
	kept_lock_release(&dir->kept_lock);
	if (!device_accepts_reads(dir->device))
		give_up_last(dir);
	engine_call(dir->to->engine, dir->device, &dir->close_op, dir_close_job,
	    dir, CALL_SLOW | CALL_NO_STALL, dir_on_closed);
}

void
dir_close_now(struct local_dir *dir)
{
	check(dir->users == 1);
	kept_lock_release(&dir->kept_lock);
	give_up_last(dir); /* rest() was in time to try */
	(void)dir_close_job(dir);
	dir_free(dir);
}

/* ---- members ---- */

void
dir_join(struct local_dir *dir, struct dir_member *m)
{
	dir_hold(dir);
	list_append(&dir->members, &m->node);
}

void
dir_part(struct local_dir *dir, struct dir_member *m)
{
	list_remove(&m->node);
	list_remove(&m->postponed_node);
	dir_release(dir);
}

void
dir_postpone(struct local_dir *dir, struct dir_member *m)
{
	list_append(&dir->postponed, &m->postponed_node);
	dir->events->on_postponed(dir->owner);
}

/* They move to a private list first: a member that is told may leave any
 * list. */
void
dir_fail_members(struct local_dir *dir)
{
	bool stalled = dir->device->stalled;
	struct list_node *n;
	struct list rest;

	list_init(&rest);
	list_append_all(&rest, &dir->members);
	while ((n = list_shift(&rest)) != NULL) {
		struct dir_member *m = container_of(n, struct dir_member, node);

		list_append(&dir->members, n);
		m->ops->on_unhealthy(m, stalled);
	}
}

void
dir_end_postponed(struct local_dir *dir)
{
	struct list_node *n;
	struct list rest;

	list_init(&rest);
	list_append_all(&rest, &dir->postponed);
	while ((n = list_shift(&rest)) != NULL) {
		struct dir_member *m =
		    container_of(n, struct dir_member, postponed_node);

		m->ops->on_healthy(m);
	}
}

/* ---- what operations in it say ---- */

void
dir_learn(struct local_dir *dir, int err, int cause)
{
	if (err == LOCAL_VANISHED)
		dir->events->on_vanished(dir->owner, dir);
	else if ((err == LOCAL_SYNC_FAILED || err == LOCAL_OUTCOME_UNKNOWN) &&
		 dir_syncs(dir) && !errno_is_our_lack(-cause))
		device_set_failed(dir->device, true);
}

void
dir_look_for_loss(struct local_dir *dir)
{
	uint64_t waiting;

	if (!dir->publish.is_another)
		return;
	dir->publish.is_another = false;
	waiting = dir->partials != NULL ? partials_count(dir->partials) : 0;
	if (waiting > 0)
		log_warn("%s/%s was removed, or another one has its place: up "
			 "to %" PRIu64 " uploads that were in it are answered "
			 "with 404 from now on, unless it is put back",
		    dir->to->policy->output_dir, PUBLISH_TEMP_DIR, waiting);
}

bool
dir_is_found(struct local_dir *dir)
{
	unsigned turn = ev_iteration(dir->to->loop);

	if (dir->found == turn)
		return true;
	if (dir_check_path(dir) != 0)
		return false;
	dir->found = turn;
	return true;
}

int
dir_check_path(const struct local_dir *dir)
{
	struct stat st;

	if (stat(dir->to->policy->output_dir, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? LOCAL_VANISHED
							   : -errno;
	return st.st_dev == dir->st.st_dev && st.st_ino == dir->st.st_ino
		   ? 0
		   : LOCAL_VANISHED;
}
