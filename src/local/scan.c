/*
 * At the start, and when others have removed the newest upload: which of the
 * files that are there is the newest.  One of all workers looks; downloads of
 * the newest wait for it, for a while.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "internal.h"
#include "local/path.h"

enum {
	DEPTH_MAX = 16, /* of directories, as of names */
};

#define SEEK_LOOK_S 0.02 /* does another worker know? */
#define SEEK_MAX_S 2.0

/* A newer regular file than *best? */
struct scan {
	struct latest_entry *best;
	struct file_version found; /* with `mode` 0: none yet */
	bool dotfiles;
	char path[LATEST_NAME_MAX];
};

/*
 * When the file was complete: its mtime, if that is between its birth and its
 * last change, where the one of an upload is.  Else somebody has set it, to that
 * of another file or to the future, and the birth is what counts.  Where no
 * births are known an older mtime is believed, and for one in the future the
 * ctime counts: when it got its name, or its mode or owner was changed since.
 */
static int64_t
completed_ns(const struct file_version *v)
{
	if (v->mtime_ns >= v->birth_ns && v->mtime_ns <= v->ctime_ns)
		return v->mtime_ns;
	return v->birth_ns != 0 ? v->birth_ns : v->ctime_ns;
}

/* Of two that were completed in one tick of the kernel's clock, the one that
 * got its name later, which its ctime tells. */
static bool
is_newer(const struct file_version *a, const struct file_version *b)
{
	int64_t a_ns = completed_ns(a), b_ns = completed_ns(b);

	return a_ns != b_ns ? a_ns > b_ns : a->ctime_ns > b->ctime_ns;
}

static void
look_at(struct scan *s, const struct file_version *v)
{
	if (!S_ISREG(v->mode) ||
	    (s->found.mode != 0 && !is_newer(v, &s->found)))
		return;
	s->found = *v;
	latest_note(s->best, v);
	memcpy(s->best->name, s->path, sizeof(s->path));
}

static bool
is_skipped(const struct scan *s, const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       publish_is_reserved(name, strlen(name)) ||
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
		struct file_version v;

		if (is_skipped(s, e->d_name) ||
		    path_len + len + 2 > sizeof(s->path) ||
		    file_version_peek(fd, e->d_name, &v) < 0)
			continue;
		memcpy(s->path + path_len, e->d_name, len + 1);
		look_at(s, &v);
		if (S_ISDIR(v.mode) && depth < DEPTH_MAX)
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

	if (local_is_our_lack(-sub) || sub == -EIO)
		return sub;
	if (sub < 0)
		return 0; /* not ours to enter, or gone */
	s->path[path_len + len] = '/';
	return scan_dir(s, sub, path_len + len + 1, depth + 1);
}

/* On an engine thread: the file that was completed last. */
static int
scan_job(void *arg)
{
	struct local_dir *at = arg;
	struct local *local = at->local;
	struct scan s = {.best = &at->scanned, .dotfiles = local->to.dotfiles};
	int fd, err;

	fd = path_open(at->fd, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = scan_dir(&s, fd, 0, 1);
	return err < 0 ? err : s.found.mode != 0;
}

/* Those who need not wait any longer; with `late` all, once. */
static void
wake_seekers(struct local *local, bool late)
{
	double now = clock_mono_s();
	struct list woken;
	struct list_node *n;

	list_init(&woken);
	LIST_FOREACH(struct scan_seeker, w, &local->seekers, node) {
		if (late || w->at != local->at || now >= w->until ||
		    device_is_hanging(w->at->device) ||
		    latest_is_known(w->at->latest)) {
			list_remove(&w->node);
			list_append(&woken, &w->node);
		}
	}
	while ((n = list_shift(&woken)) != NULL) {
		struct scan_seeker *w =
		    container_of(n, struct scan_seeker, node);

		w->on_known(w, late || now >= w->until); /* may seek again */
	}
}

static void
on_seek(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct local *local = t->data;

	(void)revents;
	/* The one who looked may have died over it. */
	if (local->at != NULL && !ev_is_active(&local->retry))
		scan_begin(local);
	wake_seekers(local, false);
	if (list_is_empty(&local->seekers))
		ev_timer_stop(loop, t);
}

void
scan_seek(struct local_dir *at, struct scan_seeker *w)
{
	struct local *local = at->local;

	w->at = at;
	if (w->until == 0.)
		w->until = clock_mono_s() + SEEK_MAX_S;
	list_append(&local->seekers, &w->node);
	if (!ev_is_active(&local->seek))
		ev_timer_again(local->to.loop, &local->seek);
	if (at == local->at && !ev_is_active(&local->retry))
		scan_begin(local);
}

void
scan_init(struct local *local)
{
	list_init(&local->seekers);
	ev_timer_init(&local->seek, on_seek, 0., SEEK_LOOK_S);
	local->seek.data = local;
}

void
scan_fini(struct local *local)
{
	check(list_is_empty(&local->seekers));
	ev_timer_stop(local->to.loop, &local->seek);
}

static void
on_scanned(struct op *op, int res)
{
	struct local_dir *at = op->owner;
	struct local *local = at->local;

	if (res < 0) {
		latest_unclaim_scan(at->latest);
		if (at != local->at || local_try_later(local, res))
			log_error("%s: cannot be looked through for the newest "
				  "upload: %s",
			    local->base.dir, strerror(-res));
	} else {
		latest_scanned(at->latest, res > 0 ? &at->scanned : NULL);
	}
	local->base.open_settled = true;
	wake_seekers(local, res < 0);
	local_dir_leave(at);
}

/* Another worker may be looking already; it may die over it, so we look again
 * later. */
void
scan_begin(struct local *local)
{
	struct local_dir *at = local->at;

	if (at->scan_op.in_flight)
		return;
	if (latest_is_known(at->latest)) {
		local->base.open_settled = true;
		return;
	}
	if (!latest_claim_scan(at->latest)) {
		local->base.open_settled = true;
		(void)local_try_later(local, 0);
		return;
	}
	local_dir_enter(at);
	at->scan_op = (struct op){.kind = OP_CALL,
	    .call = scan_job,
	    .slow = true,
	    .no_stall = true,
	    .arg = at,
	    .owner = at,
	    .on_done = on_scanned};
	engine_submit(local->to.engine, at->device, &at->scan_op);
}
