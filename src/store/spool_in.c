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

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "flow/writer.h"
#include "spool_internal.h"
#include "store/path.h"

#define INCOMING_MAGIC 0x696e636fU

enum {
	LENGTHY_BYTES = 1024 * 1024, /* freeing more takes its time */
	TRIES = 8,
	PARTS_MAX = 16, /* of a name */
};

struct incoming_file {
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
	uint64_t ctime_ns;	  /* `keep latest`: when it got its name */
	bool replaces_much;	  /* what it replaces takes its time to free */
	struct newest_entry *old; /* `keep latest`: to be removed; or NULL */
	bool (*terms_hold)(const void *terms, const struct stat *existing);
	void *terms;
	char name[];
};

static struct incoming_file *
file_of(struct incoming *in)
{
	struct incoming_file *f = container_of(in, struct incoming_file, base);

	check_magic(f, INCOMING_MAGIC);
	return f;
}

static void settle(struct incoming_file *f);

static void
submit_job(struct incoming_file *f, int (*call)(void *),
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
report(struct incoming_file *f, int err)
{
	if (f->abandoned)
		settle(f);
	else
		f->base.done(f->base.owner, err); /* may abort `f` */
}

/* On an engine thread, as all *_job: close what is open, unless it is. */
static void
close_all(struct incoming_file *f)
{
	publish_discard(&f->spool->publish, &f->u);
	fd_close(&f->u.fd);
	fd_close(&f->dir);
}

/* May a file named `name` in `dir` be made, in place of what is there? */
static int
check_target(
    struct incoming_file *f, int dir, const char *name, bool *ret_exists)
{
	struct stat st;
	bool exists;

	exists = fstatat(dir == -1 ? f->spool->root : dir, name, &st,
		     AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT)
		return -errno;
	*ret_exists = exists;
	f->replaces_much = exists && st.st_size > LENGTHY_BYTES;
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
	struct incoming_file *f = arg;
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

/* Look at what has the name now, and replace it if it may be.  Nobody else of
 * us replaces or removes anything in this store between the two. */
static int
replace(struct incoming_file *f, int dir, const char *name)
{
	struct publish *p = &f->spool->publish;
	bool exists = false;
	int lock, err;

	lock = publish_serialize(p);
	if (lock < 0)
		return lock;
	err = check_target(f, dir, name, &exists);
	if (err == 0 && exists) {
		err = publish_replace(p, &f->u, dir, name);
		f->base.replaced = err == 0;
	} else if (err == 0) {
		err = publish_link(p, &f->u, dir, name);
	}
	fd_close(&lock);
	return err;
}

/* Link; replace where there is something, or where terms want to see it. */
static int
give_name(struct incoming_file *f, int dir, const char *name)
{
	int err = -EEXIST;

	if (f->terms_hold == NULL)
		err = publish_link(&f->spool->publish, &f->u, dir, name);
	/* Again only if others make and remove that name all the time. */
	for (int i = 0; i < TRIES && err == -EEXIST; i++) {
		err = replace(f, dir, name);
		if (err == -EEXIST && !f->spool->to.overwrite)
			break;
	}
	return err;
}

/*
 * The directory that holds the name is synced by the caller; those above it
 * hold the names on the way to it, perhaps made by another upload that has
 * not synced them, or could not.  Once is enough for each directory.  Upwards
 * from where we are, since names may be changed under us.
 */
static int
sync_ancestors(struct incoming_file *f, int dir)
{
	struct spool *sp = f->spool;
	struct stat root, st;
	size_t slot = 0;
	int at = dir, err = 0;

	if (fstat(sp->root, &root) == -1)
		return -errno;
	for (int level = 0; level <= PARTS_MAX; level++) {
		int up = -1;

		if (fstat(at, &st) == -1)
			err = -errno;
		if (err < 0 || st.st_ino == root.st_ino)
			break;
		if (level == 0) {
			slot = (size_t)st.st_ino % SPOOL_SYNCED_DIRS;
			if (atomic_load(&sp->synced_dirs[slot]) == st.st_ino)
				return 0;
		}
		up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up == -1 || fsync(up) == -1)
			err = -errno;
		if (at != dir)
			fd_close(&at);
		at = up;
	}
	if (at != dir)
		fd_close(&at);
	if (err == 0 && fstat(dir, &st) == 0 && st.st_ino != root.st_ino)
		atomic_store(&sp->synced_dirs[slot], st.st_ino);
	return err;
}

/* The data on stable storage.  Never tried again: a second fsync after one
 * that failed says 0 and lies. */
static int
sync_data(struct incoming_file *f)
{
	if (fsync(f->u.fd) == 0)
		return 0;
	f->base.cause = errno;
	/* Some learn only now that there is no room (quota, NFS). */
	return errno == ENOSPC || errno == EDQUOT ? -errno : STORE_SYNC_FAILED;
}

static uint64_t
ctime_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * NS_PER_S +
	       (uint64_t)st->st_ctim.tv_nsec;
}

static uint64_t
ctime_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? ctime_ns(&st) : 0;
}

/* Data first, then the name, then the directories that hold the name. */
static int
commit_steps(struct incoming_file *f, int *ret_made)
{
	struct spool *sp = f->spool;
	bool sync = spool_syncs(sp);
	int dir = f->dir == -1 ? sp->root : f->dir;
	const char *name = NULL;
	int err = 0;

	if (sync)
		err = sync_data(f);
	if (err == 0 && sp->device->kind == DEVICE_UNKNOWN)
		err = publish_check_close(f->u.fd);
	if (err == 0)
		err = path_make_parents(dir, f->rest, sync, ret_made, &name);
	if (err < 0)
		return err;
	if (*ret_made != -1)
		dir = *ret_made;
	/* What can fail without harm comes before the name. */
	if (sync)
		err = sync_ancestors(f, dir);
	if (err == 0)
		err = give_name(f, dir, name);
	if (err < 0)
		return err;
	if (sp->to.keep_latest)
		f->ctime_ns = ctime_of(f->u.fd);
	if (sync && fsync(dir) == -1) {
		f->base.cause = errno;
		return STORE_OUTCOME_UNKNOWN;
	}
	return 0;
}

static int
commit_job(void *arg)
{
	struct incoming_file *f = arg;
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
	struct incoming_file *f = arg;
	const char *rest;
	struct stat st;
	int dir, at, lock, err;

	err = path_open_parent(f->spool->root, f->old->name, &dir, &rest);
	if (err < 0)
		return err;
	lock = publish_serialize(&f->spool->publish);
	if (lock < 0) {
		fd_close(&dir);
		return lock;
	}
	at = dir == -1 ? f->spool->root : dir;
	if (fstatat(at, rest, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_ino == f->old->inode &&
	    ctime_ns(&st) == f->old->ctime_ns && unlinkat(at, rest, 0) == -1)
		err = -errno;
	fd_close(&lock);
	fd_close(&dir);
	return err;
}

static void
on_old_removed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	if (res < 0 && res != -ENOENT)
		log_warn("%s: the upload before the latest cannot be removed: "
			 "%s",
		    f->spool->base.dir, strerror(-res));
	report(f, 0);
}

/*
 * The file has its name: it is the newest.  True when the one before is to go,
 * which is in f->old then.  What a scan found may be somebody else's file:
 * that is never removed.
 */
static bool
take_place(struct incoming_file *f)
{
	struct newest_entry old,
	    e = {.inode = f->inode, .ctime_ns = f->ctime_ns, .published = true};

	memcpy(e.name, f->name, strlen(f->name) + 1);
	if (!newest_set(f->spool->newest, &e, &old) || !old.published ||
	    !f->spool->to.keep_latest || old.inode == f->inode)
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

static void
on_committed(struct op *op, int res)
{
	struct incoming_file *f = op->owner;

	if (res == 0 && f->spool->newest != NULL && take_place(f))
		submit_job(f, remove_old_job, on_old_removed, true);
	else
		report(f, res);
}

void
spool_in_commit(struct incoming *in)
{
	struct incoming_file *f = file_of(in);

	check(!f->job.in_flight && list_is_empty(&f->writing));
	submit_job(f, commit_job, on_committed, f->replaces_much);
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
file_free(struct incoming_file *f)
{
	f->spool->base.files--;
	f->magic = 0;
	free(f->terms);
	free(f->old);
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
settle(struct incoming_file *f)
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
	struct incoming_file *f = file_of(in);

	f->abandoned = true;
	f->base.owner = NULL;
	settle(f);
}

/* One chunk is written, or failed: it goes back to its pool here. */
static void
on_written(struct op *op, int res)
{
	struct incoming_file *f = op->owner;
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
	struct incoming_file *f =
	    file_of(container_of(s, struct incoming, sink));

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
	struct incoming_file *f =
	    file_of(container_of(s, struct incoming, sink));
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
	struct incoming_file *f = NULL;

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
	sp->base.files++;
	*ret = &f->base;
	submit_job(f, create_job, on_created, false);
	return 0;
}
