#include "store/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "spool_internal.h"
#include "store/path.h"

#define RETRY_S 1.0

enum {
	DEPTH_MAX = 16, /* of directories, as of names */
};

/* mkdir, and its name on stable storage: an acknowledged upload must not be
 * lost with the directory that it is in. */
static int
make_dir(const char *path)
{
	char parent[4096];
	char *slash;
	int fd, err = 0;

	if (mkdir(path, 0777) == -1)
		return errno == EEXIST ? 0 : -errno;
	memcpy(parent, path, strlen(path) + 1);
	slash = strrchr(parent, '/');
	check(slash != NULL); /* paths are absolute */
	slash[slash == parent] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		err = -errno;
	fd_close(&fd);
	return err;
}

/* mkdir -p. */
static int
make_dirs(const char *dir)
{
	char path[4096];
	size_t len = strlen(dir);
	int err;

	if (len == 0 || len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, len + 1);
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		err = make_dir(path);
		if (err < 0)
			return err;
		if (was == '\0')
			return 0;
		*p = was;
	}
}

static int
open_dir(const char *dir)
{
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT) {
		int err = make_dirs(dir);

		if (err < 0)
			return err;
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd == -1 ? -errno : fd;
}

int
spool_check(const char *dir, bool overwrite, bool sync, struct str *report)
{
	struct unpublished u = {.fd = -1};
	struct publish p = {.temp_dir = -1};
	bool memory;
	int fd, err;

	fd = open_dir(dir);
	if (fd < 0) {
		str_puts(report, "cannot be opened or made");
		return fd;
	}
	err = publish_init(&p, fd, overwrite);
	if (err == 0)
		err = publish_create(&p, -1, &u);
	if (err < 0) {
		str_puts(
		    report, err == -EOPNOTSUPP
				? "its file system can neither link nor rename "
				  "without replacing"
				: "cannot be written");
	} else {
		publish_discard(&p, &u);
		memory = device_kind_of(fd) == DEVICE_MEMORY;
		str_printf(report, "published by %s, %s", publish_way(&p),
		    durability_name[memory ? DURABLE_MEMORY
				    : sync ? DURABLE_SYNCED
					   : DURABLE_BUFFERED]);
		if (memory && sync)
			str_puts(report,
			    " (a memory file system cannot keep what sync "
			    "promises)");
	}
	fd_close(&u.fd);
	publish_fini(&p);
	fd_close(&fd);
	return err;
}

/* On an engine thread: open the directory and find out how to use it. */
static int
open_job(void *arg)
{
	struct spool *sp = arg;
	int fd, err;

	fd = open_dir(sp->base.dir);
	if (fd < 0)
		return fd;
	if (fstat(fd, &sp->found_stat) == -1) {
		err = -errno;
		goto close_fd;
	}
	sp->found_kind = device_kind_of(fd);
	err = publish_init(&sp->publish, fd, sp->to.overwrite);
	if (err < 0)
		goto close_fd;
	sp->swept = publish_sweep(fd);
	sp->root = fd;
	return 0;

close_fd:
	fd_close(&fd);
	return err;
}

/* A newer regular file than *best? */
struct scan {
	struct newest_entry *best;
	struct timespec ctime;
	bool found, dotfiles;
	char path[NEWEST_NAME_MAX];
};

static void
look_at(struct scan *s, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return;
	if (s->found && (st->st_ctim.tv_sec < s->ctime.tv_sec ||
			    (st->st_ctim.tv_sec == s->ctime.tv_sec &&
				st->st_ctim.tv_nsec <= s->ctime.tv_nsec)))
		return;
	s->found = true;
	s->ctime = st->st_ctim;
	s->best->inode = st->st_ino;
	memcpy(s->best->name, s->path, sizeof(s->path));
}

static bool
is_skipped(const struct scan *s, const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, PUBLISH_TEMP_DIR) == 0 ||
	       (name[0] == '.' && !s->dotfiles);
}

static int scan_below(
    struct scan *s, int fd, size_t path_len, size_t len, int depth);

/* Look through the directory `fd`, which is closed on the way out: 0 or a
 * negative errno.  What vanishes meanwhile is none. */
static int
scan_dir(struct scan *s, int fd, size_t path_len, int depth)
{
	const struct dirent *e;
	DIR *d = fdopendir(fd);
	int err = 0;

	if (d == NULL) {
		err = -errno;
		fd_close(&fd);
		return err;
	}
	while (err == 0 && (errno = 0, e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);
		struct stat st;

		if (is_skipped(s, e->d_name) ||
		    path_len + len + 2 > sizeof(s->path) ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		memcpy(s->path + path_len, e->d_name, len + 1);
		look_at(s, &st);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			err = scan_below(s, fd, path_len, len, depth);
	}
	if (err == 0)
		err = -errno;
	closedir(d);
	return err;
}

/* Look through the directory whose name stands last in s->path. */
static int
scan_below(struct scan *s, int fd, size_t path_len, size_t len, int depth)
{
	int sub = path_open(fd, s->path + path_len, O_RDONLY | O_DIRECTORY);

	if (sub == -EMFILE || sub == -ENFILE || sub == -ENOMEM || sub == -EIO)
		return sub;
	if (sub < 0)
		return 0; /* not ours to enter, or gone */
	s->path[path_len + len] = '/';
	return scan_dir(s, sub, path_len + len + 1, depth + 1);
}

/* On an engine thread: the newest file by ctime, which link(2) sets. */
static int
scan_job(void *arg)
{
	struct spool *sp = arg;
	struct scan s = {.best = &sp->scanned, .dotfiles = sp->to.dotfiles};
	int fd, err;

	fd = path_open(sp->root, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = scan_dir(&s, fd, 0, 1);
	return err < 0 ? err : s.found;
}

static void
try_later(struct spool *sp)
{
	ev_timer_set(&sp->retry, RETRY_S, 0.);
	ev_timer_start(sp->to.loop, &sp->retry);
}

static void
on_scanned(struct op *op, int res)
{
	struct spool *sp = op->owner;

	if (res < 0) {
		log_error("%s: cannot be looked through for the newest upload: "
			  "%s",
		    sp->base.dir, strerror(-res));
		newest_unclaim_scan(sp->newest);
		try_later(sp);
	} else {
		newest_scanned(sp->newest, res > 0 ? &sp->scanned : NULL);
	}
	sp->base.open_settled = true;
}

/* Find the newest upload, unless it is known.  Another worker may be looking
 * already; it may die over it, so we look again later. */
static void
scan(struct spool *sp)
{
	if (sp->newest == NULL || newest_is_known(sp->newest)) {
		sp->base.open_settled = true;
		return;
	}
	if (!newest_claim_scan(sp->newest)) {
		sp->base.open_settled = true;
		try_later(sp);
		return;
	}
	sp->scan_op = (struct op){.kind = OP_CALL,
	    .call = scan_job,
	    .lengthy = true,
	    .arg = sp,
	    .owner = sp,
	    .on_done = on_scanned};
	engine_submit(sp->to.engine, sp->device, &sp->scan_op);
}

static void
on_open(struct op *op, int res)
{
	struct spool *sp = op->owner;

	if (res == 0)
		sp->device = device_get(
		    sp->to.devices, sp->found_stat.st_dev, sp->found_kind);
	if (res == 0 && sp->device == NULL) {
		publish_fini(&sp->publish);
		fd_close(&sp->root);
		res = -ENOMEM;
	}
	sp->base.open_error = res;
	if (res < 0) {
		if (sp->said != res)
			log_error("%s: cannot be opened: %s; uploads to it "
				  "get 503 until it can be",
			    sp->base.dir, strerror(-res));
		sp->said = res;
		sp->base.open_settled = true;
		try_later(sp);
		return;
	}
	if (sp->swept > 0)
		log_notice("%s: %u unfinished uploads of a worker that died "
			   "were removed",
		    sp->base.dir, sp->swept);
	if (sp->said != 0)
		log_notice("%s: open again", sp->base.dir);
	sp->said = 0;
	sp->base.durability = sp->device->kind == DEVICE_MEMORY ? DURABLE_MEMORY
			      : sp->to.sync			? DURABLE_SYNCED
					    : DURABLE_BUFFERED;
	sp->newest = newest_of(
	    sp->to.newest, sp->found_stat.st_dev, sp->found_stat.st_ino);
	if (sp->newest == NULL)
		log_error("%s: too many output directories: its newest upload "
			  "is not known",
		    sp->base.dir);
	sp->base.is_open = true;
	scan(sp);
}

static void
begin_opening(struct spool *sp)
{
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
		scan(sp);
	else
		begin_opening(sp);
}

static bool
is_idle(struct store *s)
{
	const struct spool *sp = spool_of(s);

	return sp->base.files == 0 && !sp->open_op.in_flight &&
	       !sp->scan_op.in_flight;
}

static void
free_spool(struct store *s)
{
	struct spool *sp = spool_of(s);

	check(is_idle(s));
	ev_timer_stop(sp->to.loop, &sp->retry);
	if (sp->root != -1)
		publish_fini(&sp->publish);
	fd_close(&sp->root);
	free(sp);
}

static const struct store_ops spool_ops = {
    .create = spool_in_create,
    .commit = spool_in_commit,
    .abort = spool_in_abort,
    .open = spool_out_open,
    .close = spool_out_close,
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
	sp->root = -1;
	sp->publish.temp_dir = -1;
	sp->unknown = device_new_unknown(setup->devices);
	if (sp->unknown == NULL) {
		free(sp);
		return NULL;
	}
	ev_timer_init(&sp->retry, on_retry, 0., 0.);
	sp->retry.data = sp;
	begin_opening(sp);
	return &sp->base;
}
