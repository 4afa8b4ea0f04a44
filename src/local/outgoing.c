#include "outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "flow/reader.h"
#include "local/path.h"
#include "local/space.h"
#include "file_version.h"
#include "incoming_partial.h"
#include "local_error.h"
#include "local_store.h"
#include "partial_look.h"
#include "publish_lock.h"

#define OUTGOING_MAGIC 0x6f757467U

struct outgoing_file {
	unsigned magic;
	struct outgoing base;
	struct local *local;
	struct local_dir *dir;
	struct dir_member member;
	struct reader *reader; /* NULL: gone */
	struct chunk *reading; /* in the operation */
	struct file_version version;
	struct reopen_follower follower;
	struct scan_seeker seeker;
	struct op op; /* opening it, reading or closing: one at a time */
	int fd;
	bool is_latest;	 /* whatever it is called */
	bool is_partial; /* base.name is an ID */
	uint64_t kept;	 /* its offset; UINT64_MAX: it is to be looked up */
	uint64_t ticket;
	unsigned tries;
	bool abandoned;
};

enum {
	TRIES = 16, /* to open the newest before it is gone */
	SPARE = 8,
};

static struct outgoing_file *
outgoing_file_of(struct outgoing *out)
{
	struct outgoing_file *f = container_of(out, struct outgoing_file, base);

	check_magic(f, OUTGOING_MAGIC);
	return f;
}

/* Nothing that is done with it waits for a disk. */
static bool
is_in_memory(const struct outgoing_file *f)
{
	return f->dir->device->kind == DEVICE_MEMORY;
}

/* Opening failed because no file can have that name, or because what has it
 * is no regular file (a socket, a device without a driver). */
static bool
is_not_there(const struct outgoing_file *f, int err)
{
	struct stat st;

	if (err == -ENXIO || err == -ENODEV)
		return fstatat(f->dir->fd, f->base.name, &st,
			   AT_SYMLINK_NOFOLLOW) == 0 &&
		       !S_ISREG(st.st_mode);
	return errno_is_bad_name(err);
}

/* Anything but a regular file is reported as not found; a directory is -EISDIR. */
static int
take_file(struct outgoing_file *f, int fd)
{
	int err = file_version_of(fd, &f->version);

	if (err == 0 && !S_ISREG(f->version.mode))
		err = S_ISDIR(f->version.mode) ? -EISDIR : -ENOENT;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	f->fd = fd;
	f->base.end = f->version.size;
	if (is_in_memory(f))
		f->base.fd = fd;
	return 0;
}

/* The path leads to the directory. */
static int
open_file(struct outgoing_file *f)
{
	/* O_NONBLOCK: it may be a FIFO. */
	int fd = path_open_file(
	    f->dir->fd, f->base.name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return is_not_there(f, fd) ? -ENOENT : fd;
	return take_file(f, fd);
}

/* The bytes of a partial, and not those behind its offset. */
static int
open_partial(struct outgoing_file *f)
{
	uint64_t kept = f->kept;
	int fd, err;

	err = partial_look_open(f->dir->fd, f->base.name, &kept, &fd);
	if (err == 0)
		err = take_file(f, fd);
	if (err < 0)
		return err == -ENOENT ? (int)LOCAL_NO_UPLOAD : err;
	if (f->version.size < kept)
		return LOCAL_GARBLED;
	f->base.end = f->version.size = kept;
	return 0;
}

/* On an engine thread, as all *_job. */
static int
outgoing_open_job(void *arg)
{
	struct outgoing_file *f = arg;

	if (dir_check_path(f->dir) == LOCAL_VANISHED)
		return LOCAL_VANISHED;
	return f->is_partial ? open_partial(f) : open_file(f);
}

static int
outgoing_close_job(void *arg)
{
	struct outgoing_file *f = arg;

	fd_close(&f->fd);
	return 0;
}

/* Closing frees a file that was removed meanwhile. */
static bool
is_slow_to_close(const struct outgoing_file *f)
{
	return f->version.size > SPACE_FREED_AT_ONCE;
}

static void
submit_job(struct outgoing_file *f, int (*call)(void *),
    void (*on_done)(struct op *, int))
{
	bool closes = call == outgoing_close_job;
	bool slow = closes && is_slow_to_close(f);

	engine_call(f->local->to.engine, f->dir->device, &f->op, call, f,
	    (slow ? CALL_SLOW : 0) | (closes ? CALL_NO_STALL : 0), on_done);
}

static void
file_free(struct outgoing_file *f)
{
	struct spare *gets = &f->local->gets;

	f->magic = 0;
	dir_part(f->dir, &f->member);
	spare_give(gets, f);
}

static void
outgoing_on_closed(struct op *op, int res)
{
	struct outgoing_file *f = op->owner;

	if (res < 0) /* there was no thread to do it */
		dir_postpone(f->dir, &f->member);
	else
		file_free(f);
}

/* Abandoned: end it as soon as nothing is in flight. */
static void
outgoing_end_when_idle(struct outgoing_file *f)
{
	list_remove(&f->member.postponed_node);
	list_remove(&f->follower.node);
	list_remove(&f->seeker.node);
	if (f->op.in_flight)
		return;
	if (is_in_memory(f) && !is_slow_to_close(f))
		fd_close(&f->fd);
	if (f->fd == -1)
		file_free(f);
	else if (f->dir->device->stalled)
		dir_postpone(f->dir, &f->member);
	else
		submit_job(f, outgoing_close_job, outgoing_on_closed);
}

static void
outgoing_on_healthy(struct dir_member *m)
{
	outgoing_end_when_idle(container_of(m, struct outgoing_file, member));
}

/* A disk that fails to sync can still be read. */
static void
outgoing_on_unhealthy(struct dir_member *m, bool stalled)
{
	struct outgoing_file *f = container_of(m, struct outgoing_file, member);

	/* What was read is still sent; only an operation in flight fails. */
	if (!stalled || f->abandoned)
		return;
	if (!f->op.in_flight)
		return;
	(void)engine_cancel(f->local->to.engine, &f->op);
	if (f->reading == NULL)
		f->base.events->on_failed(
		    f->base.owner, local_error_in_get(LOCAL_UNHEALTHY));
	else if (f->reader != NULL)
		reader_failed(f->reader, local_error_in_read(LOCAL_UNHEALTHY));
	/* `f` may be closed */
}

static const struct dir_member_ops member_ops = {
    .on_unhealthy = outgoing_on_unhealthy,
    .on_healthy = outgoing_on_healthy,
};

/* Name and ticket of the newest; LOCAL_NONE, or LOCAL_LOOKING when it is not
 * known. */
static int
resolve_latest(struct outgoing_file *f)
{
	struct latest_entry e;

	if (latest_get(f->dir->latest, &e)) {
		memcpy(f->base.name, e.name, sizeof(e.name));
		f->ticket = e.ticket;
		return 0;
	}
	return latest_is_known(f->dir->latest) ? LOCAL_NONE : LOCAL_LOOKING;
}

static void outgoing_on_opened(struct op *op, int res);

/* Open it; the newest may have to be looked for before. */
static void
outgoing_begin(struct outgoing_file *f)
{
	int err = f->is_latest ? resolve_latest(f) : 0;

	if (err == LOCAL_LOOKING)
		scan_seek(&f->local->scan, f->dir, &f->seeker);
	else if (err < 0)
		outgoing_on_opened(&f->op, err); /* may free `f` */
	else
		submit_job(f, outgoing_open_job, outgoing_on_opened);
}

/* The path leads to another directory, which is open now. */
static void
outgoing_move(struct outgoing_file *f, struct local_dir *to)
{
	if (to == f->dir)
		return;
	dir_part(f->dir, &f->member);
	dir_join(to, &f->member);
	f->dir = to;
	f->base.account = &to->device->fetching;
}

/* Begin in `to`, or fail with `err`. */
static void
outgoing_begin_in(struct outgoing_file *f, struct local_dir *to, int err)
{
	check_magic(f, OUTGOING_MAGIC);
	if (err == 0 && !device_accepts_reads(to->device))
		err = LOCAL_UNHEALTHY;
	if (err < 0) {
		outgoing_on_opened(&f->op, err); /* may free `f` */
		return;
	}
	outgoing_move(f, to);
	outgoing_begin(f);
}

static void
outgoing_on_reopened(struct reopen_follower *w, struct local_dir *to)
{
	outgoing_begin_in(container_of(w, struct outgoing_file, follower), to,
	    to == NULL ? (int)LOCAL_VANISHED : 0);
}

static void
outgoing_on_known(struct scan_seeker *w, struct local_dir *current, bool late)
{
	outgoing_begin_in(container_of(w, struct outgoing_file, seeker),
	    current,
	    current == NULL ? (int)LOCAL_NOT_READY
	    : late	    ? (int)LOCAL_LOOKING
			    : 0);
}

/*
 * The newest is gone: `keep latest` has removed it for a newer one, or others
 * have removed, moved or replaced it.  Try the one that is the newest now.
 */
static bool
try_newest_again(struct outgoing_file *f, int res)
{
	if (!f->is_latest || f->abandoned ||
	    (res != -ENOENT && res != -ENOTDIR && res != -ELOOP &&
		res != -EISDIR) ||
	    f->tries++ == TRIES)
		return false;
	latest_drop(f->dir->latest, f->ticket, f->base.name);
	outgoing_begin(f);
	return true;
}

static bool
outgoing_follow(struct outgoing_file *f, int res)
{
	if (res != LOCAL_VANISHED || f->abandoned)
		return false;
	f->follower.on_reopened = outgoing_on_reopened;
	return reopen_follow(&f->local->reopen, f->dir, &f->follower);
}

static void
tell_ready(struct outgoing_file *f)
{
	struct object_info info;

	file_version_describe(&f->version, &info);
	f->base.events->on_ready(f->base.owner, &info); /* may close `f` */
}

static void
outgoing_on_opened(struct op *op, int res)
{
	struct outgoing_file *f = op->owner;
	struct local_dir *dir = f->dir;

	check_magic(f, OUTGOING_MAGIC);
	if (try_newest_again(f, res) || outgoing_follow(f, res))
		return;
	dir_hold(dir); /* `f` may be the last one in it */
	if (f->abandoned)
		outgoing_end_when_idle(f);
	else if (res < 0)
		f->base.events->on_failed(
		    f->base.owner, local_error_in_get(res));
	else
		tell_ready(f);
	dir_learn(dir, res, 0);
	dir_release(dir);
}

static void
outgoing_on_read(struct op *op, int res)
{
	struct outgoing_file *f = op->owner;
	struct chunk *c = f->reading;

	check_magic(f, OUTGOING_MAGIC);
	check(c != NULL);
	f->reading = NULL;
	if (res >= 0) {
		c->len = (size_t)res;
		f->base.offset += (uint64_t)res;
		if (f->base.offset >= f->base.end)
			f->base.source.ended = true;
		else if ((size_t)res < op->len)
			res = -EIO; /* it was cut off while we read it */
	}
	if (f->reader != NULL) { /* may close `f` */
		reader_filled(f->reader, c,
		    res < 0 ? local_error_in_read(res) : failure_none());
		return;
	}
	chunk_give(c);
	if (f->abandoned)
		outgoing_end_when_idle(f);
}

static enum source_result
outgoing_read(struct source *s, struct chunk *c, size_t size, struct reader *r)
{
	struct outgoing_file *f =
	    outgoing_file_of(container_of(s, struct outgoing, source));
	uint64_t left = f->base.end - f->base.offset;

	check(c->len == 0 && !f->op.in_flight);
	if (left == 0) {
		s->ended = true;
		return SOURCE_BYTES;
	}
	f->reader = r;
	f->reading = c;
	f->op = (struct op){.kind = OP_READ,
	    .fd = f->fd,
	    .buf = c->data,
	    .len = left < size ? (size_t)left : size,
	    .offset = f->base.offset,
	    .owner = f,
	    .on_done = outgoing_on_read};
	engine_submit(f->local->to.engine, f->dir->device, &f->op);
	return SOURCE_TAKEN;
}

static void
outgoing_abandon(struct source *s)
{
	struct outgoing_file *f =
	    outgoing_file_of(container_of(s, struct outgoing, source));

	f->reader = NULL;
	if (f->reading != NULL)
		chunk_disown(f->reading);
}

static const struct source_ops outgoing_source_ops = {
    .read = outgoing_read,
    .abandon = outgoing_abandon,
};

void
outgoing_init_spare(struct spare *s)
{
	spare_init(s, sizeof(struct outgoing_file), SPARE);
}

/* Open it now, if it is in memory.  False: in the usual way, which finds out once more what
 * comes of it. */
static bool
open_at_once(struct outgoing_file *f)
{
	return is_in_memory(f) && !f->is_partial && dir_is_found(f->dir) &&
	       open_file(f) == 0;
}

/* Where locks end with any descriptor, one that this process has open is not to be
 * opened once more. */
static uint64_t
known_offset(const char *id)
{
	uint64_t offset;

	return !publish_locks_last() && incoming_partial_is_open(id, &offset)
		   ? offset
		   : UINT64_MAX;
}

static struct failure
begin(struct store *s, const char *name, bool is_partial,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	struct local *local = local_of(s);
	struct local_dir *dir = local->opener.current;
	struct outgoing_file *f;
	int err;

	if (dir == NULL)
		return local_error_in_get(LOCAL_NOT_READY);
	if (!device_accepts_reads(dir->device)) {
		health_watch(&local->health);
		return local_error_in_get(LOCAL_UNHEALTHY);
	}
	f = spare_take(&local->gets);
	if (f == NULL)
		return local_error_in_get(-ENOMEM);
	*f = (struct outgoing_file){.local = local};
	f->dir = dir;
	f->is_latest = name == NULL;
	f->is_partial = is_partial;
	f->kept = is_partial ? known_offset(name) : 0;
	err = name == NULL ? resolve_latest(f) : 0;
	if (err < 0 && err != LOCAL_LOOKING) {
		spare_give(&local->gets, f);
		return local_error_in_get(err);
	}
	if (name != NULL) {
		check(strlen(name) < FILE_NAME_SIZE);
		memcpy(f->base.name, name, strlen(name) + 1);
	}
	f->magic = OUTGOING_MAGIC;
	f->base.source.ops = &outgoing_source_ops;
	f->base.source.fd = -1;
	f->base.store = s;
	f->base.account = &f->dir->device->fetching;
	f->base.owner = owner;
	f->base.events = events;
	f->fd = f->base.fd = -1;
	f->member.ops = &member_ops;
	dir_join(dir, &f->member);
	*ret = &f->base;
	f->op.owner = f;
	f->seeker.on_known = outgoing_on_known;
	if (err == LOCAL_LOOKING)
		scan_seek(&f->local->scan, f->dir, &f->seeker);
	else if (open_at_once(f))
		tell_ready(f); /* may close `f` */
	else
		submit_job(f, outgoing_open_job, outgoing_on_opened);
	return failure_none();
}

struct failure
outgoing_open(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	return begin(s, name, false, events, owner, ret);
}

struct failure
outgoing_open_partial(struct store *s, const char *id,
    const struct get_events *events, void *owner, struct outgoing **ret)
{
	check(partial_is_id(id, strlen(id)));
	return begin(s, id, true, events, owner, ret);
}

void
outgoing_close(struct outgoing *out)
{
	struct outgoing_file *f = outgoing_file_of(out);

	f->abandoned = true;
	outgoing_end_when_idle(f);
}
