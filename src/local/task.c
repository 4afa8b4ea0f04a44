#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "local/path.h"
#include "file_version.h"
#include "incoming_file.h"
#include "local_error.h"
#include "publish_lock.h"

struct task {
	struct store_task base;
	struct local_dir *dir;
	struct op op;
	int fd;	       /* of the file to settle, or -1 */
	bool unsynced; /* a sync has failed */
	char etag[OBJECT_ETAG_SIZE];
	char name[];
};

static void
task_on_done(struct op *op, int res)
{
	struct task *t = op->owner;
	struct store_task base = t->base;
	struct local_dir *dir = t->dir;
	bool unsynced = t->unsynced;

	free(t);
	if (base.owner != NULL)
		base.on_done(base.owner, res);
	/* Others are told of the disk only when the owner knows its own error. */
	if (unsynced)
		dir_learn(dir, LOCAL_SYNC_FAILED, -res);
	dir_release(dir);
}

/* In this directory; NULL: out of memory. */
static struct task *
task_new(struct local_dir *dir, const char *name)
{
	size_t len = strlen(name) + 1;
	struct task *t = calloc(1, sizeof(*t) + len);

	if (t == NULL)
		return NULL;
	memcpy(t->name, name, len);
	t->dir = dir;
	t->fd = -1;
	dir_hold(dir);
	return t;
}

static struct store_task *
task_begin(struct task *t, int (*job)(void *))
{
	t->op.owner = t;
	engine_call(t->dir->to->engine, t->dir->device, &t->op, job, t,
	    CALL_SLOW, task_on_done);
	return &t->base;
}

/* What came of a sync says something of the disk; but not that it is full. */
static int
learn_sync(struct task *t, int err)
{
	t->unsynced = err < 0 && !errno_is_no_space(err);
	return err;
}

/* ---- settle ---- */

static int
settle_job(void *arg)
{
	struct task *t = arg;
	int err = 0;

	if (dir_syncs(t->dir))
		err = learn_sync(t, path_sync_file(t->fd));
	fd_close(&t->fd);
	return err;
}

struct store_task *
task_settle(struct incoming *in)
{
	struct incoming_file *f = incoming_of(in);
	struct task *t = task_new(f->target.at, "");

	if (t == NULL)
		return NULL;
	t->fd = fcntl(f->target.u.fd, F_DUPFD_CLOEXEC, 0);
	if (t->fd == -1) {
		dir_release(t->dir);
		free(t);
		return NULL;
	}
	return task_begin(t, settle_job);
}

/* ---- take back ---- */

/* It has the name `rest` in `dir` still, and loses it. */
static int
remove_name(const struct task *t, int dir, const char *rest)
{
	struct file_version is;
	struct object_info info;
	int err = file_version_at(dir, rest, &is);

	if (err < 0)
		return err;
	file_version_describe(&is, &info);
	if (strcmp(info.etag, t->etag) != 0)
		return -EEXIST;
	return unlinkat(dir, rest, 0) == -1 ? -errno : 0;
}

static int
take_back_job(void *arg)
{
	struct task *t = arg;
	struct local_dir *at = t->dir;
	struct publish_lock lock;
	const char *rest;
	int parent, dir, err;

	err = path_open_parent(at->fd, t->name, &parent, &rest);
	if (err < 0)
		return err;
	dir = parent == -1 ? at->fd : parent;
	err = publish_take(&at->publish, t->name, 0, &lock);
	if (err == 0) {
		err = remove_name(t, dir, rest);
		publish_release(&at->publish, &lock);
	}
	if (err == 0 && dir_syncs(at))
		err = learn_sync(t, path_sync_dir(dir));
	fd_close(&parent);
	return err;
}

struct store_task *
task_take_back(
    struct store *s, const char *name, const struct object_info *stored)
{
	struct local_dir *dir = local_of(s)->opener.current;
	struct task *t = dir != NULL ? task_new(dir, name) : NULL;

	if (t == NULL)
		return NULL;
	memcpy(t->etag, stored->etag, sizeof(t->etag));
	return task_begin(t, take_back_job);
}
