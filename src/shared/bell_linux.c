#include "shared/bell.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void
bell_init(struct bell *b)
{
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* Nobody ever reads the eventfd, since that would silence it for the others: each
 * write is an edge for each epoll instance. */
int
bell_listen(const struct bell *b)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	int fd;

	if (b->fd == -1)
		return -1;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd != -1 && epoll_ctl(fd, EPOLL_CTL_ADD, b->fd, &ev) == -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

void
bell_heard(int fd)
{
	struct epoll_event ev;

	(void)epoll_wait(fd, &ev, 1, 0);
}

/* It is full after 2^64 times. */
void
bell_ring(const struct bell *b)
{
	static const uint64_t one = 1;

	if (b->fd != -1 && write(b->fd, &one, sizeof(one)) == -1)
		return;
}
