#include "proc/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "proc/pidfile.h"

enum {
	HEAD_MAX = 128,
	TEXT_MAX = 60000,    /* what does not fit is in the error log */
	PATIENCE_MS = 30000, /* for a reload to begin; is said */
	NO_FILE_MS = 3000,   /* a reload that begins makes it, if it can */
	LOOK_MS = 20,
};

static const char *const kind_name[VERDICT_COUNT] = {
    [VERDICT_NONE] = "none",
    [VERDICT_APPLIED] = "applied",
    [VERDICT_REFUSED] = "refused",
    [VERDICT_LATE] = "late",
};

/* What the file says. */
struct said {
	unsigned long begun;
	long pid;		/* whose reloads it counts */
	enum verdict_kind kind; /* of that one */
	size_t len;		/* of the text that follows */
	uint64_t sum;
};

static uint64_t
sum_of(const struct said *s, const char *text)
{
	return hash_bytes(
	    hash_mix(hash_mix(s->begun) + (uint64_t)s->pid) + (uint64_t)s->kind,
	    s->len > 0 ? text : "", s->len);
}

static char *
path_beside(const char *pid_file)
{
	struct str path = {0};

	if (strcmp(pid_file, "off") == 0)
		return NULL;
	str_printf(&path, "%s.reload", pid_file);
	if (!str_failed(&path))
		return path.s;
	str_fini(&path);
	return NULL;
}

/* ---- in the server ---- */

/* Make the file anew.  What is there was left by a server that does not run any
 * more, since we have the lock.  A symbolic link is not followed. */
static int
make(struct verdict *v)
{
	(void)unlink(v->path);
	v->fd = open(
	    v->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return v->fd == -1 ? -errno : 0;
}

static void
verdict_put(struct verdict *v, enum verdict_kind kind)
{
	struct said s = {
	    .begun = v->begun, .pid = (long)getpid(), .kind = kind};
	struct str text = {0}, whole = {0};

	if (v->fd == -1)
		return;
	str_printf(&text, "%s\n", v->file ? v->file : "");
	if (!str_failed(&v->heard) && v->heard.len > 0)
		str_add(&text, v->heard.s, v->heard.len);
	if (!str_failed(&text))
		s.len = text.len < TEXT_MAX ? text.len : TEXT_MAX;
	s.sum = sum_of(&s, text.s);
	str_printf(&whole, "%lu %ld %s %zu %016" PRIx64 "\n", s.begun, s.pid,
	    kind_name[kind], s.len, s.sum);
	if (s.len > 0)
		str_add(&whole, text.s, s.len);
	str_fini(&text);
	if (str_failed(&whole) ||
	    pwrite(v->fd, whole.s, whole.len, 0) != (ssize_t)whole.len ||
	    ftruncate(v->fd, (off_t)whole.len) == -1)
		log_warn("%s: cannot be written: -s reload cannot tell what "
			 "came of it",
		    v->path);
	str_fini(&whole);
}

/* Is the pid file still ours, and with it the name of the verdict? */
static bool
is_ours(const struct verdict *v)
{
	return v->pid_file != NULL && fd_is_named(v->pid_fd, v->pid_file);
}

/* The absolute path of a configuration; NULL: there is none, or not in one
 * line. */
static char *
absolute(const char *file)
{
	char *path = file ? realpath(file, NULL) : NULL;

	if (path == NULL || strchr(path, '\n') == NULL)
		return path;
	free(path);
	return NULL;
}

void
verdict_open(
    struct verdict *v, const char *pid_file, int pid_fd, const char *conf_file)
{
	int err;

	*v = (struct verdict){
	    .fd = -1, .path = path_beside(pid_file), .pid_fd = pid_fd};
	if (v->path == NULL)
		return;
	v->pid_file = strdup(pid_file);
	v->file = absolute(conf_file);
	err = make(v);
	if (err < 0)
		log_warn("%s: cannot be made: %s: -s reload cannot tell what "
			 "came of it",
		    v->path, strerror(-err));
	verdict_put(v, VERDICT_NONE);
}

static bool
hear(void *arg, enum log_level level, const char *message)
{
	struct verdict *v = arg;

	if (level <= LEVEL_WARN)
		str_printf(&v->heard, "%s\n", message);
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
	if (v->path == NULL)
		return;
	/* One that cleans up may have taken it away. */
	if ((v->fd == -1 || !fd_is_named(v->fd, v->path)) && is_ours(v)) {
		fd_close(&v->fd);
		(void)make(v);
	}
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
	if (remove && v->fd != -1 && fd_is_named(v->fd, v->path))
		(void)unlink(v->path);
	fd_close(&v->fd);
	free(v->path);
	free(v->pid_file);
	free(v->file);
	str_fini(&v->heard);
	v->path = v->pid_file = v->file = NULL;
}

/* ---- in a client ---- */

/* From the text of the file; false: it is not whole. */
static bool
parse(const char *text, size_t len, struct said *ret, const char **ret_text)
{
	const char *end = memchr(text, '\n', len);
	char kind[16];

	if (end == NULL || end - text >= HEAD_MAX ||
	    sscanf(text, "%lu %ld %15s %zu %" SCNx64, &ret->begun, &ret->pid,
		kind, &ret->len, &ret->sum) != 5 ||
	    ret->len > len - (size_t)(end + 1 - text))
		return false;
	ret->kind = VERDICT_NONE;
	while (ret->kind < VERDICT_COUNT &&
	       strcmp(kind, kind_name[ret->kind]) != 0)
		ret->kind++;
	*ret_text = end + 1;
	return ret->kind < VERDICT_COUNT && ret->sum == sum_of(ret, end + 1);
}

/* All of the file, if it is `owner`'s. */
static bool
read_file(
    const char *path, uid_t owner, char *buf, size_t size, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == owner)
		n = pread(fd, buf, size, 0);
	fd_close(&fd);
	*ret_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Print it so that nothing in it acts on a terminal. */
static void
verdict_print(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c == '\n' || (c >= ' ' && c != 0x7f) ? c : '?', stderr);
	}
}

/* Where a client is. */
struct client {
	const char *pid_file;
	char *path; /* of the verdict */
	char *file; /* the configuration that the client read; or NULL */
	pid_t pid;  /* of the server */
	uid_t owner;
	bool is_there;	/* the file has been read once */
	struct said at; /* what it said last */
	uint64_t at_ns; /* and since when */
	char buf[HEAD_MAX + TEXT_MAX + 1];
};

/* Whose the server was when it made the file: that of a process which became
 * another user since is root's there.  The pid file may have been there before
 * it, another's: that is asked only where the process cannot be. */
static bool
find_owner(struct client *c)
{
	char proc[32];
	struct stat st;

	snprintf(proc, sizeof(proc), "/proc/%ld/stat", (long)c->pid);
	if (stat(proc, &st) == -1 && stat(c->pid_file, &st) == -1)
		return false;
	c->owner = st.st_uid;
	return true;
}

/* What the server says now; false: nothing that is whole. */
static bool
hear_it(struct client *c, struct said *ret, const char **ret_text)
{
	size_t len;

	if (!read_file(c->path, c->owner, c->buf, sizeof(c->buf) - 1, &len))
		return false;
	c->buf[len] = '\0';
	if (!parse(c->buf, len, ret, ret_text)) {
		c->is_there = true; /* it is being written */
		return false;
	}
	if (ret->pid != (long)c->pid)
		return false; /* of another one, before or beside it */
	c->is_there = true;
	if (ret->begun != c->at.begun || ret->kind != c->at.kind)
		c->at_ns = clock_mono_ns();
	c->at = *ret;
	return true;
}

/* The number of the last reload that began; 0 when the file is not there: one
 * that is made after this is of a reload that begins after this. */
static unsigned long
last_begun(struct client *c)
{
	const char *text;
	struct said s;

	for (int tries = 0; tries < 3; tries++) {
		if (hear_it(c, &s, &text))
			return s.begun;
		if (!c->is_there)
			break;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* The verdict of a reload that began after `before`: its kind, or NONE. */
static enum verdict_kind
verdict_look(struct client *c, unsigned long before, const char **ret_text,
    size_t *ret_len)
{
	struct said s;

	if (!hear_it(c, &s, ret_text) || s.begun <= before)
		return VERDICT_NONE;
	*ret_len = s.len;
	return s.kind;
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
		    "penstock: process %ld ended before it had reloaded\n",
		    (long)c->pid);
	else if (!c->is_there && ms >= NO_FILE_MS)
		why = "it cannot make";
	else if (!under_way && ms >= PATIENCE_MS)
		why = "it has said nothing for 30 seconds in";
	else
		return false;
	if (why != NULL)
		fprintf(stderr,
		    "penstock: process %ld was told to reload; what came of it "
		    "is not known, since %s %s: see its error_log\n",
		    (long)c->pid, why, c->path);
	return true;
}

/* The verdict is about the file that the server was started with. */
static void
print_verdict(const struct client *c, const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	size_t first = end ? (size_t)(end - text) : len;

	if (c->file != NULL && first > 0 &&
	    (strlen(c->file) != first || memcmp(c->file, text, first) != 0)) {
		fprintf(stderr, "penstock: process %ld was started with ",
		    (long)c->pid);
		verdict_print(text, first);
		fputs(" and has read that again, not ", stderr);
		verdict_print(c->file, strlen(c->file));
		fputc('\n', stderr);
	}
	if (first < len)
		verdict_print(text + first + 1, len - first - 1);
}

static int
await(struct client *c, unsigned long before)
{
	c->at_ns = clock_mono_ns();
	for (;;) {
		/* Asked first: the last that it says counts. */
		bool runs = pidfile_owner(c->pid_file) == c->pid;
		enum verdict_kind kind;
		const char *text;
		size_t len;

		kind = verdict_look(c, before, &text, &len);
		if (kind != VERDICT_NONE) {
			print_verdict(c, text, len);
			return kind == VERDICT_APPLIED ? EXIT_SUCCESS
						       : EXIT_FAILURE;
		}
		if (is_in_vain(c, runs))
			return EXIT_FAILURE;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int
verdict_ask(const char *pid_file, pid_t pid, const char *conf_file)
{
	struct client *c = calloc(1, sizeof(*c));
	int status = EXIT_FAILURE;
	unsigned long before;

	if (c != NULL)
		c->path = path_beside(pid_file);
	if (c == NULL || c->path == NULL) {
		fprintf(stderr, "penstock: out of memory\n");
		goto free_client;
	}
	c->pid_file = pid_file;
	c->pid = pid;
	c->file = absolute(conf_file);
	if (!find_owner(c)) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", pid_file,
		    strerror(errno));
		goto free_client;
	}
	before = last_begun(c);
	if (kill(pid, SIGHUP) == -1) {
		fprintf(stderr, "penstock: process %ld: %s\n", (long)pid,
		    strerror(errno));
		goto free_client;
	}
	status = await(c, before);
free_client:
	if (c != NULL) {
		free(c->path);
		free(c->file);
	}
	free(c);
	return status;
}
