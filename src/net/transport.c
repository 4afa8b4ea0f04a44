#include "net/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

static ssize_t
plain_recv(struct transport *t, void *buf, size_t len)
{
	ssize_t n;

	do
		n = recv(t->fd, buf, len, 0);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

static ssize_t
plain_send(struct transport *t, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iovlen = (size_t)count};
	ssize_t n;

	/* sendmsg(2) reads the vector only; its type just does not say so. */
	memcpy(&msg.msg_iov, &iov, sizeof(iov));
	do
		n = sendmsg(t->fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

static void
plain_shutdown(struct transport *t)
{
	(void)shutdown(t->fd, SHUT_WR);
}

static size_t
plain_unsent(const struct transport *t)
{
	return fd_unsent(t->fd);
}

static void
plain_close(struct transport *t)
{
	fd_close(&t->fd);
}

static const struct transport_ops plain_ops = {
    .recv = plain_recv,
    .send = plain_send,
    .shutdown = plain_shutdown,
    .unsent = plain_unsent,
    .close = plain_close,
};

void
transport_init_plain(struct transport *t, int fd)
{
	t->ops = &plain_ops;
	t->fd = fd;
}

bool
transport_has_bytes(const struct transport *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}
