#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	/* MFD_NOEXEC_SEAL, which Debian 12 does not know yet; without it Linux 6.3
	 * and later warn. */
	MEMORY_IS_NO_PROGRAM = 0x8,
};

int
fd_accept(int listener, void *ret_addr, socklen_t *ret_len)
{
	int fd =
	    accept4(listener, ret_addr, ret_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int
fd_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd == -1 ? -errno : fd;
}

int
fd_wake_open(struct fd_wake *w)
{
	w->rd = w->wr = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->rd == -1 ? -errno : 0;
}

void
fd_wake_raise(const struct fd_wake *w)
{
	uint64_t one = 1;

	/* A full counter means that it is raised already. */
	while (write(w->wr, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

void
fd_wake_lower(const struct fd_wake *w)
{
	uint64_t count;

	while (read(w->rd, &count, sizeof(count)) == -1 && errno == EINTR)
		;
}

void *
fd_map_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* No process that has it may cut it off under the others. */
static int
make_memory(size_t size)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("penstock", flags | MEMORY_IS_NO_PROGRAM);

	if (fd == -1 && errno == EINVAL)
		fd = memfd_create("penstock", flags); /* before Linux 6.3 */
	if (fd == -1)
		return -1;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		0)
		return fd;
	close(fd);
	return -1;
}

void *
fd_map_named(size_t size, int *ret_fd)
{
	int fd = make_memory(size);
	void *p = MAP_FAILED;

	*ret_fd = -1;
	if (fd != -1)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		*ret_fd = fd;
		return p;
	}
	if (fd != -1)
		close(fd);
	return fd_map_shared(size); /* limits on files do not hold there */
}

void *
fd_map_again(int fd, bool writable, size_t *ret_size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 ||
	    fstat(fd, &st) == -1 || st.st_size <= 0) {
		errno = EINVAL;
		return NULL;
	}
	*ret_size = (size_t)st.st_size;
	p = mmap(NULL, *ret_size, PROT_READ | (writable ? PROT_WRITE : 0),
	    MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
fd_random(void *buf, size_t len)
{
	check(len <= 256); /* what getrandom(2) gives in one piece */
	while (getrandom(buf, len, 0) != (ssize_t)len)
		check(errno == EINTR);
}

/* Before Linux 5.9, which has no close_range(2): close the descriptors listed
 * in /proc/self/fd. */
static void
close_listed(int first, const int *keep, size_t count)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);
		bool kept = fd < first || fd == dirfd(dir);

		for (size_t i = 0; i < count; i++)
			kept |= fd == keep[i];
		if (!kept)
			(void)close(fd);
	}
	closedir(dir);
}

void
fd_close_others(int first, const int *keep, size_t count)
{
	for (;;) {
		int next = INT_MAX; /* the lowest that is kept */

		for (size_t i = 0; i < count; i++)
			if (keep[i] >= first && keep[i] < next)
				next = keep[i];
		if (next > first && syscall(SYS_close_range, (unsigned)first,
					(unsigned)next - 1, 0) == -1) {
			close_listed(first, keep, count);
			return;
		}
		if (next == INT_MAX)
			return;
		first = next + 1;
	}
}

/* By the kind of file. */
ssize_t
fd_write_without_wait(int fd, const void *buf, size_t len)
{
	struct iovec iov = {.iov_len = len};
	struct stat st;
	ssize_t n;

	n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n != -1 || errno != ENOTSOCK)
		return n;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		memcpy(&iov.iov_base, &buf, sizeof(buf)); /* it only reads */
		n = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);
		if (n != -1 || (errno != EOPNOTSUPP && errno != ENOSYS))
			return n;
	}
	return write(fd, buf, len);
}

size_t
fd_unsent(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes
							     : 0;
}

bool
fd_is_acknowledged(int fd)
{
	int protocol = 0, bytes = 0;
	socklen_t len = sizeof(protocol);

	/* On a UNIX socket the number means something else. */
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_TCP && ioctl(fd, SIOCOUTQ, &bytes) == 0 &&
	       bytes == 0;
}

bool
fd_stamp(int fd, bool on)
{
	int value = on;

	return setsockopt(
		   fd, SOL_SOCKET, SO_TIMESTAMPNS, &value, sizeof(value)) == 0;
}

/* The timestamp in the control messages; 0: none. */
static uint64_t
stamp_of(struct msghdr *msg)
{
	const struct cmsghdr *c;
	struct timespec ts;

	for (c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, (struct cmsghdr *)(uintptr_t)c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	}
	return 0;
}

/* recvmsg(2) with the timestamp. */
static ssize_t
recv_stamped(
    int fd, struct iovec *iov, int count, int flags, uint64_t *ret_wall_ns)
{
	_Alignas(
	    struct cmsghdr) char beside[CMSG_SPACE(sizeof(struct timespec))];
	struct msghdr msg = {.msg_iov = iov,
	    .msg_iovlen = (size_t)count,
	    .msg_control = beside,
	    .msg_controllen = sizeof(beside)};
	ssize_t n = recvmsg(fd, &msg, flags);

	if (n > 0)
		*ret_wall_ns = stamp_of(&msg);
	return n;
}

ssize_t
fd_recv_stamped(
    int fd, const struct iovec *iov, int count, uint64_t *ret_wall_ns)
{
	struct iovec *vector;

	/* recvmsg(2) only reads the vector; its type lacks const. */
	memcpy(&vector, &iov, sizeof(iov));
	return recv_stamped(fd, vector, count, 0, ret_wall_ns);
}

/* With MSG_TRUNC a TCP socket copies nothing (tcp(7)), so there is no buffer; where it
 * did, the call would fail with EFAULT. */
ssize_t
fd_peek_stamped(int fd, size_t most, uint64_t *ret_wall_ns)
{
	struct iovec nowhere = {.iov_base = NULL, .iov_len = most};

	return recv_stamped(fd, &nowhere, 1, MSG_PEEK | MSG_TRUNC, ret_wall_ns);
}

/* MSG_MORE: no packet is to end with them. */
static ssize_t
send_before(int to, const struct iovec *before)
{
	ssize_t n;

	do
		n = send(to, before->iov_base, before->iov_len,
		    MSG_NOSIGNAL | MSG_MORE);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

/* The pages of the file are sent themselves, not a copy of them. */
static ssize_t
send_pages(int to, int from, uint64_t offset, size_t len)
{
	off_t at = (off_t)offset;
	ssize_t n;

	do
		n = sendfile(to, from, &at, len);
	while (n == -1 && errno == EINTR);
	/* Not for such a file; or a sandbox does not allow it. */
	if (n == -1 &&
	    (errno == EINVAL || errno == EPERM || errno == EOPNOTSUPP))
		return -ENOSYS;
	return n == -1 ? -errno : n;
}

ssize_t
fd_send_file(
    int to, const struct iovec *before, int from, uint64_t offset, size_t len)
{
	ssize_t head = before == NULL ? 0 : send_before(to, before), n;

	if (head < 0 || (before != NULL && (size_t)head < before->iov_len))
		return head;
	n = send_pages(to, from, offset, len);
	if (head == 0)
		return n;
	return n < 0 ? head : head + n; /* the next call says why */
}

ssize_t
fd_write_pieces(int fd, const struct iovec *iov, int count, off_t offset)
{
	return pwritev(fd, iov, count, offset);
}

int
fd_move_onto(int fd, int onto)
{
	return dup3(fd, onto, O_CLOEXEC) == -1 ? -errno : 0;
}

enum fd_peer
fd_peer(int fd, size_t *ret_unread)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	int unread = 0;

	(void)poll(&p, 1, 0);
	if (ioctl(fd, FIONREAD, &unread) == -1 || unread < 0)
		unread = 0;
	*ret_unread = (size_t)unread;
	if (p.revents & (POLLHUP | POLLERR))
		return FD_PEER_GONE;
	return p.revents & POLLRDHUP ? FD_PEER_SHUT : FD_PEER_THERE;
}
