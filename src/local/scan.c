#include "scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/name_limits.h"
#include "local/path.h"
#include "file_version.h"
#include "newest.h"

#define SEEK_LOOK_S 0.02 /* does another worker know? */
#define SEEK_MAX_S 2.0

/* One scan of a directory, which it keeps open. */
struct scan_run {
	struct op op;
	struct scan *scan;
	struct local_dir *dir;
	struct latest_entry best;
	struct file_version found; /* `best`; with `mode` 0: none yet */
	char path[FILE_NAME_SIZE];
};

/*
 * When the file was complete: its mtime, if that is between its birth and its
 * last change, where the one of an upload is.  Else it was set by hand, to that of
 * another file or to the future, and the birth is what counts.  Where no
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

/* The file named s->path: is it newer than the best one so far? */
static void
judge(struct scan_run *s, const struct file_version *v)
{
	if (!S_ISREG(v->mode) ||
	    (s->found.mode != 0 && !is_newer(v, &s->found)))
		return;
	s->found = *v;
	newest_note(&s->best, v);
	memcpy(s->best.name, s->path, sizeof(s->path));
}

static bool
is_skipped(const struct scan_run *s, const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       file_name_is_reserved(name, strlen(name)) ||
	       (name[0] == '.' && !s->dir->to->policy->dotfiles);
}

static int scan_below(
    struct scan_run *s, int fd, size_t path_len, size_t len, int depth);

/* Look through the directory `fd`, and close it: 0 or a negative errno.  A
 * file that vanishes meanwhile does not count. */
static int
scan_dir(struct scan_run *s, int fd, size_t path_len, int depth)
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
		judge(s, &v);
		if (S_ISDIR(v.mode) && depth < FILE_NAME_PARTS_MAX)
			err = scan_below(s, fd, path_len, len, depth);
	}
	if (err == 0)
		err = -errno;
	closedir(d);
	return err;
}

/* Look through the directory whose name stands last in s->path. */
static int
scan_below(struct scan_run *s, int fd, size_t path_len, size_t len, int depth)
{
	int sub = path_open(fd, s->path + path_len, O_RDONLY | O_DIRECTORY);

	if (errno_is_our_lack(sub) || sub == -EIO)
		return sub;
	if (sub < 0)
		return 0; /* not permitted, or gone */
	s->path[path_len + len] = '/';
	return scan_dir(s, sub, path_len + len + 1, depth + 1);
}

/* On an engine thread: the file that was completed last. */
static int
scan_job(void *arg)
{
	struct scan_run *s = arg;
	int fd, err;

	fd = path_open(s->dir->fd, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = scan_dir(s, fd, 0, 1);
	return err < 0 ? err : s->found.mode != 0;
}

/* ---- downloads that wait ---- */

/* Wake those that need not wait any longer; with `late` all, once. */
static void
wake_seekers(struct scan *s, bool late)
{
	struct local_dir *current = s->opener->current;
	double now = clock_mono_s();
	struct list woken;
	struct list_node *n;

	list_init(&woken);
	LIST_FOREACH(struct scan_seeker, w, &s->seekers, node) {
		if (late || w->dir != current || now >= w->until ||
		    !device_accepts_reads(w->dir->device) ||
		    latest_is_known(w->dir->latest)) {
			list_remove(&w->node);
			list_append(&woken, &w->node);
		}
	}
	while ((n = list_shift(&woken)) != NULL) {
		struct scan_seeker *w =
		    container_of(n, struct scan_seeker, node);

		/* It may seek again. */
		w->on_known(w, s->opener->current, late || now >= w->until);
	}
}

static void
on_seek(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct scan *s = t->data;

	(void)revents;
	/* The worker that scans it may have died. */
	if (s->opener->current != NULL && !retry_is_due(&s->retry))
		scan_begin(s);
	wake_seekers(s, false);
	if (list_is_empty(&s->seekers))
		ev_timer_stop(loop, t);
}

void
scan_seek(struct scan *s, struct local_dir *dir, struct scan_seeker *w)
{
	w->dir = dir;
	if (w->until == 0.)
		w->until = clock_mono_s() + SEEK_MAX_S;
	list_append(&s->seekers, &w->node);
	if (!ev_is_active(&s->seek))
		ev_timer_again(s->opener->to->loop, &s->seek);
	if (dir == s->opener->current && !retry_is_due(&s->retry))
		scan_begin(s);
}

/* ---- scans ---- */

static void
scan_failed(struct scan *s, const struct local_dir *dir, int err)
{
	if (dir != s->opener->current || retry_later(&s->retry, err))
		log_error("%s: cannot be looked through for the newest "
			  "upload: %s",
		    s->opener->to->policy->output_dir, strerror(-err));
}

static void
on_scanned(struct op *op, int res)
{
	struct scan_run *run = op->owner;
	struct scan *s = run->scan;
	struct local_dir *dir = run->dir;

	if (s->run == run)
		s->run = NULL;
	if (res < 0) {
		latest_unclaim_scan(dir->latest);
		scan_failed(s, dir, res);
	} else {
		latest_scanned(dir->latest, res > 0 ? &run->best : NULL);
		retry_reset(&s->retry);
	}
	free(run);
	s->on_settled(s->owner);
	wake_seekers(s, res < 0);
	dir_release(dir);
}

static void
start_run(struct scan *s, struct scan_run *run)
{
	struct local_dir *dir = s->opener->current;

	run->scan = s;
	run->dir = dir;
	s->run = run;
	dir_hold(dir);
	engine_call(dir->to->engine, dir->device, &run->op, scan_job, run,
	    CALL_SLOW | CALL_NO_STALL, on_scanned);
}

void
scan_begin(struct scan *s)
{
	struct local_dir *dir = s->opener->current;
	struct scan_run *run;

	if (s->run != NULL && s->run->dir == dir)
		return;
	if (latest_is_known(dir->latest)) {
		s->on_settled(s->owner);
		return;
	}
	run = calloc(1, sizeof(*run));
	if (run == NULL) {
		scan_failed(s, dir, -ENOMEM);
		s->on_settled(s->owner);
	} else if (!latest_claim_scan(dir->latest)) {
		/* Another worker scans it; try again in case that dies. */
		free(run);
		(void)retry_later(&s->retry, 0);
		s->on_settled(s->owner);
	} else {
		start_run(s, run);
	}
}

static void
scan_on_retry(void *owner)
{
	struct scan *s = owner;

	/* After re-opening, scan_begin() is called anyway. */
	if (s->opener->current != NULL && !s->opener->awaited)
		scan_begin(s);
}

void
scan_stop(struct scan *s)
{
	retry_stop(&s->retry);
}

void
scan_init(struct scan *s, struct opener *o, void (*on_settled)(void *owner),
    void *owner)
{
	s->opener = o;
	s->on_settled = on_settled;
	s->owner = owner;
	list_init(&s->seekers);
	retry_init(&s->retry, o->to->loop, scan_on_retry, s);
	ev_timer_init(&s->seek, on_seek, 0., SEEK_LOOK_S);
	s->seek.data = s;
}

void
scan_fini(struct scan *s)
{
	check(list_is_empty(&s->seekers));
	retry_stop(&s->retry);
	ev_timer_stop(s->opener->to->loop, &s->seek);
}
