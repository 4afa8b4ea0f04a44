#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>

void
fd_open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		/* open(2) returns the lowest free number, which is `fd`.
		 * Without /dev any descriptor will do that takes the number. */
		if (open("/dev/null", O_RDWR) == -1 &&
		    open("/", O_RDONLY) == -1)
			_exit(1);
	}
}

int
fd_null_standard(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err = 0;

	if (null == -1)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) == -1)
			err = -errno;
	fd_close(&null);
	return err;
}

void
fd_close(int *fd)
{
	if (*fd == -1)
		return;
	/* Even after EINTR the descriptor is closed (close(2), Linux). */
	(void)close(*fd);
	*fd = -1;
}

bool
fd_is_named(int fd, const char *path)
{
	struct stat open, named;

	return fstat(fd, &open) == 0 && stat(path, &named) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

int
fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -errno;
	return 0;
}

int
fd_set_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == -1)
		return -errno;
	return 0;
}

int
fd_keep_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) == -1)
		return -errno;
	return 0;
}

void
fd_wake_close(struct fd_wake *w)
{
	if (w->wr != w->rd)
		fd_close(&w->wr);
	fd_close(&w->rd);
	w->wr = -1;
}

size_t
fd_limit_max(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max == RLIM_INFINITY)
		return SIZE_MAX;
	return (size_t)rl.rlim_max;
}

int
fd_raise_limit(size_t want, size_t *ret_have)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return -errno;
	if (rl.rlim_cur != RLIM_INFINITY && rl.rlim_cur < want) {
		rl.rlim_cur = want;
		if (rl.rlim_max != RLIM_INFINITY && want > rl.rlim_max)
			rl.rlim_cur = rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
			return -errno;
	}
	*ret_have = rl.rlim_cur == RLIM_INFINITY ? want : (size_t)rl.rlim_cur;
	return 0;
}

void
fd_write_now(int fd, const void *buf, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (poll(&p, 1, 0) == 0)
		return;
	while (fd_write_without_wait(fd, buf, len) == -1 && errno == EINTR)
		;
}

int
fd_write_some(int fd, const void *buf, size_t len, size_t *ret_done)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	const char *p = buf;

	*ret_done = 0;
	while (*ret_done < len) {
		ssize_t n = write(fd, p + *ret_done, len - *ret_done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			(void)poll(&room, 1, -1);
			continue;
		}
		if (n == -1)
			return -errno;
		*ret_done += (size_t)n;
	}
	return 0;
}

int
fd_write_all(int fd, const void *buf, size_t len)
{
	size_t done;

	return fd_write_some(fd, buf, len, &done);
}

bool
fd_is_unix(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	       ss.ss_family == AF_UNIX;
}
