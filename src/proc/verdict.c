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
	TEXT_MAX = 60000, /* what does not fit is in the error log */
	PATIENCE_MS =
	    30000, /* more than rehearsal and new workers take; is said */
	NO_FILE_MS = 3000, /* a reload that begins makes it, if it can */
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
	enum verdict_kind kind; /* of that one */
	size_t len;		/* of the text that follows */
	uint64_t sum;
};

static uint64_t
sum_of(const struct said *s, const char *text)
{
	return hash_bytes(hash_mix(s->begun) + (uint64_t)s->kind,
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

/* The file anew: what is there is of one that runs no more, since we have the
 * lock; a link that somebody has put there is not followed. */
static int
make(struct verdict *v)
{
	(void)unlink(v->path);
	v->fd = open(
	    v->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return v->fd == -1 ? -errno : 0;
}

static void
put(struct verdict *v, enum verdict_kind kind)
{
	struct said s = {.begun = v->begun, .kind = kind};
	struct str whole = {0};

	if (v->fd == -1)
		return;
	if (!str_failed(&v->heard))
		s.len = v->heard.len < TEXT_MAX ? v->heard.len : TEXT_MAX;
	s.sum = sum_of(&s, v->heard.s);
	str_printf(&whole, "%lu %s %zu %016" PRIx64 "\n", s.begun,
	    kind_name[kind], s.len, s.sum);
	if (s.len > 0)
		str_add(&whole, v->heard.s, s.len);
	if (str_failed(&whole) ||
	    pwrite(v->fd, whole.s, whole.len, 0) != (ssize_t)whole.len ||
	    ftruncate(v->fd, (off_t)whole.len) == -1)
		log_warn("%s: cannot be written: -s reload cannot tell what "
			 "came of it",
		    v->path);
	str_fini(&whole);
}

void
verdict_open(struct verdict *v, const char *pid_file)
{
	int err;

	*v = (struct verdict){.fd = -1, .path = path_beside(pid_file)};
	if (v->path == NULL)
		return;
	err = make(v);
	if (err < 0)
		log_warn("%s: cannot be made: %s: -s reload cannot tell what "
			 "came of it",
		    v->path, strerror(-err));
	put(v, VERDICT_NONE);
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
	if (v->fd == -1 || !fd_is_named(v->fd, v->path)) {
		fd_close(&v->fd);
		(void)make(v);
	}
	str_fini(&v->heard);
	v->begun++;
	v->pending = true;
	put(v, VERDICT_NONE);
	verdict_hear(v, true);
}

void
verdict_give(struct verdict *v, enum verdict_kind kind)
{
	verdict_hear(v, false);
	if (!v->pending)
		return;
	v->pending = false;
	put(v, kind);
	str_fini(&v->heard);
}

void
verdict_close(struct verdict *v, bool remove)
{
	if (remove && v->fd != -1 && fd_is_named(v->fd, v->path))
		(void)unlink(v->path);
	fd_close(&v->fd);
	free(v->path);
	str_fini(&v->heard);
	v->path = NULL;
}

/* ---- in a client ---- */

/* From the text of the file; false: it is not whole. */
static bool
parse(const char *text, size_t len, struct said *ret, const char **ret_text)
{
	const char *end = memchr(text, '\n', len);
	char kind[16];

	if (end == NULL || end - text >= HEAD_MAX ||
	    sscanf(text, "%lu %15s %zu %" SCNx64, &ret->begun, kind, &ret->len,
		&ret->sum) != 4 ||
	    ret->len > len - (size_t)(end + 1 - text))
		return false;
	ret->kind = VERDICT_NONE;
	while (ret->kind < VERDICT_COUNT &&
	       strcmp(kind, kind_name[ret->kind]) != 0)
		ret->kind++;
	*ret_text = end + 1;
	return ret->kind < VERDICT_COUNT && ret->sum == sum_of(ret, end + 1);
}

/* All of the file; it belongs to whom `owner` does. */
static bool
read_file(const char *path, const struct stat *owner, char *buf, size_t size,
    size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == owner->st_uid)
		n = pread(fd, buf, size, 0);
	fd_close(&fd);
	*ret_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Print it so that nothing in it acts on a terminal. */
static void
print(const char *text, size_t len)
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
	pid_t pid;  /* of the server */
	struct stat owner;
	bool is_there; /* the file has been read once */
	char buf[HEAD_MAX + TEXT_MAX + 1];
};

/* The number of the last reload that began; 0 when the file is not there: one
 * that is made after this is of a reload that begins after this. */
static unsigned long
last_begun(struct client *c)
{
	const char *text;
	struct said s;
	size_t len;

	for (int tries = 0; tries < 3; tries++) {
		if (!read_file(
			c->path, &c->owner, c->buf, sizeof(c->buf) - 1, &len))
			return 0;
		c->buf[len] = '\0';
		if (parse(c->buf, len, &s, &text))
			return s.begun;
		(void)poll(NULL, 0, LOOK_MS); /* it is being written */
	}
	return 0;
}

/* The verdict of a reload that began after `before`: its kind, or NONE. */
static enum verdict_kind
look(struct client *c, unsigned long before, const char **ret_text,
    size_t *ret_len)
{
	struct said s;
	size_t len;

	if (!read_file(c->path, &c->owner, c->buf, sizeof(c->buf) - 1, &len))
		return VERDICT_NONE;
	c->is_there = true;
	c->buf[len] = '\0';
	if (!parse(c->buf, len, &s, ret_text) || s.begun <= before)
		return VERDICT_NONE;
	*ret_len = s.len;
	return s.kind;
}

/* Nothing is to be waited for any more: it is told why. */
static bool
is_in_vain(const struct client *c, bool runs, uint64_t begun_ns)
{
	uint64_t ms = (clock_mono_ns() - begun_ns) / NS_PER_MS;
	const char *why = NULL;

	if (!runs)
		fprintf(stderr,
		    "penstock: process %ld ended before it had reloaded\n",
		    (long)c->pid);
	else if (!c->is_there && ms >= NO_FILE_MS)
		why = "it cannot make";
	else if (ms >= PATIENCE_MS)
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

static int
await(struct client *c, unsigned long before)
{
	uint64_t begun = clock_mono_ns();

	for (;;) {
		/* Asked first: the last that it says counts. */
		bool runs = pidfile_owner(c->pid_file) == c->pid;
		enum verdict_kind kind;
		const char *text;
		size_t len;

		kind = look(c, before, &text, &len);
		if (kind != VERDICT_NONE) {
			print(text, len);
			return kind == VERDICT_APPLIED ? EXIT_SUCCESS
						       : EXIT_FAILURE;
		}
		if (is_in_vain(c, runs, begun))
			return EXIT_FAILURE;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int
verdict_ask(const char *pid_file, pid_t pid)
{
	struct client *c = calloc(1, sizeof(*c));
	int status = EXIT_FAILURE;
	unsigned long before;

	if (c != NULL)
		c->path = path_beside(pid_file);
	if (c == NULL || c->path == NULL || stat(pid_file, &c->owner) == -1) {
		fprintf(stderr, "penstock: pid_file %s: %s\n", pid_file,
		    strerror(errno));
		goto free_client;
	}
	c->pid_file = pid_file;
	c->pid = pid;
	before = last_begun(c);
	if (kill(pid, SIGHUP) == -1) {
		fprintf(stderr, "penstock: process %ld: %s\n", (long)pid,
		    strerror(errno));
		goto free_client;
	}
	status = await(c, before);
free_client:
	if (c != NULL)
		free(c->path);
	free(c);
	return status;
}
