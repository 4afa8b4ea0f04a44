#include "auth/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/mac.h"
#include "base/ascii.h"
#include "base/fd.h"

enum {
	NAME_BYTES_MAX = 64,
};

static const char *
read_parts(int fd, char *buf, size_t size, struct str *ret_text)
{
	for (;;) {
		ssize_t n = read(fd, buf, size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? NULL : strerror(errno);
		if (ret_text->len + (size_t)n > SECRET_FILE_MAX)
			return "it is larger than 4m";
		str_add(ret_text, buf, (size_t)n);
		if (str_failed(ret_text))
			return strerror(ENOMEM);
	}
}

static const char *
read_whole(int fd, struct str *ret_text)
{
	char buf[4096];
	const char *why = read_parts(fd, buf, sizeof(buf), ret_text);

	mac_wipe(buf, sizeof(buf));
	return why;
}

/* NULL; or why it is not to be relied on. */
static const char *
judge_writers(const struct stat *st)
{
	if ((st->st_mode & S_IWOTH) != 0)
		return "any user of this machine can write it, and so let in "
		       "whom he likes: chmod o-w";
	/* Who is in root's group is trusted like root. */
	if ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0)
		return "its group can write it, and so let in whom it likes: "
		       "chmod g-w";
	return NULL;
}

const char *
secret_file_read(
    const char *path, struct str *ret_text, const char **ret_warning)
{
	const char *why;
	struct stat st;
	int fd;

	*ret_warning = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return strerror(errno);
	if (fstat(fd, &st) == -1)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "it is not a regular file";
	else
		why = judge_writers(&st);
	if (why == NULL)
		why = read_whole(fd, ret_text);
	if (why == NULL && (st.st_mode & S_IROTH) != 0)
		*ret_warning =
		    "any user of this machine can read it: chmod o-r";
	fd_close(&fd);
	return why;
}

bool
secret_lines_next(struct secret_lines *l, struct span *ret_line)
{
	while (l->rest.len > 0) {
		const char *end = memchr(l->rest.s, '\n', l->rest.len);
		size_t len = end ? (size_t)(end - l->rest.s) : l->rest.len;
		struct span line = {l->rest.s, len};

		l->rest.s += len + (end != NULL);
		l->rest.len -= len + (end != NULL);
		l->number++;
		if (line.len > 0 && line.s[line.len - 1] == '\r')
			line.len--;
		*ret_line = span_trim(line);
		if (ret_line->len > 0 && ret_line->s[0] != '#')
			return true;
	}
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
secret_words_next(struct span *rest, struct span *ret_word)
{
	size_t n = 0;

	*rest = span_trim(*rest);
	while (n < rest->len && !is_blank(rest->s[n]))
		n++;
	*ret_word = (struct span){rest->s, n};
	rest->s += n;
	rest->len -= n;
	return n > 0;
}

bool
secret_word_is(struct span word, const char *name, struct span *ret)
{
	size_t len = strlen(name);

	if (word.len < len || memcmp(word.s, name, len) != 0)
		return false;
	*ret = (struct span){word.s + len, word.len - len};
	return true;
}

void
secret_file_mistake(
    struct str *errors, const struct secret_lines *l, const char *why)
{
	str_printf(errors, "line %u: %s\n", l->number, why);
}

bool
secret_name_is_good(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alnum(name.s[i]) &&
		    (name.s[i] == '\0' || strchr("-._@+", name.s[i]) == NULL))
			return false;
	return name.len > 0 && name.len <= NAME_BYTES_MAX;
}
