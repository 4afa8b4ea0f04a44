#include "preflight_child.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "config/lexer.h"
#include "disk/engine.h"
#include "preflight_spent.h"
#include "proc/identity.h"
#include "proc/inherit.h"
#include "proc/kinds.h"
#include "proc/made_dirs.h"
#include "proc/privileges.h"
#include "proc/refusal.h"
#include "proc/title.h"

enum {
	FAILED = 1, /* the exit status */
};

/* ---- telling ---- */

static int tell_fd; /* the pipe's end */

static void
preflight_tell_piece(const struct preflight_piece *p, const char *line)
{
	char whole[sizeof(*p) + PREFLIGHT_LINE_MAX];

	check(p->len <= PREFLIGHT_LINE_MAX);
	memcpy(whole, p, sizeof(*p));
	if (p->len > 0)
		memcpy(whole + sizeof(*p), line, p->len);
	if (fd_write_all(tell_fd, whole, sizeof(*p) + p->len) < 0)
		_exit(FAILED); /* the parent has given us up */
}

static void
preflight_tell(enum preflight_about about, size_t location)
{
	preflight_tell_piece(
	    &(struct preflight_piece){.about = about, .location = location},
	    NULL);
}

static bool
preflight_tell_line(void *arg, enum log_level level, const char *message)
{
	(void)arg;
	preflight_tell_piece(&(struct preflight_piece){.about = PREFLIGHT_LINE,
				 .level = level,
				 .len = strlen(message)},
	    message);
	return true;
}

/* A check that fails in the child is a line for the parent. */
static void
preflight_tell_check(const char *message)
{
	(void)preflight_tell_line(NULL, LEVEL_ERROR, message);
}

/* ---- trying ---- */

/* Make one and give it up.  Its name, or NULL after logging that it cannot be
 * had. */
static const char *
try_engine(const struct config *conf)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct engine *e = NULL;
	const char *name = NULL;
	int err = -ENOMEM;

	if (loop != NULL)
		err = engine_new(loop, conf->io_engine, &e);
	if (err < 0) {
		refusal_log(&conf->io_engine_at, "io_engine", NULL,
		    "cannot be had here: %s; auto takes what there is",
		    strerror(-err));
	} else {
		name = engine_name(e);
		engine_free(&e);
	}
	if (loop != NULL)
		ev_loop_destroy(loop);
	return name;
}

/* What failed, and what to do about it. */
static void
explain(const struct store_check *c, struct str *line)
{
	char why[REFUSAL_WHY_MAX], user[IDENTITY_NAME_MAX];

	if (c->is_missing) {
		identity_name(user);
		str_printf(line,
		    "it is not there, and user %s may not make it: make it "
		    "(install -d -o %s DIRECTORY), or choose another path",
		    user, user);
	} else {
		str_printf(line, "%s: %s", c->text.s, refusal_why(c->err, why));
	}
}

static void
log_unfit(const struct conf_location *l, const struct store_check *c)
{
	bool given = l->output_dir_at.line != 0;
	struct str line = {0};

	lexer_place(&line, given ? &l->output_dir_at : &l->place);
	str_puts(&line, ": output_dir: ");
	str_escape(&line, l->policy.output_dir, strlen(l->policy.output_dir));
	str_puts(&line, given ? ": " : " (by default): ");
	explain(c, &line);
	log_error("%s", str_failed(&line) ? "out of memory" : line.s);
	str_fini(&line);
}

static void
log_check(const struct config *conf, const struct conf_location *l,
    const struct store_check *c, const char *engine)
{
	const char *dir = l->policy.output_dir;
	char size[NUM_TEXT_MAX];

	switch (c->fitness) {
	case STORE_FIT:
		num_format_size(conf->chunk_size, size);
		log_line(c->is_full ? LEVEL_WARN : LEVEL_NOTICE,
		    "location %s -> %s: %s; queue %" PRIu64 " x %s, %s",
		    l->prefix, dir, c->text.s, l->queue_depth, size, engine);
		break;
	case STORE_UNWELL:
		log_warn("location %s -> %s: %s: it gets %s until it is well "
			 "again",
		    l->prefix, dir, c->text.s, c->is_full ? "507" : "503");
		break;
	case STORE_UNFIT:
		log_unfit(l, c);
		break;
	}
	if (c->doubt != NULL)
		log_warn("location %s: output_dir %s %s, which cannot keep "
			 "what sync promises: receipts say %s",
		    l->prefix, dir, c->doubt, durability_name[c->worth]);
}

/* For real, or (PREFLIGHT_LOOK) without making anything; then nothing is logged if
 * it can be used.  False: it cannot, as it is configured. */
static bool
try_location(const struct preflight_task *task, const struct conf_location *l,
    const char *engine, bool was_root)
{
	const struct store_kind *kind = kinds_of(&l->policy);
	struct store_check c = {0};

	if (task->depth == PREFLIGHT_LOOK) {
		if (was_root && made_dirs_would_make(l))
			return true;
		kind->look(&l->policy, &c);
		if (c.fitness == STORE_UNFIT)
			log_unfit(l, &c);
	} else {
		kind->preflight(&l->policy, task->shared, &c);
		log_check(task->conf, l, &c, engine);
	}
	str_fini(&c.text);
	return c.fitness != STORE_UNFIT;
}

size_t
preflight_count(const struct config *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		count += conf->servers[i].location_count;
	return count;
}

const struct conf_location *
preflight_location(const struct config *conf, size_t n)
{
	const struct conf_server *s = conf->servers;

	for (; n >= s->location_count; s++)
		n -= s->location_count;
	return &s->locations[n];
}

/* While we are root still. */
static void
make_missing(const struct preflight_task *task)
{
	size_t count = preflight_count(task->conf);

	for (size_t n = task->from; n < count; n++) {
		preflight_tell(PREFLIGHT_TRYING, n);
		made_dirs_for_uploads(task->conf,
		    preflight_location(task->conf, n), task->shared);
	}
}

static void
try_out(const struct preflight_task *task)
{
	const struct config *conf = task->conf;
	size_t count = preflight_count(conf);
	uid_t uid;
	gid_t gid;
	bool was_root = privileges_will_drop(conf, &uid, &gid);
	const char *engine;
	int err;

	err = privileges_drop(conf->user);
	if (err < 0) {
		refusal_log(&conf->user_at, "user", conf->user,
		    "cannot become it: %s", strerror(-err));
		preflight_tell(PREFLIGHT_FAULT, 0);
		return;
	}
	engine = try_engine(conf);
	if (engine == NULL) {
		preflight_tell(PREFLIGHT_FAULT, 0);
		return;
	}
	for (size_t n = task->from; n < count; n++) {
		const struct conf_location *l = preflight_location(conf, n);

		preflight_tell(PREFLIGHT_TRYING, n);
		title_set(NULL, "checking output_dir %s", l->policy.output_dir);
		if (!try_location(task, l, engine, was_root) |
		    !preflight_spent(l))
			preflight_tell(PREFLIGHT_FAULT, n);
	}
}

/* A child that hangs for good must hold nothing: not the master's sockets, not
 * a pipe whose reader waits for its end. */
static void
let_go(int fd)
{
	sigset_t none;

	inherit_from_master();
	title_set("penstock-check", "checking the configuration");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	tell_fd = fd;
	log_listen(preflight_tell_line, NULL);
	check_tell_to(preflight_tell_check);
	log_to(STDERR_FILENO, LEVEL_DEBUG);
	fd_close_others(STDERR_FILENO + 1, &fd, 1);
	if (fd_null_standard() < 0)
		_exit(FAILED);
}

void
preflight_child_run(const struct preflight_task *task, int fd)
{
	let_go(fd);
	if (task->makes)
		make_missing(task);
	else
		try_out(task);
	preflight_tell(PREFLIGHT_DONE, 0);
	_exit(0);
}
