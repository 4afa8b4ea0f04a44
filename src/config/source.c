#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	LOOK_MS = 100,
	WRITER_MS = 3000,  /* until a FIFO is opened for writing */
	SILENT_MS = 30000, /* of a writer */
};

/*
 * read() from a pipe that does not block; `begun`: not for the first time.  The
 * end of one that never had a writer is not told from that of one that had, but
 * by poll().
 */
static ssize_t
read_pipe(int fd, char *buf, size_t size, bool begun, const char **ret_why)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int ms = 0;; ms += LOOK_MS) {
		ssize_t n = read(fd, buf, size);

		if (n > 0 || (n == -1 && errno != EAGAIN) ||
		    (n == 0 && (begun || (p.revents & POLLHUP) != 0)))
			return n;
		if (ms >= (n == 0 ? WRITER_MS : SILENT_MS)) {
			*ret_why = n == 0 ? "it is a FIFO to which nobody "
					    "writes"
					  : "it is a pipe to which nothing was "
					    "written for 30 seconds";
			return -1;
		}
		(void)poll(&p, 1, LOOK_MS);
	}
}

static const char *
read_all(int fd, mode_t type, struct str *ret_text)
{
	bool is_pipe = !S_ISREG(type) && !S_ISBLK(type);
	bool begun = !S_ISFIFO(type); /* of others an end is an end */
	char buf[4096];

	for (;;) {
		const char *why = NULL;
		ssize_t n;

		n = is_pipe ? read_pipe(fd, buf, sizeof(buf), begun, &why)
			    : read(fd, buf, sizeof(buf));
		begun = true;
		if (n == -1 && why != NULL)
			return why;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return strerror(errno);
		if (n == 0)
			return NULL;
		if (ret_text->len + (size_t)n > SOURCE_BYTES_MAX)
			return "it is larger than 1m";
		str_add(ret_text, buf, (size_t)n);
		if (str_failed(ret_text))
			return strerror(ENOMEM);
	}
}

const char *
source_read(const char *name, bool is_first, struct source_id *ret_id,
    struct str *ret_text)
{
	const char *why;
	struct stat st;
	int fd;

	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return errno == ENXIO ? "it is a socket" : strerror(errno);
	if (fstat(fd, &st) == -1)
		why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = strerror(EISDIR);
	else if (!is_first && !S_ISREG(st.st_mode))
		why = "it is not a regular file";
	else
		why = read_all(fd, st.st_mode, ret_text);
	if (why == NULL)
		*ret_id = (struct source_id){true, st.st_dev, st.st_ino};
	fd_close(&fd);
	return why;
}

bool
source_is_same(const struct source_id *a, const struct source_id *b)
{
	return a->is_set && b->is_set && a->dev == b->dev && a->ino == b->ino;
}

/* Add `text` so that no sign in it is a wildcard to glob(). */
static void
add_literal(struct str *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("*?[\\", text[i]) != NULL)
			str_puts(b, "\\");
		str_add(b, &text[i], 1);
	}
}

/* Add all that `pattern` matches, each with its NUL. */
static void
add_matches(const char *pattern, struct str *ret_names)
{
	glob_t found = {0};
	int err = glob(pattern, 0, NULL, &found);

	for (size_t i = 0; err == 0 && i < found.gl_pathc; i++)
		str_add(ret_names, found.gl_pathv[i],
		    strlen(found.gl_pathv[i]) + 1);
	globfree(&found);
	ret_names->failed |= err == GLOB_NOSPACE;
}

void
source_find(const char *from, const char *pattern, struct str *ret_names)
{
	const char *slash = strrchr(from, '/');
	bool is_glob = strpbrk(pattern, "*?[") != NULL;
	struct str path = {0};
	size_t dir_len = 0;

	if (*pattern != '/' && slash != NULL)
		dir_len = (size_t)(slash - from) + 1;
	if (is_glob) {
		add_literal(&path, from, dir_len);
		str_puts(&path, pattern);
		if (!str_failed(&path))
			add_matches(path.s, ret_names);
		ret_names->failed |= str_failed(&path);
		str_fini(&path);
	} else {
		str_add(ret_names, from, dir_len);
		str_add(ret_names, pattern, strlen(pattern) + 1);
	}
}
