#include "proc/rehearsal.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "disk/engine.h"
#include "proc/choice.h"
#include "proc/privileges.h"
#include "store/places.h"
#include "store/spool.h"

enum {
	PATIENCE_MS = 5000,
	FAILED = 1,	/* the child's exit status */
	FDS_MAX = 4096, /* the master has few, and the lowest */
};

/* ---- in the child ---- */

static const char *
try_engine(enum conf_engine wanted)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct engine *e = NULL;
	const char *name = NULL;
	int err = -ENOMEM;

	if (loop != NULL)
		err = engine_new(loop, choice_of(wanted), &e);
	if (err < 0) {
		log_error("io_engine: cannot be had here: %s; auto takes what "
			  "there is",
		    strerror(-err));
	} else {
		name = engine_name(e);
		engine_free(&e);
	}
	if (loop != NULL)
		ev_loop_destroy(loop);
	return name;
}

/* Of the disk, and not of the configuration, since the directory was open once:
 * it may pass, and is no reason to refuse a reload. */
static bool
is_disks_fault(struct places *places, const char *dir, int err)
{
	const struct place *p = places != NULL ? places_of(places, dir) : NULL;

	if (p == NULL || !place_is_known(p))
		return false;
	switch (-err) {
	case EDQUOT:
	case EIO:
	case ENODEV:
	case ENOSPC:
	case ENOTCONN:
	case ENXIO:
	case EROFS:
	case ESTALE:
	case ETIMEDOUT:
		return true;
	default:
		return err == STORE_VANISHED || err == STORE_UNMOUNTED;
	}
}

static const char *
describe_fault(int err)
{
	if (err == STORE_VANISHED)
		return "is gone since it was open";
	if (err == STORE_UNMOUNTED)
		return "the disk that it was on is not mounted there";
	return strerror(-err);
}

static int
try_location(const struct config *conf, struct places *places,
    const struct conf_location *l, const char *engine)
{
	struct spool_setup setup = {.dir = l->output_dir,
	    .overwrite = l->overwrite,
	    .sync = l->sync,
	    .direct = choice_of_direct(l->direct_io),
	    .places = places};
	char size[NUM_TEXT_MAX];
	struct str report = {0};
	bool forgets = false;
	int err;

	err = spool_check(&setup, &report, &forgets);
	num_format_size(conf->chunk_size, size);
	if (is_disks_fault(places, l->output_dir, err)) {
		log_warn("location %s -> %s: %s: it gets 503 until it is well "
			 "again",
		    l->prefix, l->output_dir, describe_fault(err));
		err = 0;
	} else if (err < 0) {
		log_error("%s:%u:%u: output_dir: %s: %s: %s",
		    l->place.file ? l->place.file : "built-in", l->place.line,
		    l->place.column, l->output_dir, report.s, strerror(-err));
	} else {
		log_notice("location %s -> %s: %s; queue %" PRIu64 " x %s, %s",
		    l->prefix, l->output_dir, report.s, l->queue_depth, size,
		    engine);
	}
	if (forgets)
		log_warn("location %s: output_dir %s is a memory file system, "
			 "which cannot keep what sync promises: receipts say "
			 "memory",
		    l->prefix, l->output_dir);
	str_fini(&report);
	return err;
}

/* Each location's name goes down the pipe before it is tried, so that the
 * parent can say which one does not answer. */
static int
rehearse(const struct config *conf, struct places *places, int report_fd)
{
	const char *engine;
	int err, failed = 0;

	err = privileges_drop(conf->user);
	if (err < 0) {
		log_error("user %s: cannot become it: %s", conf->user,
		    strerror(-err));
		return FAILED;
	}
	engine = try_engine(conf->io_engine);
	if (engine == NULL)
		return FAILED;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->location_count; k++) {
			const struct conf_location *l = &s->locations[k];

			if (fd_write_all(report_fd, &l, sizeof(l)) < 0)
				return FAILED;
			if (try_location(conf, places, l, engine) < 0)
				failed = FAILED;
		}
	}
	return failed;
}

/* A child that hangs for good must not keep the master's sockets with it. */
static void
close_inherited(int report_fd)
{
	long max = sysconf(_SC_OPEN_MAX);

	for (int fd = STDERR_FILENO + 1; fd < max && fd < FDS_MAX; fd++)
		if (fd != report_fd && fd != log_fd())
			(void)close(fd);
}

/* ---- in the parent ---- */

/* Read which location is being tried, until the child ends or time is up;
 * the last one, and whether it ended. */
static bool
watch(int fd, const struct conf_location **ret_last)
{
	uint64_t end = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;

	*ret_last = NULL;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_mono_ns();
		ssize_t n;

		if (now >= end)
			return false;
		if (poll(&p, 1, (int)((end - now) / NS_PER_MS) + 1) <= 0)
			continue;
		n = read(fd, ret_last, sizeof(*ret_last));
		if (n == 0)
			return true;
		if (n == -1 && errno != EINTR)
			return true;
	}
}

int
rehearsal_run(const struct config *conf, struct places *places)
{
	const struct conf_location *last;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) == -1) {
		log_error("pipe: %s", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == -1) {
		log_error("fork: %s", strerror(errno));
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -1;
	}
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		close_inherited(ends[1]);
		_exit(rehearse(conf, places, ends[1]));
	}
	fd_close(&ends[1]);
	if (!watch(ends[0], &last)) {
		/* It may be beyond killing; it is nobody's then. */
		(void)kill(pid, SIGKILL);
		fd_close(&ends[0]);
		log_warn("location %s -> %s does not answer: it gets 503 until "
			 "it does",
		    last ? last->prefix : "?", last ? last->output_dir : "?");
		return 0;
	}
	fd_close(&ends[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
