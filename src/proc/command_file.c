#include "command_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

int
command_file_add(const char *path, struct str *line)
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
