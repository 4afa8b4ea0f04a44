#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Does a process listen on this UNIX socket?  If its mode forbids us to connect
 * and it belongs to another user, assume that one does. */
static bool
is_live(const struct addr *a, const struct stat *st)
{
	int fd = fd_socket(AF_UNIX);
	bool live;

	if (fd < 0)
		return true; /* unknown, so it must not be removed */
	live = connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0 ||
	       errno == EAGAIN || errno == EINPROGRESS ||
	       (errno == EACCES && st->st_uid != geteuid());
	fd_close(&fd);
	return live;
}

/* Remove a UNIX socket left behind by a process that has ended. */
static int
remove_stale(const struct addr *a)
{
	const char *path = addr_unix_path(a);
	struct stat st;

	if (path == NULL || lstat(path, &st) == -1)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_live(a, &st))
		return -EADDRINUSE;
	return unlink(path) == -1 && errno != ENOENT ? -errno : 0;
}

static int
set_options(int fd, const struct addr *a, bool ipv6only)
{
	int one = 1, v6only = ipv6only;

	if (a->ss.ss_family == AF_UNIX)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
		return -errno;
	if (a->ss.ss_family == AF_INET6 &&
	    setsockopt(
		fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == -1)
		return -errno;
	/* Inherited by accepted sockets, which saves a system call for each. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		return -errno;
	return 0;
}

/* The rights of a UNIX socket are set before listen(2), and no client can
 * connect before that. */
static int
bind_and_listen(int fd, const struct addr *addr,
    const struct listener_options *options, struct stat *ret_st)
{
	const char *path = addr_unix_path(addr);
	int err = 0;

	if (path == NULL) {
		if (bind(fd, (const struct sockaddr *)&addr->ss, addr->len) ==
			-1 ||
		    listen(fd, options->backlog) == -1)
			return -errno;
		return 0;
	}
	err = socket_file_bind(fd, addr, ret_st);
	if (err < 0)
		return err;
	err = socket_file_give(path, ret_st, &options->rights);
	if (err == 0 && listen(fd, options->backlog) == -1)
		err = -errno;
	if (err < 0)
		socket_file_remove(path, ret_st);
	return err;
}

int
listener_open(const struct addr *addr, const struct listener_options *options,
    struct listener *ret)
{
	struct stat st = {0};
	int fd, err;

	err = remove_stale(addr);
	if (err < 0)
		return err;
	fd = fd_socket(addr->ss.ss_family);
	if (fd < 0)
		return fd;
	err = set_options(fd, addr, options->ipv6only);
	if (err == 0)
		err = bind_and_listen(fd, addr, options, &st);
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	*ret = (struct listener){.addr = *addr,
	    .fd = fd,
	    .ipv6only = options->ipv6only,
	    .dev = st.st_dev,
	    .ino = st.st_ino,
	    .owner = st.st_uid,
	    .group = st.st_gid};
	return 0;
}

/* Does it listen, for streams? */
static bool
is_listening(int fd)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return false;
	len = sizeof(listens);
	return type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       listens != 0;
}

/* What bind(2) would have told of it. */
static int
look_at(int fd, struct listener *l)
{
	int one = 1, v6only = 0;
	socklen_t len = sizeof(l->addr.ss);
	struct stat st;

	if (getsockname(fd, (struct sockaddr *)&l->addr.ss, &len) == -1)
		return -errno;
	l->addr.len = len;
	if (addr_unix_path(&l->addr) != NULL) {
		l->addr.len = sizeof(struct sockaddr_un);
		if (lstat(addr_unix_path(&l->addr), &st) == -1)
			return -errno;
		l->dev = st.st_dev;
		l->ino = st.st_ino;
		l->owner = st.st_uid;
		l->group = st.st_gid;
		return 0;
	}
	if (l->addr.ss.ss_family != AF_INET && l->addr.ss.ss_family != AF_INET6)
		return -EINVAL;
	len = sizeof(v6only);
	if (l->addr.ss.ss_family == AF_INET6 &&
	    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len) == -1)
		return -errno;
	l->ipv6only = v6only != 0;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1
		   ? -errno
		   : 0;
}

int
listener_adopt(int fd, const char *name, struct listener *ret)
{
	struct listener l = {.fd = fd};
	int err;

	if (!is_listening(fd))
		return -EINVAL;
	err = look_at(fd, &l);
	if (err == 0)
		err = fd_set_nonblock(fd);
	if (err == 0)
		err = fd_set_cloexec(fd);
	if (err < 0)
		return err;
	snprintf(l.given, sizeof(l.given), "%s", name);
	*ret = l;
	return 0;
}

/* The file of a UNIX socket.  False: it is none, or the path leads to another
 * file by now. */
static bool
listener_file(const struct listener *l, struct stat *ret)
{
	const char *path = addr_unix_path(&l->addr);

	return path != NULL && lstat(path, ret) == 0 &&
	       S_ISSOCK(ret->st_mode) && ret->st_dev == l->dev &&
	       ret->st_ino == l->ino;
}

int
listener_adjust(const struct listener *l,
    const struct listener_options *options, bool *ret_changed)
{
	struct socket_rights rights = options->rights;
	struct stat st;

	*ret_changed = false;
	if (l->given[0] != '\0')
		return 0;
	/* listen(2) again changes the backlog from now on. */
	if (listen(l->fd, options->backlog) == -1)
		return -errno;
	if (rights.owner == (uid_t)-1)
		rights.owner = l->owner;
	if (rights.group == (gid_t)-1)
		rights.group = l->group;
	if (!listener_file(l, &st) || !socket_file_differs(&st, &rights))
		return 0;
	*ret_changed = true;
	return socket_file_give(addr_unix_path(&l->addr), &st, &rights);
}

void
listener_describe(const struct listener *l, struct str *out)
{
	char text[ADDR_TEXT_MAX];
	struct stat st;

	addr_format(&l->addr, text);
	str_puts(out, text);
	if (listener_file(l, &st))
		socket_file_describe(&st, out);
	if (l->given[0] != '\0')
		str_printf(out, " (handed over as %s)", l->given);
}

bool
listener_is_reachable(const struct listener *l)
{
	struct stat st;

	return addr_unix_path(&l->addr) == NULL || listener_file(l, &st);
}

void
listener_close(struct listener *l, bool remove)
{
	if (l->fd == -1)
		return;
	fd_close(&l->fd);
	if (remove && l->given[0] == '\0' && addr_unix_path(&l->addr) != NULL &&
	    listener_is_reachable(l))
		(void)unlink(addr_unix_path(&l->addr));
}

void
listener_shutdown(const struct listener *l)
{
	if (l->fd != -1 && l->given[0] == '\0')
		(void)shutdown(l->fd, SHUT_RDWR);
}
