#include "base/fd_pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
fd_pass_pair(int ret[2])
{
	int err = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ret) == -1)
		return -errno;
	for (int i = 0; i < 2 && err == 0; i++) {
		err = fd_set_cloexec(ret[i]);
		if (err == 0)
			err = fd_set_nonblock(ret[i]);
	}
	if (err < 0) {
		fd_close(&ret[0]);
		fd_close(&ret[1]);
	}
	return err;
}

int
fd_pass_send(int sock, const void *buf, size_t len, int fd)
{
	struct iovec iov = {.iov_len = len};
	union control c = {.room = {0}};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;
	ssize_t n;

	check(len > 0);
	memcpy(&iov.iov_base, &buf, sizeof(buf)); /* it is only read */
	if (fd != -1) {
		m.msg_control = c.room;
		m.msg_controllen = sizeof(c.room);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

ssize_t
fd_pass_receive(int sock, void *buf, size_t size, int *ret_fd)
{
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	union control c = {.room = {0}};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = c.room,
	    .msg_controllen = sizeof(c.room)};
	struct cmsghdr *h;
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(sock, &m, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(*ret_fd))) {
		memcpy(ret_fd, CMSG_DATA(h), sizeof(*ret_fd));
		if (fd_set_cloexec(*ret_fd) < 0)
			fd_close(ret_fd);
	}
	return n;
}
