/*
 * A file on its way in.
 *
 *	create job -> writes -> commit job -> (sync of the directory)
 *	                     -> (remove the one before) -> over
 *	          \________\___ abort: discard job ______/
 *
 *	collected: chunks stay here -> one job for all -> ...
 *
 * One job at a time, and writes only between the two jobs.  An upload that
 * goes away leaves the file to itself: it ends when its last operation has, or,
 * on a disk that does not answer, when that does again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "internal.h"

enum {
	HASH_MAX = 16 * 1024, /* hashed on the loop, if anything is */
};

static struct incoming_file *
file_of(struct incoming *in)
{
	struct incoming_file *f = container_of(in, struct incoming_file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

static void
submit_job(struct incoming_file *f, int (*call)(void *),
    void (*on_done)(struct op *, int), bool lengthy)
{
	f->job = (struct op){.kind = OP_CALL,
	    .call = call,
	    .arg = f,
	    .lengthy = lengthy,
	    .unhurried = call == spool_discard_job,
	    .owner = f,
	    .on_done = on_done};
	engine_submit(f->spool->to.engine, f->at->device, &f->job);
}

/* Tell the upload how its job went, if it is still there; then act on what
 * that says of the directory or its disk. */
static void
report(struct incoming_file *f, int err)
{
	struct spool_dir *at = f->at;
	int cause = f->base.cause;

	spool_enter(at); /* `f` may be the last one in it */
	if (f->abandoned)
		spool_in_settle(f);
	else
		f->base.done(f->base.owner, err); /* may abort `f` */
	spool_learn(at, err, cause);
	spool_leave(at);
}

/* ---- the path leads elsewhere ---- */

/* Few ever wait so: it is not part of each file. */
struct incoming_follower {
	struct spool_follower base;
	struct incoming_file *file;
};

/* On to the directory `to`, with nothing written in the one before. */
static void
move_to(struct incoming_file *f, struct spool_dir *to)
{
	struct spool_dir *from = f->at;

	if (f->charged == NULL)
		f->charged = device_hold(from->device);
	spool_settle(f, f->owed);
	f->granted = f->allocated = 0;
	f->is_longer = false;
	list_remove(&f->node);
	f->at = to;
	spool_enter(to);
	list_append(&to->incoming, &f->node);
	f->base.account = &to->device->account;
	spool_sink_adapt(f);
	spool_leave(from);
}

/* What it wanted to do there it does here, all of it. */
static void
on_reopened(struct spool_follower *w, struct spool_dir *to)
{
	struct incoming_file *f =
	    container_of(w, struct incoming_follower, base)->file;
	int err = 0;

	check_magic(f, INCOMING_MAGIC);
	if (to == NULL)
		err = STORE_VANISHED;
	else if (device_is_avoided(to->device))
		err = STORE_SICK;
	else if (f->collecting)
		err = spool_hash_restart(f);
	if (err < 0) {
		f->job.on_done(&f->job, err); /* may free `f` */
		return;
	}
	move_to(f, to);
	submit_job(f, f->job.call, f->job.on_done, f->job.lengthy);
}

/* The job just done has left nothing behind.  True: it will be done again where
 * the path leads now. */
static bool
follow(struct incoming_file *f, int res)
{
	int fate = FATE_LINKING;

	if (res != STORE_VANISHED || f->abandoned)
		return false;
	(void)atomic_compare_exchange_strong(&f->fate, &fate, FATE_OPEN);
	if (atomic_load(&f->fate) != FATE_OPEN)
		return false;
	if (f->follower == NULL)
		f->follower = calloc(1, sizeof(*f->follower));
	if (f->follower == NULL)
		return false;
	f->follower->file = f;
	f->follower->base.on_reopened = on_reopened;
	return spool_follow(f->at, &f->follower->base);
}

/* ---- the end ---- */

static void
file_free(struct incoming_file *f)
{
	struct spool_dir *at = f->at;

	spool_sink_drop(f);
	spool_settle(f, f->owed);
	device_put(f->spool->to.devices, &f->charged);
	list_remove(&f->node);
	f->spool->base.files--;
	f->magic = 0;
	spool_hash_fini(f);
	free(f->terms);
	free(f->old);
	free(f->follower);
	free(f);
	spool_leave(at);
}

static void
hold(struct incoming_file *f)
{
	list_append(&f->at->held_incoming, &f->held_node);
	spool_health_watch(f->spool);
}

static void
on_discarded(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	if (res < 0) /* there was no thread to do it */
		hold(f);
	else
		file_free(f);
}

static bool
has_victim(const struct incoming_file *f)
{
	for (int i = 0; i < SPOOL_VICTIMS; i++) {
		if (f->victims[i] != -1)
			return true;
	}
	return false;
}

void
spool_in_settle(struct incoming_file *f)
{
	list_remove(&f->held_node);
	if (f->follower != NULL)
		list_remove(&f->follower->base.node);
	if (f->job.in_flight || !spool_sink_is_idle(f) ||
	    list_is_linked(&f->synced.node))
		return;
	if (f->u.fd == -1 && f->dir == -1 && !has_victim(f))
		file_free(f);
	else if (f->at->device->stalled)
		hold(f);
	else
		submit_job(f, spool_discard_job, on_discarded,
		    f->offset > SPOOL_LENGTHY_BYTES || has_victim(f));
}

void
spool_in_abort(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	f->abandoned = true;
	f->base.owner = NULL;
	f->writer = NULL;
	spool_in_settle(f);
}

/*
 * Its disk is sick.  Whether the name will appear is decided here when it is
 * not under way; else nobody can tell before the disk answers.
 */
void
spool_in_fail(struct incoming_file *f)
{
	int fate = FATE_OPEN;
	int err = STORE_SICK;

	if (f->abandoned)
		return;
	if (f->committing &&
	    !atomic_compare_exchange_strong(&f->fate, &fate, FATE_CALLED_OFF))
		err = fate == FATE_DURABLE ? 0 : (int)STORE_OUTCOME_UNKNOWN;
	spool_sink_cancel(f);
	(void)engine_cancel(f->spool->to.engine, &f->job);
	f->base.done(f->base.owner, err); /* may abort `f` */
}

/* ---- commit ---- */

static void
on_old_removed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	spool_old_tried(f->at, f->old, res);
	report(f, 0);
}

/*
 * The file has its name: it is the newest, unless a later one was faster.  True
 * when the one before, or this one, is to go, which is in f->old then.  What a
 * scan found may be somebody else's file: that is never removed.
 */
static bool
take_place(struct incoming_file *f)
{
	struct newest_entry old, other;
	struct newest_entry e = {.ticket = f->ticket, .published = true};

	newest_note(&e, &f->base.version);
	memcpy(e.name, f->name, strlen(f->name) + 1);
	if (!newest_set(f->at->newest, &e, &old) || !old.published ||
	    !f->spool->to.keep_latest)
		return false;
	/* One of the two has replaced the other: that has its name no more. */
	other = e;
	if (old.ticket == e.ticket && !newest_get(f->at->newest, &other))
		return false;
	if (strcmp(old.name, other.name) == 0)
		return false;
	f->old = malloc(sizeof(old));
	if (f->old == NULL) {
		log_warn("%s: the upload before the latest cannot be removed: "
			 "out of memory",
		    f->spool->base.dir);
		return false;
	}
	*f->old = old;
	return true;
}

/* It is there, as durable as this store makes it. */
static void
finish(struct incoming_file *f)
{
	atomic_store(&f->fate, FATE_DURABLE);
	f->base.durability =
	    spool_durability(f->at->traits.sync, f->spool->to.sync);
	if (!f->base.superseded && take_place(f))
		submit_job(f, spool_remove_old_job, on_old_removed, true);
	else
		report(f, 0);
}

static void
on_synced(struct dirsync_wait *w, int err)
{
	struct incoming_file *f = container_of(w, struct incoming_file, synced);

	check_magic(f, INCOMING_MAGIC);
	f->dir = -1; /* it was closed */
	if (err == 0) {
		finish(f);
		return;
	}
	f->base.cause = -err;
	report(f, STORE_OUTCOME_UNKNOWN);
}

/* It has its name; whether that is durable the directory's sync will tell. */
static void
sync_directory(struct incoming_file *f)
{
	int err;

	f->synced.dir = f->dir == -1 ? f->at->fd : f->dir;
	f->synced.keep_dir = f->dir == -1;
	f->synced.disk = f->at->fd;
	f->synced.on_done = on_synced;
	err = dirsync_join(f->at->dirsync, &f->synced);
	if (err < 0) {
		f->base.cause = -err;
		report(f, STORE_OUTCOME_UNKNOWN);
	}
}

static void
on_committed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	if (f->collecting && follow(f, res))
		return;
	spool_sink_drop(f);
	if (res < 0)
		report(f, res);
	else if (spool_syncs(f->at))
		sync_directory(f);
	else
		finish(f);
}

static void
commit(struct incoming_file *f)
{
	submit_job(f, f->collecting ? spool_collected_job : spool_commit_job,
	    on_committed,
	    /* Not for the loop, on a memory file system. */
	    f->replaces ||
		(f->collecting && f->hash != NULL && f->offset > HASH_MAX) ||
		(f->at->device->kind == DEVICE_MEMORY && spool_replaces(f)));
}

void
spool_in_commit(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	check(!f->opening && f->in_flight == 0);
	f->committing = true;
	if (!f->job.in_flight) /* else spool_in_cared() does */
		commit(f);
}

/* What was done beside the writes has ended. */
void
spool_in_cared(struct incoming_file *f, int err)
{
	/* What is being committed is, whoever leaves meanwhile. */
	if (!f->committing || atomic_load(&f->fate) == FATE_CALLED_OFF)
		spool_in_settle(f);
	else if (err < 0)
		report(f, err);
	else
		commit(f);
}

/* ---- create ---- */

static void
on_created(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	check_magic(f, INCOMING_MAGIC);
	if (follow(f, res))
		return;
	f->opening = false;
	spool_sink_created(f);
	report(f, res);
}

static void
on_created_late(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
	struct spool_dir *at = f->at;

	check_magic(f, INCOMING_MAGIC);
	if (follow(f, res))
		return;
	f->opening = false;
	spool_sink_created(f);
	spool_enter(at);
	spool_sink_opened(f, res); /* may end `f` */
	spool_learn(at, res, 0);
	spool_leave(at);
}

/* It was collected, and it takes too long. */
void
spool_in_create_late(struct incoming_file *f)
{
	f->opening = true;
	submit_job(f, spool_create_job, on_created_late, false);
}

static int
new_file(
    struct spool *sp, const struct store_wish *wish, struct incoming_file **ret)
{
	size_t len = strlen(wish->name);
	struct incoming_file *f;
	int err;

	check(len < STORE_NAME_MAX);
	if (!sp->base.is_open && sp->base.open_error == -EDQUOT)
		return -EDQUOT; /* there is no room to make it */
	if (!sp->base.is_open)
		return sp->base.open_error == -ENOSPC ? -ENOSPC
						      : (int)STORE_NOT_READY;
	if (device_is_avoided(sp->at->device)) {
		spool_health_watch(sp); /* the path may lead elsewhere */
		return STORE_SICK;
	}
	f = calloc(1, sizeof(*f) + len + 1);
	if (f == NULL)
		return -ENOMEM;
	err = spool_hash_init(f, wish);
	if (err < 0) {
		spool_hash_fini(f);
		free(f);
		return err;
	}
	memcpy(f->name, wish->name, len + 1);
	*ret = f;
	return 0;
}

int
spool_in_create(struct store *s, const struct store_wish *wish, void *owner,
    void (*done)(void *owner, int err), struct incoming **ret)
{
	struct spool *sp = spool_of(s);
	struct incoming_file *f;
	int err;

	err = new_file(sp, wish, &f);
	if (err < 0) {
		free(wish->terms);
		return err;
	}
	f->magic = INCOMING_MAGIC;
	f->spool = sp;
	f->at = sp->at;
	f->base.store = s;
	f->base.account = &f->at->device->account;
	f->base.owner = owner;
	f->base.done = done;
	f->base.came.head_ns = wish->head_ns;
	f->u.fd = f->dir = f->victims[0] = f->victims[1] = -1;
	f->length = wish->length;
	f->collecting = wish->collect && wish->length <= sp->to.chunk_size;
	f->has_forerunner = wish->forerunner != NULL;
	if (f->has_forerunner)
		file_version_digest(wish->forerunner, f->forerunner);
	f->terms_hold = wish->terms_hold;
	f->terms = wish->terms;
	atomic_init(&f->fate, FATE_OPEN);
	spool_sink_init(f);
	spool_enter(f->at);
	sp->base.files++;
	list_append(&f->at->incoming, &f->node);
	*ret = &f->base;
	if (f->collecting)
		return 1;
	f->opening = true;
	submit_job(f, spool_create_job, on_created, false);
	return 0;
}
