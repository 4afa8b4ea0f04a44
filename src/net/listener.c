#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	BACKLOG = 4096,
};

/* Does anybody answer on this UNIX socket? */
static bool
is_live(const struct addr *a)
{
	int fd = fd_socket(AF_UNIX);
	bool live;

	if (fd < 0)
		return true; /* we cannot tell, so it is not ours to remove */
	live = connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0 ||
	       errno == EAGAIN || errno == EINPROGRESS;
	fd_close(&fd);
	return live;
}

/* Remove a UNIX socket left over from a process that is gone. */
static int
remove_stale(const struct addr *a)
{
	const char *path = addr_unix_path(a);
	struct stat st;

	if (path == NULL || lstat(path, &st) == -1)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_live(a))
		return -EADDRINUSE;
	return unlink(path) == -1 && errno != ENOENT ? -errno : 0;
}

static int
set_options(int fd, const struct addr *a)
{
	int one = 1;

	if (a->ss.ss_family == AF_UNIX)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
		return -errno;
	if (a->ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == -1)
		return -errno;
	/* Inherited by what is accepted; saves a call for each. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		return -errno;
	return 0;
}

int
listener_open(const struct addr *addr, struct listener *ret)
{
	struct stat st = {0};
	int fd, err;

	err = remove_stale(addr);
	if (err < 0)
		return err;
	fd = fd_socket(addr->ss.ss_family);
	if (fd < 0)
		return fd;
	err = set_options(fd, addr);
	if (err == 0 &&
	    (bind(fd, (const struct sockaddr *)&addr->ss, addr->len) == -1 ||
		listen(fd, BACKLOG) == -1))
		err = -errno;
	if (err == 0 && addr_unix_path(addr) != NULL &&
	    lstat(addr_unix_path(addr), &st) == -1)
		err = -errno;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	*ret = (struct listener){
	    .addr = *addr, .fd = fd, .dev = st.st_dev, .ino = st.st_ino};
	return 0;
}

bool
listener_is_reachable(const struct listener *l)
{
	const char *path = addr_unix_path(&l->addr);
	struct stat st;

	return path == NULL || (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
				   st.st_dev == l->dev && st.st_ino == l->ino);
}

void
listener_close(struct listener *l, bool remove)
{
	if (l->fd == -1)
		return;
	fd_close(&l->fd);
	if (remove && addr_unix_path(&l->addr) != NULL &&
	    listener_is_reachable(l))
		(void)unlink(addr_unix_path(&l->addr));
}

void
listener_shutdown(const struct listener *l)
{
	if (l->fd != -1)
		(void)shutdown(l->fd, SHUT_RDWR);
}
