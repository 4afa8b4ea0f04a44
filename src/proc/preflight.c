#include "proc/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "preflight_child.h"
#include "proc/inherit.h"
#include "proc/privileges.h"
#include "proc/refusal.h"
#include "proc/signals.h"
#include "proc/title.h"

enum {
	LOOK_MS = 100,	    /* how often we look whether to give up */
	PATIENCE_MS = 5000, /* since a location was begun */
	LOCATION_MS = 100,  /* for each, beside that, for all of them */
	SHORT_MS = 1000,    /* and when one has hung already */
	FAILED = 1,	    /* the child's exit status */
};

/* ---- in the child ---- */

/*
 * What the child has to tell goes down a pipe, in pieces that are written whole
 * (PIPE_BUF): the location that it tries next, so that the parent can say which
 * one does not answer; what became of them, so that this is known of those before
 * one that hangs, and whoever waits for the process; and its log lines, so that
 * it holds no log, nor the terminal, if it hangs for good.
 */
enum about {
	LINE,	/* that follows */
	TRYING, /* this location, from now on */
	FAULT,	/* something cannot be had, which was logged */
	DONE,	/* it has tried them all */
};

struct piece {
	enum about about;
	enum log_level level;
	size_t location;
	size_t len;
};

enum {
	LINE_MAX_BYTES = 2048, /* of log_line() */
};

static int tell_fd; /* in the child: the pipe's end */

static void
tell_piece(const struct piece *p, const char *line)
{
	char whole[sizeof(*p) + LINE_MAX_BYTES];

	check(p->len <= LINE_MAX_BYTES);
	memcpy(whole, p, sizeof(*p));
	if (p->len > 0)
		memcpy(whole + sizeof(*p), line, p->len);
	if (fd_write_all(tell_fd, whole, sizeof(*p) + p->len) < 0)
		_exit(FAILED); /* the parent has given us up */
}

static void
tell(enum about about, size_t location)
{
	tell_piece(&(struct piece){.about = about, .location = location}, NULL);
}

static bool
tell_line(void *arg, enum log_level level, const char *message)
{
	(void)arg;
	tell_piece(
	    &(struct piece){
		.about = LINE, .level = level, .len = strlen(message)},
	    message);
	return true;
}

/* A check that fails in the child is a line for the parent. */
static void
tell_check(const char *message)
{
	(void)tell_line(NULL, LEVEL_ERROR, message);
}

/* They are counted over all servers. */
static const struct conf_location *
location_at(const struct config *conf, size_t n)
{
	const struct conf_server *s = conf->servers;

	for (; n >= s->location_count; s++)
		n -= s->location_count;
	return &s->locations[n];
}

static size_t
count_locations(const struct config *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].location_count;
	return count;
}

static void
try_out(const struct config *conf, const struct shared *shared,
    enum preflight_depth depth, size_t from)
{
	size_t count = count_locations(conf);
	const char *engine;
	int err;

	err = privileges_drop(conf->user);
	if (err < 0) {
		refusal_log(&conf->user_at, "user", conf->user,
		    "cannot become it: %s", strerror(-err));
		tell(FAULT, 0);
		return;
	}
	engine = attempt_engine(conf);
	if (engine == NULL) {
		tell(FAULT, 0);
		return;
	}
	for (size_t n = from; n < count; n++) {
		const struct conf_location *l = location_at(conf, n);

		tell(TRYING, n);
		title_set(NULL, "checking output_dir %s", l->policy.output_dir);
		if (depth == PREFLIGHT_LOOK
			? !attempt_look(l)
			: !attempt_location(conf, shared, l, engine))
			tell(FAULT, n);
	}
}

/* A child that hangs for good must hold nothing: not the master's sockets, not
 * a pipe whose reader waits for its end. */
static void
be_child(int fd)
{
	sigset_t none;

	inherit_from_master();
	title_set("penstock-check", "checking the configuration");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	tell_fd = fd;
	log_listen(tell_line, NULL);
	check_tell_to(tell_check);
	log_to(STDERR_FILENO, LEVEL_DEBUG);
	fd_close_others(STDERR_FILENO + 1, &fd, 1);
	if (fd_null_standard() < 0)
		_exit(FAILED);
}

/* ---- in the parent ---- */

/* What one child has told. */
struct telling {
	char bytes[sizeof(struct piece) + LINE_MAX_BYTES];
	size_t len;
	size_t last; /* that it tries, if it has begun */
	bool begun, fault, done;
};

struct preflight {
	const struct config *conf;
	const struct shared *shared;
	enum preflight_depth depth;
	preflight_fn *meanwhile;
	void *arg;
	size_t count;	      /* of locations */
	uint64_t patience_ns; /* with one */
	uint64_t end_ns;      /* with all */
};

/* The pipe of the one that runs. */
static int hear_fd = -1;

static void
take_piece(struct telling *t, const struct piece *p, const char *line)
{
	switch (p->about) {
	case LINE:
		log_line(p->level, "%.*s", (int)p->len, line);
		break;
	case TRYING:
		t->begun = true;
		t->last = p->location;
		break;
	case FAULT:
		t->fault = true;
		break;
	case DONE:
		t->done = true;
		break;
	}
}

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
		take_piece(t, &p, t->bytes + sizeof(p));
		t->len -= sizeof(p) + p.len;
		memmove(t->bytes, t->bytes + sizeof(p) + p.len, t->len);
	}
}

enum how {
	ENDED,
	HUNG,
	GIVEN_UP,
};

/* Hear what the child tells, until it ends or time is up. */
static enum how
watch(const struct preflight *r, struct telling *t)
{
	uint64_t begun = clock_mono_ns();
	size_t last = t->last;

	for (;;) {
		struct pollfd p = {.fd = hear_fd, .events = POLLIN};
		uint64_t now = clock_mono_ns(), until;
		ssize_t n;

		if (t->last != last)
			begun = now;
		last = t->last;
		until = begun + r->patience_ns < r->end_ns
			    ? begun + r->patience_ns
			    : r->end_ns;
		if (r->meanwhile(r->arg))
			return GIVEN_UP;
		if (now >= until)
			return HUNG;
		if (until - now > LOOK_MS * NS_PER_MS)
			until = now + LOOK_MS * NS_PER_MS;
		if (poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1) <= 0)
			continue;
		n = read(hear_fd, t->bytes + t->len, sizeof(t->bytes) - t->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return ENDED;
		t->len += (size_t)n;
		take_pieces(t);
	}
}

/* A child that tries it out; -1: there is none, which was logged. */
static pid_t
start_child(const struct preflight *r, size_t from)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) == -1) {
		log_error("pipe: %s", strerror(errno));
		return -1;
	}
	pid = signals_fork();
	if (pid == 0) {
		be_child(ends[1]);
		try_out(r->conf, r->shared, r->depth, from);
		tell(DONE, 0);
		_exit(0);
	}
	fd_close(&ends[1]);
	if (pid == -1) {
		log_error("fork: %s", strerror(errno));
		fd_close(&ends[0]);
		return -1;
	}
	hear_fd = ends[0];
	return pid;
}

/* It has closed its pipe; meanwhile() may have waited for it already. */
static void
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return;
	if (WIFSIGNALED(status))
		log_error("trying the locations was ended by signal %d",
		    WTERMSIG(status));
}

/* Try the locations from this one on. */
static enum how
try_from(const struct preflight *r, size_t from, struct telling *t)
{
	pid_t pid = start_child(r, from);
	enum how how;

	*t = (struct telling){.last = from};
	if (pid == -1) {
		t->fault = true;
		return ENDED;
	}
	how = watch(r, t);
	fd_close(&hear_fd);
	if (how != ENDED) {
		/* It may be beyond killing; it is nobody's then. */
		(void)kill(pid, SIGKILL);
		return how;
	}
	wait_for(pid);
	if (!t->done) {
		log_error("trying the locations ended before all were tried");
		t->fault = true;
	}
	return how;
}

/* One does not answer.  Those behind it may have mistakes all the same: true, go
 * on with them, in less time. */
static bool
go_on_behind(struct preflight *r, const struct telling *t)
{
	const struct conf_location *l = location_at(r->conf, t->last);
	size_t left = r->count - t->last - 1;

	if (!t->begun) {
		log_warn("the locations were not tried: to become the user, or "
			 "to have the io_engine, takes too long");
		return false;
	}
	log_warn("location %s -> %s does not answer: it gets 503 until it does",
	    l->prefix, l->policy.output_dir);
	if (left == 0)
		return false;
	if (r->patience_ns == PATIENCE_MS * NS_PER_MS) {
		r->patience_ns = SHORT_MS * NS_PER_MS;
		r->end_ns += PATIENCE_MS * NS_PER_MS;
	}
	if (clock_mono_ns() < r->end_ns)
		return true;
	log_warn("the %zu locations behind it were not tried", left);
	return false;
}

int
preflight_run(const struct config *conf, enum preflight_depth depth,
    const struct shared *shared, preflight_fn *meanwhile, void *arg)
{
	struct preflight r = {.conf = conf,
	    .shared = shared,
	    .depth = depth,
	    .meanwhile = meanwhile,
	    .arg = arg,
	    .count = count_locations(conf),
	    .patience_ns = PATIENCE_MS * NS_PER_MS};
	struct telling t = {.last = 0};
	bool fault = false;
	size_t from = 0;

	r.end_ns =
	    clock_mono_ns() + r.patience_ns + r.count * LOCATION_MS * NS_PER_MS;
	for (;;) {
		enum how how = try_from(&r, from, &t);

		fault |= t.fault;
		if (how == GIVEN_UP)
			return -1;
		if (how == ENDED || !go_on_behind(&r, &t))
			return fault ? -1 : 0;
		from = t.last + 1;
	}
}

void
preflight_release(void)
{
	fd_close(&hear_fd);
}
