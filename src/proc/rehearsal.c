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
#include "proc/inherit.h"
#include "proc/privileges.h"
#include "store/places.h"
#include "store/publish.h"
#include "store/spool.h"

enum {
	LOOK_MS = 100,	    /* how often we look whether to give up */
	PATIENCE_MS = 5000, /* since a location was begun */
	LOCATION_MS = 100,  /* for each, beside that, for all of them */
	FAILED = 1,	    /* the child's exit status */
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

/* Of the disk, and not of the configuration, since the directory was open once
 * or since it is full: it may pass, and is no reason to refuse a reload. */
static bool
is_disks_fault(struct places *places, const char *dir, int err)
{
	struct place known = {0};

	if (publish_is_full(err))
		return true; /* there is no room to make it */
	if (places != NULL)
		places_look(places, dir, &known);
	if (!place_is_known(&known))
		return false;
	switch (-err) {
	case EIO:
	case ENODEV:
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
	    .keep_latest = l->keep == KEEP_LATEST,
	    .direct = choice_of_direct(l->direct_io),
	    .places = places};
	char size[NUM_TEXT_MAX];
	struct str report = {0};
	enum device_sync sync = DEVICE_SYNC_DURABLE;
	int err;

	err = spool_check(&setup, &report, &sync);
	num_format_size(conf->chunk_size, size);
	if (is_disks_fault(places, l->output_dir, err)) {
		log_warn("location %s -> %s: %s: it gets %s until it is well "
			 "again",
		    l->prefix, l->output_dir, describe_fault(err),
		    publish_is_full(err) ? "507" : "503");
		err = 0;
	} else if (err < 0) {
		log_error("%s:%u:%u: output_dir: %s: %s: %s",
		    l->place.file ? l->place.file : "built-in", l->place.line,
		    l->place.column, l->output_dir, report.s, strerror(-err));
	} else {
		log_line(err > 0 ? LEVEL_WARN : LEVEL_NOTICE,
		    "location %s -> %s: %s; queue %" PRIu64 " x %s, %s",
		    l->prefix, l->output_dir, report.s, l->queue_depth, size,
		    engine);
	}
	if (sync != DEVICE_SYNC_DURABLE && l->sync)
		log_warn("location %s: output_dir %s %s, which cannot keep "
			 "what sync promises: receipts say %s",
		    l->prefix, l->output_dir, device_sync_text[sync],
		    durability_name[spool_durability(sync, true)]);
	str_fini(&report);
	return err;
}

/*
 * What the child has to tell goes down a pipe, in pieces that are written whole
 * (PIPE_BUF): the location that it tries next, so that the parent can say which
 * one does not answer; and its log lines, so that it holds no log, nor the
 * terminal, if it hangs for good.
 */
struct piece {
	const struct conf_location *trying; /* NULL: a line follows */
	enum log_level level;
	size_t len;
};

enum {
	LINE_MAX_BYTES = 2048, /* of log_line() */
};

static int tell_fd; /* in the child: the pipe's end */

static bool
tell_line(void *arg, enum log_level level, const char *message)
{
	struct piece p = {.level = level, .len = strlen(message)};
	char whole[sizeof(p) + LINE_MAX_BYTES];

	(void)arg;
	check(p.len <= LINE_MAX_BYTES);
	memcpy(whole, &p, sizeof(p));
	memcpy(whole + sizeof(p), message, p.len);
	if (fd_write_all(tell_fd, whole, sizeof(p) + p.len) < 0)
		_exit(FAILED); /* the parent has given us up */
	return true;
}

static int
rehearse(const struct config *conf, struct places *places)
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
			struct piece p = {.trying = &s->locations[k]};

			if (fd_write_all(tell_fd, &p, sizeof(p)) < 0)
				return FAILED;
			if (try_location(conf, places, p.trying, engine) < 0)
				failed = FAILED;
		}
	}
	return failed;
}

/* A child that hangs for good must hold nothing: not the master's sockets, not
 * a pipe whose reader waits for its end. */
static void
be_child(int fd)
{
	sigset_t none;

	inherit_from_master();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	tell_fd = fd;
	log_listen(tell_line, NULL);
	log_to(STDERR_FILENO, LEVEL_DEBUG);
	fd_close_others(STDERR_FILENO + 1, &fd, 1);
	if (fd_null_standard() < 0)
		_exit(FAILED);
}

/* ---- in the parent ---- */

struct telling {
	char bytes[sizeof(struct piece) + LINE_MAX_BYTES];
	size_t len;
	const struct conf_location *last; /* that it tries */
};

/* Act on the pieces that are there whole. */
static void
take_pieces(struct telling *t)
{
	struct piece p;

	while (t->len >= sizeof(p)) {
		memcpy(&p, t->bytes, sizeof(p));
		check(p.len <= LINE_MAX_BYTES);
		if (t->len < sizeof(p) + p.len)
			return;
		if (p.trying != NULL)
			t->last = p.trying;
		else
			log_line(
			    p.level, "%.*s", (int)p.len, t->bytes + sizeof(p));
		t->len -= sizeof(p) + p.len;
		memmove(t->bytes, t->bytes + sizeof(p) + p.len, t->len);
	}
}

static size_t
count_locations(const struct config *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].location_count;
	return count;
}

/*
 * Hear what the child tells, until it ends or time is up: true, it ended.  Many
 * locations may take longer than one that hangs is waited for.
 */
static bool
watch(int fd, size_t locations, rehearsal_fn *give_up, struct telling *t)
{
	uint64_t patience = PATIENCE_MS * NS_PER_MS, begun = clock_mono_ns();
	uint64_t end = begun + patience + locations * LOCATION_MS * NS_PER_MS;
	const struct conf_location *last = NULL;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_mono_ns(), until;
		ssize_t n;

		if (t->last != last)
			begun = now;
		last = t->last;
		until = begun + patience < end ? begun + patience : end;
		if (now >= until || (give_up != NULL && give_up()))
			return false;
		if (until - now > LOOK_MS * NS_PER_MS)
			until = now + LOOK_MS * NS_PER_MS;
		if (poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1) <= 0)
			continue;
		n = read(fd, t->bytes + t->len, sizeof(t->bytes) - t->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		t->len += (size_t)n;
		take_pieces(t);
	}
}

/* A child that rehearses; -1: there is none, which was logged. */
static pid_t
start_child(const struct config *conf, struct places *places, int *ret_fd)
{
	sigset_t all, before;
	int ends[2];
	pid_t pid;

	if (pipe(ends) == -1) {
		log_error("pipe: %s", strerror(errno));
		return -1;
	}
	/* A signal that comes before the child has forgotten our handlers must
	 * not run them there. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		be_child(ends[1]);
		_exit(rehearse(conf, places));
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	fd_close(&ends[1]);
	if (pid == -1) {
		log_error("fork: %s", strerror(errno));
		fd_close(&ends[0]);
		return -1;
	}
	*ret_fd = ends[0];
	return pid;
}

int
rehearsal_run(
    const struct config *conf, struct places *places, rehearsal_fn *give_up)
{
	struct telling t = {.len = 0};
	int fd, status;
	bool ended;
	pid_t pid;

	pid = start_child(conf, places, &fd);
	if (pid == -1)
		return -1;
	ended = watch(fd, count_locations(conf), give_up, &t);
	fd_close(&fd);
	if (!ended) {
		/* It may be beyond killing; it is nobody's then. */
		(void)kill(pid, SIGKILL);
		if (give_up != NULL && give_up()) {
			log_error("reload: given up: this server is to stop");
			return -1;
		}
		log_warn("location %s -> %s does not answer: it gets 503 until "
			 "it does",
		    t.last ? t.last->prefix : "?",
		    t.last ? t.last->output_dir : "?");
		return 0;
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR) {
			log_error("trying the locations: %s", strerror(errno));
			return -1;
		}
	if (WIFSIGNALED(status))
		log_error("trying the locations was ended by signal %d",
		    WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
