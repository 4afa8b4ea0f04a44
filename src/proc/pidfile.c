#include "proc/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

pid_t
pidfile_owner(const char *path)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, err = 0;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &whole) == -1)
		err = -errno;
	fd_close(&fd);
	if (err < 0)
		return err;
	return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

static int
lock_and_write(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char text[32];
	int len;

	if (fcntl(fd, F_SETLK, &whole) == -1)
		return errno == EACCES ? -EAGAIN : -errno;
	if (ftruncate(fd, 0) == -1)
		return -errno;
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	return fd_write_all(fd, text, (size_t)len);
}

int
pidfile_take(const char *path, int *ret_fd)
{
	int fd, err;

	*ret_fd = -1;
	if (strcmp(path, "off") == 0)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1) {
		err = -errno;
		log_error(
		    "pid_file %s: cannot be opened: %s", path, strerror(-err));
		return err;
	}
	err = lock_and_write(fd);
	if (err == -EAGAIN)
		log_error("pid_file %s: another penstock, process %ld, runs "
			  "with it: stop that one (-s stop) or choose another "
			  "pid_file",
		    path, (long)pidfile_owner(path));
	else if (err < 0)
		log_error("pid_file %s: %s", path, strerror(-err));
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

void
pidfile_drop(const char *path, int *fd)
{
	if (*fd == -1)
		return;
	(void)unlink(path);
	fd_close(fd);
}
