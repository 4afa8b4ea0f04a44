#include "proc/bulletin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"

enum {
	HEAD_MAX = 128,
};

/* The first line of the file: NUMBER PID WORD LENGTH SUM. */
struct head {
	unsigned long number;
	long pid;
	char word[BULLETIN_WORD_MAX];
	size_t len; /* of the text that follows */
	uint64_t sum;
};

static uint64_t
head_sum(const struct head *h, const char *text)
{
	uint64_t of = hash_mix(hash_mix(h->number) + (uint64_t)h->pid);

	of = hash_bytes(of, h->word, strlen(h->word));
	return hash_bytes(of, h->len > 0 ? text : "", h->len);
}

static char *
path_beside(const char *pid_file, const char *name)
{
	struct str path = {0};

	str_printf(&path, "%s.%s", pid_file, name);
	if (!str_failed(&path))
		return path.s;
	str_fini(&path);
	return NULL;
}

char *
bulletin_absolute(const char *file)
{
	char *path = file != NULL ? realpath(file, NULL) : NULL;

	if (path == NULL || strchr(path, '\n') == NULL)
		return path;
	free(path);
	return NULL;
}

/* ---- in the server ---- */

/* Make the file anew.  What is there was left by a server that does not run any
 * more, since we have the lock.  A symbolic link is not followed. */
static int
bulletin_make(struct bulletin *b)
{
	(void)unlink(b->path);
	b->fd = open(
	    b->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return b->fd == -1 ? -errno : 0;
}

int
bulletin_open(
    struct bulletin *b, const char *pid_file, const char *name, int pid_fd)
{
	*b = (struct bulletin){.fd = -1, .pid_fd = pid_fd};
	if (strcmp(pid_file, "off") == 0)
		return 0;
	b->path = path_beside(pid_file, name);
	b->pid_file = strdup(pid_file);
	return b->path != NULL && b->pid_file != NULL ? bulletin_make(b) : 0;
}

void
bulletin_renew(struct bulletin *b)
{
	bool is_there = b->fd != -1 && fd_is_named(b->fd, b->path);

	if (b->path == NULL || b->pid_file == NULL || is_there ||
	    !fd_is_named(b->pid_fd, b->pid_file))
		return;
	fd_close(&b->fd);
	(void)bulletin_make(b);
}

void
bulletin_move(struct bulletin *b, const char *pid_file, const char *name)
{
	char *path = path_beside(pid_file, name), *copy = strdup(pid_file);

	if (b->path == NULL || path == NULL || copy == NULL) {
		free(path);
		free(copy);
		return;
	}
	if (b->fd != -1 && fd_is_named(b->fd, b->path))
		(void)rename(b->path, path);
	free(b->path);
	free(b->pid_file);
	b->path = path;
	b->pid_file = copy;
}

int
bulletin_put(const struct bulletin *b, const struct bulletin_said *s)
{
	struct head h = {.number = s->number, .pid = (long)getpid()};
	struct str whole = {0};
	bool good;

	if (b->fd == -1)
		return 0;
	memcpy(h.word, s->word, sizeof(h.word));
	check(memchr(h.word, '\0', sizeof(h.word)) != NULL);
	h.len = s->len < BULLETIN_TEXT_MAX ? s->len : BULLETIN_TEXT_MAX;
	h.sum = head_sum(&h, s->text);
	str_printf(&whole, "%lu %ld %s %zu %016" PRIx64 "\n", h.number, h.pid,
	    h.word, h.len, h.sum);
	if (h.len > 0)
		str_add(&whole, s->text, h.len);
	good = !str_failed(&whole) &&
	       pwrite(b->fd, whole.s, whole.len, 0) == (ssize_t)whole.len &&
	       ftruncate(b->fd, (off_t)whole.len) == 0;
	str_fini(&whole);
	return good ? 0 : -EIO;
}

void
bulletin_close(struct bulletin *b, bool remove)
{
	if (remove && b->fd != -1 && fd_is_named(b->fd, b->path))
		(void)unlink(b->path);
	fd_close(&b->fd);
	free(b->path);
	free(b->pid_file);
	*b = (struct bulletin){.fd = -1};
}

/* ---- in a client ---- */

struct bulletin_reader {
	char *path;
	pid_t pid;
	uid_t owner;
	char buf[HEAD_MAX + BULLETIN_TEXT_MAX + 1];
};

/* Whose the server was when it made the file: that of a process which became
 * another user since is root's there.  The pid file may have been there before
 * it, another's: that is asked only where the process cannot be. */
static bool
find_owner(const char *pid_file, pid_t pid, uid_t *ret)
{
	char proc[32];
	struct stat st;

	snprintf(proc, sizeof(proc), "/proc/%ld/stat", (long)pid);
	if (stat(proc, &st) == -1 && stat(pid_file, &st) == -1)
		return false;
	*ret = st.st_uid;
	return true;
}

struct bulletin_reader *
bulletin_reader_new(const char *pid_file, const char *name, pid_t pid)
{
	struct bulletin_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->pid = pid;
	r->path = path_beside(pid_file, name);
	if (r->path == NULL)
		errno = ENOMEM;
	if (r->path == NULL || !find_owner(pid_file, pid, &r->owner)) {
		int err = errno;

		bulletin_reader_free(r);
		errno = err;
		return NULL;
	}
	return r;
}

const char *
bulletin_reader_path(const struct bulletin_reader *r)
{
	return r->path;
}

/* From the text of the file; false: it is not whole. */
static bool
parse(const char *text, size_t len, struct head *ret, const char **ret_text)
{
	const char *end = memchr(text, '\n', len);

	if (end == NULL || end - text >= HEAD_MAX ||
	    sscanf(text, "%lu %ld %15s %zu %" SCNx64, &ret->number, &ret->pid,
		ret->word, &ret->len, &ret->sum) != 5 ||
	    ret->len > len - (size_t)(end + 1 - text))
		return false;
	*ret_text = end + 1;
	return ret->sum == head_sum(ret, end + 1);
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

enum bulletin_state
bulletin_read(struct bulletin_reader *r, struct bulletin_said *ret)
{
	struct head h;
	size_t len;

	if (!read_file(r->path, r->owner, r->buf, sizeof(r->buf) - 1, &len))
		return BULLETIN_NONE;
	r->buf[len] = '\0';
	if (!parse(r->buf, len, &h, &ret->text))
		return BULLETIN_BROKEN;
	if (h.pid != (long)r->pid)
		return BULLETIN_NONE; /* of another one, before or beside it */
	ret->number = h.number;
	memcpy(ret->word, h.word, sizeof(ret->word));
	ret->len = h.len;
	return BULLETIN_WHOLE;
}

void
bulletin_reader_free(struct bulletin_reader *r)
{
	if (r != NULL)
		free(r->path);
	free(r);
}

void
bulletin_print(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c == '\n' || (c >= ' ' && c != 0x7f) ? c : '?', out);
	}
}
