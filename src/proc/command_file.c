#include "command_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/mac.h"
#include "auth/secret_file.h"
#include "base/fd.h"

/* The line, behind a newline if the last one in the file lacks its own. */
static int
write_line(int fd, struct str *line)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == -1)
		return -errno;
	if (last != '\n') {
		struct str whole = {0};

		str_puts(&whole, "\n");
		str_add(&whole, line->s, line->len);
		str_fini(line);
		*line = whole;
	}
	if (str_failed(line))
		return -ENOMEM;
	if (fd_write_all(fd, line->s, line->len) < 0 || fsync(fd) == -1)
		return -errno;
	return 0;
}

static int
append_line(const char *path, struct str *line)
{
	int fd = open(
	    path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	int err;

	if (fd == -1)
		return -errno;
	err = write_line(fd, line);
	fd_close(&fd);
	return err;
}

const char *
command_file_read(const char *path, struct str *ret_text)
{
	const char *warning;
	struct stat st;

	if (stat(path, &st) == -1 && errno == ENOENT)
		return NULL;
	return secret_file_read(path, ret_text, &warning);
}

int
command_file_refuse(const char *path, const char *directive, struct str *errors)
{
	errors->s[strcspn(errors->s, "\n")] = '\0';
	fprintf(stderr,
	    "penstock: %s: nothing was added, since this is no file for %s: "
	    "%s\n",
	    path, directive, errors->s);
	return EXIT_FAILURE;
}

const char *
command_file_mistake(struct str *errors)
{
	const char *colon = errors->s ? strstr(errors->s, ": ") : NULL;

	if (colon == NULL)
		return "out of memory";
	errors->s[strcspn(errors->s, "\n")] = '\0';
	return colon + 2;
}

/* ---- the first line ---- */

static int
sync_parent(const char *path)
{
	char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
	int fd, err = 0;

	if (slash == NULL) {
		free(dir);
		return -ENOMEM;
	}
	slash[slash == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd == -1 || fsync(fd) == -1)
		err = -errno;
	fd_close(&fd);
	return err;
}

/* The new content, with the rights of the old file. */
static int
fill(int fd, const char *path, const struct str *content)
{
	struct stat st;

	if (stat(path, &st) == -1 || fchown(fd, st.st_uid, st.st_gid) == -1 ||
	    fchmod(fd, st.st_mode & 07777) == -1)
		return -errno;
	if (fd_write_all(fd, content->s, content->len) < 0 || fsync(fd) == -1)
		return -errno;
	return 0;
}

/* `path` is absolute, and no symbolic link. */
static int
replace(const char *path, const struct str *content)
{
	struct str temp = {0};
	int fd = -1, err;

	str_printf(&temp, "%s.XXXXXX", path);
	if (str_failed(&temp))
		return -ENOMEM;
	fd = mkstemp(temp.s);
	err = fd == -1 ? -errno : fill(fd, path, content);
	if (err == 0 && rename(temp.s, path) == -1)
		err = -errno;
	if (err < 0 && fd != -1)
		(void)unlink(temp.s);
	fd_close(&fd);
	str_fini(&temp);
	return err < 0 ? err : sync_parent(path);
}

static int
prepend_line(const char *path, const struct str *line)
{
	char *real = realpath(path, NULL);
	struct str content = {0};
	int err = -EINVAL;

	if (real == NULL)
		return -errno;
	str_add(&content, line->s, line->len);
	if (command_file_read(real, &content) == NULL)
		err = str_failed(&content) ? -ENOMEM : replace(real, &content);
	if (content.s != NULL)
		mac_wipe(content.s, content.len);
	str_fini(&content);
	free(real);
	return err;
}

int
command_file_add(const char *path, struct str *line, bool first)
{
	if (first && access(path, F_OK) == 0)
		return prepend_line(path, line);
	return append_line(path, line);
}
