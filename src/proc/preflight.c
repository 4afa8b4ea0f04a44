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
#include "shared/replacing.h"
#include "shared/shared.h"
#include "preflight_child.h"
#include "proc/privileges.h"
#include "proc/signals.h"

enum {
	LOOK_MS = 100,	    /* how often we look whether to give up */
	PATIENCE_MS = 5000, /* since a location was begun */
	LOCATION_MS = 100,  /* for each, beside that, for all of them */
	SHORT_MS = 1000,    /* and when one has hung already */
};

/* What one child has told. */
struct telling {
	char bytes[sizeof(struct preflight_piece) + PREFLIGHT_LINE_MAX];
	size_t len;
	size_t last; /* that it tries, if it has begun */
	bool begun, fault, done;
};

struct preflight {
	const struct config *conf;
	const struct shared *shared;
	enum preflight_depth depth;
	bool makes; /* see struct preflight_task */
	preflight_fn *meanwhile;
	void *arg;
	size_t count;	      /* of locations */
	uint64_t patience_ns; /* with one */
	uint64_t end_ns;      /* with all */
};

/* The pipe of the one that runs. */
static int hear_fd = -1;

static void
take_piece(struct telling *t, const struct preflight_piece *p, const char *line)
{
	switch (p->about) {
	case PREFLIGHT_LINE:
		log_line(p->level, "%.*s", (int)p->len, line);
		break;
	case PREFLIGHT_TRYING:
		t->begun = true;
		t->last = p->location;
		break;
	case PREFLIGHT_FAULT:
		t->fault = true;
		break;
	case PREFLIGHT_DONE:
		t->done = true;
		break;
	}
}

/* Act on the pieces that are there whole. */
static void
take_pieces(struct telling *t)
{
	struct preflight_piece p;

	while (t->len >= sizeof(p)) {
		memcpy(&p, t->bytes, sizeof(p));
		check(p.len <= PREFLIGHT_LINE_MAX);
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
	if (pid == 0)
		preflight_child_run(&(struct preflight_task){.conf = r->conf,
					.shared = r->shared,
					.depth = r->depth,
					.makes = r->makes,
					.from = from},
		    ends[1]);
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
preflight_wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return;
	if (WIFSIGNALED(status))
		log_error("trying the locations was ended by signal %d",
		    WTERMSIG(status));
}

/* The child has ended, or was killed: it waits for no lock any more. */
static void
forget_child(const struct preflight *r)
{
	if (r->shared != NULL)
		replacing_forget(r->shared->replacing, REPLACING_NO_WORKER);
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
		/* It may be in uninterruptible sleep; leave it unreaped. */
		(void)kill(pid, SIGKILL);
		forget_child(r);
		return how;
	}
	preflight_wait_for(pid);
	forget_child(r);
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
	const struct conf_location *l = preflight_location(r->conf, t->last);
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

/* What root is to make for `user`, before anything is tried as that one.  Which location does
 * not answer is told then.  False: given up. */
static bool
make_directories(const struct preflight *whole)
{
	struct preflight r = *whole;
	struct telling t;
	size_t from = 0;

	r.makes = true;
	r.patience_ns = SHORT_MS * NS_PER_MS;
	while (from < r.count) {
		enum how how = try_from(&r, from, &t);

		if (how == GIVEN_UP)
			return false;
		if (how == ENDED)
			break;
		from = t.last + 1;
	}
	return true;
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
	    .count = preflight_count(conf),
	    .patience_ns = PATIENCE_MS * NS_PER_MS};
	struct telling t = {.last = 0};
	bool fault = false;
	size_t from = 0;
	uid_t uid;
	gid_t gid;

	r.end_ns =
	    clock_mono_ns() + r.patience_ns + r.count * LOCATION_MS * NS_PER_MS;
	if (depth == PREFLIGHT_WHOLE &&
	    privileges_will_drop(conf, &uid, &gid)) {
		if (!make_directories(&r))
			return -1;
		r.end_ns += SHORT_MS * NS_PER_MS;
	}
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
