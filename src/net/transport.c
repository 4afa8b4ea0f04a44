#include "net/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pipe.h"

enum {
	COPY_SIZE = 64 * 1024,
};

/* Bytes were received; add the time for which they lay unread. */
static void
note_late(struct transport *t)
{
	uint64_t from = t->stamp_ns, now = clock_wall_ns();

	if (from < t->received_ns)
		from = t->received_ns; /* the time before that is counted */
	if (now > from)
		t->late_ns += now - from;
	t->received_ns = now;
	t->came_ns = 0; /* it belongs to the previous stamp */
}

static int
plain_handshake(struct transport *t)
{
	(void)t;
	return 0;
}

/* One buffer costs less without a vector. */
static ssize_t
recv_unstamped(int fd, const struct iovec *iov, int count)
{
	return count == 1 ? recv(fd, iov->iov_base, iov->iov_len, 0)
			  : readv(fd, iov, count);
}

/* What is to be returned after a call that returned `n`, with its errno. */
static ssize_t
took(struct transport *t, ssize_t n)
{
	if (n > 0 && t->stamp_ns != 0)
		note_late(t);
	else if (n > 0 && t->timed)
		t->came_ns = clock_mono_ns();
	return n == -1 ? -errno : n;
}

ssize_t
transport_recv_socket(struct transport *t, const struct iovec *iov, int count)
{
	ssize_t n;

	do
		n = t->stamped
			? fd_recv_stamped(t->fd, iov, count, &t->stamp_ns)
			: recv_unstamped(t->fd, iov, count);
	while (n == -1 && errno == EINTR);
	return took(t, n);
}

/* What a pipe gets has no timestamps: those that came so far are asked for before. */
static ssize_t
splice_some(struct transport *t, const struct pipe *p, size_t most)
{
	ssize_t n;

	if (!t->stamped)
		return pipe_fill(p, t->fd, most);
	n = fd_peek_stamped(t->fd, most, &t->stamp_ns);
	return n > 0 ? pipe_fill(p, t->fd, (size_t)n) : n;
}

/* A sandbox may not know the calls, or not allow them: bytes can be received. */
static bool
is_refusal(int err)
{
	return err == EINVAL || err == ENOSYS || err == EPERM ||
	       err == EOPNOTSUPP || err == EFAULT;
}

static ssize_t
plain_splice(struct transport *t, const struct pipe *p, size_t most)
{
	ssize_t n;

	do
		n = splice_some(t, p, most);
	while (n == -1 && errno == EINTR);
	if (n == -1 && is_refusal(errno)) {
		t->copies = true;
		return -EAGAIN;
	}
	return took(t, n);
}

ssize_t
transport_send_socket(struct transport *t, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iovlen = (size_t)count};
	ssize_t n;

	/* sendmsg(2) only reads the vector; its type lacks const. */
	memcpy(&msg.msg_iov, &iov, sizeof(iov));
	do
		n = sendmsg(t->fd, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

/* What the system cannot send by itself is read and sent in such pieces. */
static ssize_t
copy_file(struct transport *t, const struct iovec *before, int fd,
    uint64_t offset, size_t len)
{
	static unsigned char piece[COPY_SIZE]; /* there is one thread */
	struct iovec iov[2];
	int count = 0;
	ssize_t n;

	do
		n = pread(fd, piece, len < COPY_SIZE ? len : COPY_SIZE,
		    (off_t)offset);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n == -1 ? -errno : 0;
	if (before != NULL)
		iov[count++] = *before;
	iov[count++] = (struct iovec){.iov_base = piece, .iov_len = (size_t)n};
	return transport_send_socket(t, iov, count);
}

static ssize_t
plain_send_file(struct transport *t, const struct iovec *before, int fd,
    uint64_t offset, size_t len)
{
	ssize_t n = fd_send_file(t->fd, before, fd, offset, len);

	return n == -ENOSYS ? copy_file(t, before, fd, offset, len) : n;
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

static bool
plain_is_delivered(const struct transport *t)
{
	return fd_is_acknowledged(t->fd);
}

/* On a UNIX socket this does nothing; nothing is kept there either. */
void
transport_give_up_socket(struct transport *t)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(
	    t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static enum fd_peer
plain_peer(const struct transport *t, size_t *ret_unread)
{
	return fd_peer(t->fd, ret_unread);
}

static void
plain_close(struct transport *t)
{
	fd_close(&t->fd);
}

static const struct transport_ops plain_ops = {
    .handshake = plain_handshake,
    .recv = transport_recv_socket,
    .splice = plain_splice,
    .send = transport_send_socket,
    .send_file = plain_send_file,
    .shutdown = plain_shutdown,
    .unsent = plain_unsent,
    .is_delivered = plain_is_delivered,
    .give_up = transport_give_up_socket,
    .peer = plain_peer,
    .close = plain_close,
};

void
transport_init_plain(struct transport *t, int fd)
{
	*t = (struct transport){
	    .ops = &plain_ops,
	    .fd = fd,
	    .recv_wants = EV_READ,
	    .send_wants = EV_WRITE,
	};
}

void
transport_become_plain(struct transport *t)
{
	if (t->ops->drop != NULL)
		t->ops->drop(t);
	t->ops = &plain_ops;
	t->recv_wants = EV_READ;
	t->send_wants = EV_WRITE;
	t->holds = t->committed = false;
}

uint64_t
transport_came_ns(struct transport *t)
{
	if (t->stamp_ns != 0 && t->came_ns == 0)
		t->came_ns = clock_mono_of_wall(t->stamp_ns);
	return t->came_ns != 0 ? t->came_ns : clock_mono_ns();
}

uint64_t
transport_would_come_ns(struct transport *t)
{
	uint64_t late = t->late_ns, came = transport_came_ns(t);

	if (late > TRANSPORT_LATE_MAX_MS * NS_PER_MS)
		late = TRANSPORT_LATE_MAX_MS * NS_PER_MS;
	return came > late ? came - late : 0;
}

bool
transport_has_bytes(const struct transport *t)
{
	struct pollfd p = {.fd = t->fd};

	if (t->holds)
		return true;
	if ((t->recv_wants & EV_READ) != 0)
		p.events |= POLLIN;
	if ((t->recv_wants & EV_WRITE) != 0)
		p.events |= POLLOUT;
	return poll(&p, 1, 0) > 0;
}
