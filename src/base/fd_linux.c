#include "base/fd.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

int
fd_accept(int listener, struct sockaddr_storage *ret_addr, socklen_t *ret_len)
{
	int fd = accept4(listener, (struct sockaddr *)ret_addr, ret_len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

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

	/* Full means raised already. */
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

void
fd_random(void *buf, size_t len)
{
	check(len <= 256); /* what getrandom(2) gives in one piece */
	while (getrandom(buf, len, 0) != (ssize_t)len)
		check(errno == EINTR);
}

size_t
fd_unsent(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes
							     : 0;
}

ssize_t
fd_write_pieces(int fd, const struct iovec *iov, int count, off_t offset)
{
	return pwritev(fd, iov, count, offset);
}
