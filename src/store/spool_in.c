/*
 * A file on its way in.
 *
 *	create job -> writes -> commit job -> (remove the one before) -> over
 *	          \________\___ abort: discard job _________________/
 *
 * One job at a time, and writes only between the two jobs.  An upload that
 * goes away leaves the file to itself: it ends when its last operation has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "flow/writer.h"
#include "spool_internal.h"
#include "store/path.h"

#define INCOMING_MAGIC 0x696e636fU

enum {
	LENGTHY_BYTES = 1024 * 1024, /* freeing more takes its time */
};

struct file {
	unsigned magic;
	struct incoming base;
	struct spool *spool;
	struct writer *writer; /* NULL: gone */
	struct list writing;   /* chunks in an operation */
	uint64_t offset;       /* where the next chunk goes */

	struct op job;
	struct unpublished u;
	int dir;	  /* deepest directory that exists; -1: the root */
	const char *rest; /* the part of `name` below it */
	bool abandoned;	  /* by its upload: end when nothing is in flight */
	ino_t inode;
	struct newest_entry old; /* what it took the place of as the newest */
	bool (*terms_hold)(const void *terms, const struct stat *existing);
	void *terms;
	char name[];
};

static struct file *
file_of(struct incoming *in)
{
	struct file *f = container_of(in, struct file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

static void settle(struct file *f);

static void
submit_job(struct file *f, int (*call)(void *),
    void (*on_done)(struct op *, int), bool lengthy)
{
	f->job = (struct op){.kind = OP_CALL,
	    .call = call,
	    .arg = f,
	    .lengthy = lengthy,
	    .owner = f,
	    .on_done = on_done};
	engine_submit(f->spool->to.engine, f->spool->device, &f->job);
}

/* Tell the upload how its job went, if it is still there. */
static void
report(struct file *f, int err)
{
	if (f->abandoned)
		settle(f);
	else
		f->base.done(f->base.owner, err); /* may abort `f` */
}

/* On an engine thread, as all *_job: close what is open, unless it is. */
static void
close_all(struct file *f)
{
	publish_discard(&f->spool->publish, &f->u);
	fd_close(&f->u.fd);
	fd_close(&f->dir);
}

/* May a file named `name` in `dir` be made, in place of what is there? */
static int
check_target(const struct file *f, int dir, const char *name, bool *ret_exists)
{
	struct stat st;
	bool exists;

	exists = fstatat(dir == -1 ? f->spool->root : dir, name, &st,
		     AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT)
		return -errno;
	*ret_exists = exists;
	if (exists && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (exists && S_ISLNK(st.st_mode))
		return -ELOOP;
	if (f->terms_hold != NULL &&
	    !f->terms_hold(f->terms, exists ? &st : NULL))
		return STORE_REFUSED;
	if (exists && !f->spool->to.overwrite)
		return -EEXIST;
	return 0;
}

static int
create_job(void *arg)
{
	struct file *f = arg;
	bool exists = false;
	struct stat st;
	int err;

	err = path_open_parent(f->spool->root, f->name, &f->dir, &f->rest);
	if (err < 0)
		return err;
	if (strchr(f->rest, '/') == NULL)
		err = check_target(f, f->dir, f->rest, &exists);
	else if (f->terms_hold != NULL && !f->terms_hold(f->terms, NULL))
		err = STORE_REFUSED;
	if (err == 0)
		err = publish_create(&f->spool->publish, f->dir, &f->u);
	if (err == 0) {
		if (fstat(f->u.fd, &st) == 0)
			f->inode = st.st_ino;
		else
			err = -errno;
	}
	if (err < 0)
		close_all(f);
	return err;
}

/*
 * Link, or replace.  Between the look and the link somebody else may have
 * made a file of that name: link says so, and we look again.
 */
static int
give_name(struct file *f, int dir, const char *name)
{
	struct publish *p = &f->spool->publish;
	bool exists = false;
	int err;

	for (int tries = 0; tries < 8; tries++) {
		if (f->terms_hold != NULL || exists) {
			err = check_target(f, dir, name, &exists);
			if (err < 0)
				return err;
		}
		if (exists) {
			err = publish_replace(p, &f->u, dir, name);
			f->base.replaced = err == 0;
			return err;
		}
		err = publish_link(p, &f->u, dir, name);
		if (err != -EEXIST)
			return err;
		exists = true;
	}
	return -EEXIST;
}

/* Some file systems tell of a failed write only at close (FUSE, NFS). */
static int
check_close(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1)
		return -errno;
	return close(copy) == -1 && errno != EINTR ? -errno : 0;
}

/*
 * Data first, then the name, then the directory that holds the name; nothing
 * is tried again: a second fsync after a failed one says 0 and lies.
 */
static int
commit_steps(struct file *f, int *ret_dir)
{
	struct spool *sp = f->spool;
	bool sync = spool_syncs(sp);
	const char *name;
	int err;

	if (sync && fsync(f->u.fd) == -1)
		return STORE_SYNC_FAILED;
	if (sp->device->kind == DEVICE_UNKNOWN) {
		err = check_close(f->u.fd);
		if (err < 0)
			return err;
	}
	err = path_make_parents(
	    f->dir == -1 ? sp->root : f->dir, f->rest, sync, ret_dir, &name);
	if (err < 0)
		return err;
	if (*ret_dir == -1)
		err = give_name(f, f->dir, name);
	else
		err = give_name(f, *ret_dir, name);
	if (err < 0)
		return err;
	if (sync) {
		int dir = *ret_dir != -1 ? *ret_dir
			  : f->dir != -1 ? f->dir
					 : sp->root;

		if (fsync(dir) == -1)
			return STORE_OUTCOME_UNKNOWN;
	}
	return 0;
}

static int
commit_job(void *arg)
{
	struct file *f = arg;
	int dir = -1, err;

	err = commit_steps(f, &dir);
	fd_close(&dir);
	close_all(f);
	return err;
}

/* `keep latest`: remove what this upload replaced as the newest, if it is
 * still the file that it was. */
static int
remove_old_job(void *arg)
{
	struct file *f = arg;
	const char *rest;
	struct stat st;
	int dir, err;

	err = path_open_parent(f->spool->root, f->old.name, &dir, &rest);
	if (err < 0)
		return err;
	if (fstatat(dir == -1 ? f->spool->root : dir, rest, &st,
		AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_ino == f->old.inode &&
	    unlinkat(dir == -1 ? f->spool->root : dir, rest, 0) == -1)
		err = -errno;
	fd_close(&dir);
	return err;
}

static void
on_old_removed(struct op *op, int res)
{
	struct file *f = op->owner;

	if (res < 0 && res != -ENOENT)
		log_warn("%s: the upload before the latest cannot be removed: "
			 "%s",
		    f->spool->base.dir, strerror(-res));
	report(f, 0);
}

static void
on_committed(struct op *op, int res)
{
	struct file *f = op->owner;
	struct newest_entry e = {.inode = f->inode, .published = true};
	bool had_old = false;

	if (res == 0 && f->spool->newest != NULL) {
		memcpy(e.name, f->name, strlen(f->name) + 1);
		had_old = newest_set(f->spool->newest, &e, &f->old);
	}
	/* What a scan found may be somebody else's file: that is never removed. */
	if (had_old && f->old.published && f->spool->to.keep_latest &&
	    f->old.inode != f->inode)
		submit_job(f, remove_old_job, on_old_removed, true);
	else
		report(f, res);
}

void
spool_in_commit(struct incoming *in)
{
	struct file *f = file_of(in);

	check(!f->job.in_flight && list_is_empty(&f->writing));
	submit_job(f, commit_job, on_committed, false);
}

static void
on_created(struct op *op, int res)
{
	report(op->owner, res);
}

static int
discard_job(void *arg)
{
	close_all(arg);
	return 0;
}

static void
file_free(struct file *f)
{
	f->spool->files--;
	f->magic = 0;
	free(f->terms);
	free(f);
}

static void
on_discarded(struct op *op, int res)
{
	(void)res;
	file_free(op->owner);
}

/* Abandoned: end it as soon as nothing is in flight. */
static void
settle(struct file *f)
{
	if (f->job.in_flight || !list_is_empty(&f->writing))
		return;
	if (f->u.fd != -1 || f->dir != -1)
		submit_job(
		    f, discard_job, on_discarded, f->offset > LENGTHY_BYTES);
	else
		file_free(f);
}

void
spool_in_abort(struct incoming *in)
{
	struct file *f = file_of(in);

	f->abandoned = true;
	f->base.owner = NULL;
	settle(f);
}

/* One chunk is written, or failed: it goes back to its pool here. */
static void
on_written(struct op *op, int res)
{
	struct file *f = op->owner;
	struct chunk *c = container_of(op, struct chunk, op);

	check_magic(f, INCOMING_MAGIC);
	list_remove(&c->node);
	chunk_give(c);
	if (f->writer != NULL)
		writer_wrote(f->writer, res < 0 ? res : 0); /* may abort `f` */
	else if (f->abandoned)
		settle(f);
}

static void
sink_write(struct sink *s, struct chunk *c, struct writer *w)
{
	struct file *f = file_of(container_of(s, struct incoming, sink));

	f->writer = w;
	c->op = (struct op){.kind = OP_WRITE,
	    .fd = f->u.fd,
	    .buf = c->data,
	    .len = c->len,
	    .offset = f->offset,
	    .owner = f,
	    .on_done = on_written};
	f->offset += c->len;
	list_append(&f->writing, &c->node);
	engine_submit(f->spool->to.engine, f->spool->device, &c->op);
}

static void
sink_abandon(struct sink *s)
{
	struct file *f = file_of(container_of(s, struct incoming, sink));
	struct list_node *n, *tmp;

	f->writer = NULL;
	LIST_EACH(&f->writing, n, tmp)
	chunk_disown(container_of(n, struct chunk, node));
}

static const struct sink_ops sink_ops = {
    .write = sink_write,
    .abandon = sink_abandon,
};

int
spool_in_create(struct store *s, const struct store_wish *wish, void *owner,
    void (*done)(void *owner, int err), struct incoming **ret)
{
	struct spool *sp = spool_of(s);
	size_t len = strlen(wish->name);
	struct file *f = NULL;

	check(len < STORE_NAME_MAX);
	if (sp->base.is_open)
		f = calloc(1, sizeof(*f) + len + 1);
	if (f == NULL) {
		free(wish->terms);
		return sp->base.is_open ? -ENOMEM : (int)STORE_NOT_READY;
	}
	f->magic = INCOMING_MAGIC;
	f->base.sink.ops = &sink_ops;
	f->base.store = s;
	f->base.account = &sp->device->account;
	f->base.owner = owner;
	f->base.done = done;
	f->spool = sp;
	f->u.fd = f->dir = -1;
	f->terms_hold = wish->terms_hold;
	f->terms = wish->terms;
	list_init(&f->writing);
	memcpy(f->name, wish->name, len + 1);
	sp->files++;
	*ret = &f->base;
	submit_job(f, create_job, on_created, false);
	return 0;
}
