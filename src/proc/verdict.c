#include "proc/verdict.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/pidfile.h"

enum {
	PATIENCE_MS = 30000, /* for a reload to begin; is said */
	NO_FILE_MS = 3000,   /* a reload that begins makes it, if it can */
	LOOK_MS = 20,
};

const struct verdict_of verdict_of_reload = {"reload", "reloaded", SIGHUP};
const struct verdict_of verdict_of_reopen = {
    "reopen", "reopened its logs", SIGUSR1};
const struct verdict_of verdict_of_upgrade = {"upgrade", "upgraded", SIGUSR2};

static const char *const kind_name[VERDICT_COUNT] = {
    [VERDICT_NONE] = "none",
    [VERDICT_APPLIED] = "applied",
    [VERDICT_REFUSED] = "refused",
    [VERDICT_LATE] = "late",
};

/* ---- in the server ---- */

static void
verdict_put(struct verdict *v, enum verdict_kind kind)
{
	struct bulletin_said s = {.number = v->begun};
	struct str text = {0};

	str_printf(&text, "%s\n", v->file ? v->file : "");
	if (!str_failed(&v->heard) && v->heard.len > 0)
		str_add(&text, v->heard.s, v->heard.len);
	if (!str_failed(&text)) {
		s.text = text.s;
		s.len = text.len;
	}
	snprintf(s.word, sizeof(s.word), "%s", kind_name[kind]);
	if (bulletin_put(&v->bulletin, &s) < 0)
		log_warn("%s: cannot be written: -s %s cannot tell what "
			 "came of it",
		    v->bulletin.path, v->of->name);
	str_fini(&text);
}

void
verdict_open(struct verdict *v, const struct verdict_of *of,
    const char *pid_file, int pid_fd, const char *conf_file)
{
	int err;

	*v = (struct verdict){.of = of, .file = bulletin_absolute(conf_file)};
	err = bulletin_open(&v->bulletin, pid_file, of->name, pid_fd);
	if (err < 0)
		log_warn("%s: cannot be made: %s: -s %s cannot tell what "
			 "came of it",
		    v->bulletin.path, strerror(-err), of->name);
	verdict_put(v, VERDICT_NONE);
}

void
verdict_move(struct verdict *v, const char *pid_file)
{
	bulletin_move(&v->bulletin, pid_file, v->of->name);
}

static bool
hear(void *arg, enum log_level level, const char *message)
{
	struct verdict *v = arg;

	if (level <= LEVEL_WARN)
		str_printf(&v->heard, "%s%s\n",
		    level == LEVEL_WARN ? "warning: " : "", message);
	return false;
}

void
verdict_hear(struct verdict *v, bool on)
{
	log_listen(on ? hear : NULL, v);
}

void
verdict_begin(struct verdict *v)
{
	if (v->bulletin.path == NULL)
		return;
	bulletin_renew(&v->bulletin);
	str_fini(&v->heard);
	v->begun++;
	v->pending = true;
	verdict_put(v, VERDICT_NONE);
	verdict_hear(v, true);
}

void
verdict_give(struct verdict *v, enum verdict_kind kind)
{
	verdict_hear(v, false);
	if (!v->pending)
		return;
	v->pending = false;
	verdict_put(v, kind);
	str_fini(&v->heard);
}

void
verdict_close(struct verdict *v, bool remove)
{
	bulletin_close(&v->bulletin, remove);
	free(v->file);
	v->file = NULL;
	str_fini(&v->heard);
}

/* ---- in a client ---- */

/* What the server has said of a reload. */
struct said {
	unsigned long begun;
	enum verdict_kind kind; /* of that one */
};

/* Where a client is. */
struct client {
	const struct verdict_of *of;
	const char *pid_file;
	char *old_pid_file; /* that it has while it is being replaced */
	struct bulletin_reader *reader, *old_reader;
	char *file;	/* the configuration that the client read; or NULL */
	pid_t pid;	/* of the server */
	bool is_there;	/* the file has been read once */
	struct said at; /* what it said last */
	uint64_t at_ns; /* and since when */
};

static enum verdict_kind
kind_of(const char *word)
{
	enum verdict_kind kind = VERDICT_NONE;

	while (kind < VERDICT_COUNT && strcmp(word, kind_name[kind]) != 0)
		kind++;
	return kind;
}

/* What the server says now; false: nothing that is whole. */
static bool
hear_it(struct client *c, struct bulletin_said *ret)
{
	enum bulletin_state state = bulletin_read(c->reader, ret);
	struct said said;

	/* Beside the pid file is its successor's by now. */
	if (state == BULLETIN_NONE)
		state = bulletin_read(c->old_reader, ret);
	c->is_there |= state != BULLETIN_NONE;
	if (state != BULLETIN_WHOLE)
		return false;
	said = (struct said){.begun = ret->number, .kind = kind_of(ret->word)};
	if (said.kind == VERDICT_COUNT)
		return false;
	if (said.begun != c->at.begun || said.kind != c->at.kind)
		c->at_ns = clock_mono_ns();
	c->at = said;
	return true;
}

/* The number of the last reload that began; 0 when the file is not there: one
 * that is made after this is of a reload that begins after this. */
static unsigned long
last_begun(struct client *c)
{
	struct bulletin_said s;

	for (int tries = 0; tries < 3; tries++) {
		if (hear_it(c, &s))
			return s.number;
		if (!c->is_there)
			break;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* The verdict of a reload that began after `before`: its kind, or NONE. */
static enum verdict_kind
verdict_look(struct client *c, unsigned long before, struct bulletin_said *ret)
{
	return hear_it(c, ret) && ret->number > before ? c->at.kind
						       : VERDICT_NONE;
}

/*
 * Nothing is to be waited for any more: it is told why.  A reload that has begun,
 * ours or one before it, comes to an end, however many locations it tries; only
 * one that does not begin is given up.
 */
static bool
is_in_vain(const struct client *c, bool runs)
{
	bool under_way = c->at.begun > 0 && c->at.kind == VERDICT_NONE;
	uint64_t ms = (clock_mono_ns() - c->at_ns) / NS_PER_MS;
	const char *why = NULL;

	if (!runs)
		fprintf(stderr,
		    "penstock: process %ld ended before it had %s\n",
		    (long)c->pid, c->of->done);
	else if (!c->is_there && ms >= NO_FILE_MS)
		why = "it cannot make";
	else if (!under_way && ms >= PATIENCE_MS)
		why = "it has said nothing for 30 seconds in";
	else
		return false;
	if (why != NULL)
		fprintf(stderr,
		    "penstock: process %ld was told to %s; what came of it "
		    "is not known, since %s %s: see its error_log\n",
		    (long)c->pid, c->of->name, why,
		    bulletin_reader_path(c->reader));
	return true;
}

/* The verdict is about the file that the server was started with.  Where all is well
 * nothing is printed, as hooks and cron jobs mail what is; warnings alone would look like a
 * refusal. */
static void
print_verdict(const struct client *c, const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	size_t first = end ? (size_t)(end - text) : len;

	if (c->file != NULL && first > 0 &&
	    (strlen(c->file) != first || memcmp(c->file, text, first) != 0)) {
		fprintf(stderr, "penstock: process %ld was started with ",
		    (long)c->pid);
		bulletin_print(text, first, stderr);
		fputs(" and has read that again, not ", stderr);
		bulletin_print(c->file, strlen(c->file), stderr);
		fputc('\n', stderr);
	}
	if (first + 1 >= len)
		return;
	bulletin_print(text + first + 1, len - first - 1, stderr);
	if (c->at.kind == VERDICT_APPLIED)
		fprintf(stderr, "penstock: %s\n", c->of->done);
}

static int
await(struct client *c, unsigned long before)
{
	c->at_ns = clock_mono_ns();
	for (;;) {
		/* Asked first: the last that it says counts. */
		bool runs = pidfile_owner(c->pid_file) == c->pid ||
			    pidfile_owner(c->old_pid_file) == c->pid;
		struct bulletin_said s;
		enum verdict_kind kind = verdict_look(c, before, &s);

		if (kind != VERDICT_NONE) {
			print_verdict(c, s.text, s.len);
			return kind == VERDICT_APPLIED ? EXIT_SUCCESS
						       : EXIT_FAILURE;
		}
		if (is_in_vain(c, runs))
			return EXIT_FAILURE;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static bool
begin(struct client *c)
{
	c->old_pid_file = pidfile_old_path(c->pid_file);
	if (c->old_pid_file == NULL) {
		errno = ENOMEM;
		return false;
	}
	c->reader = bulletin_reader_new(c->pid_file, c->of->name, c->pid);
	c->old_reader =
	    bulletin_reader_new(c->old_pid_file, c->of->name, c->pid);
	return c->reader != NULL && c->old_reader != NULL;
}

static void
end(struct client *c)
{
	bulletin_reader_free(c->reader);
	bulletin_reader_free(c->old_reader);
	free(c->old_pid_file);
	free(c->file);
}

int
verdict_ask(const struct verdict_of *of, const char *pid_file, pid_t pid,
    const char *conf_file)
{
	struct client c = {.of = of, .pid_file = pid_file, .pid = pid};
	int status = EXIT_FAILURE;
	unsigned long before;

	if (!begin(&c)) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", pid_file,
		    strerror(errno));
		end(&c);
		return EXIT_FAILURE;
	}
	c.file = bulletin_absolute(conf_file);
	before = last_begun(&c);
	if (kill(pid, of->signal) == 0)
		status = await(&c, before);
	else
		fprintf(stderr, "penstock: process %ld: %s\n", (long)pid,
		    strerror(errno));
	end(&c);
	return status;
}
