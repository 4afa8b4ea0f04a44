/* The same as fd_linux.c, with POSIX.1-2008 alone. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

enum {
	FDS_MAX = 65536, /* how far to look when there is no limit */
};

/* Make a fresh descriptor non-blocking and close-on-exec, or close it. */
static int
prepare(int fd)
{
	int err;

	err = fd_set_nonblock(fd);
	if (err == 0)
		err = fd_set_cloexec(fd);
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	return fd;
}

int
fd_accept(int listener, void *ret_addr, socklen_t *ret_len)
{
	int fd = accept(listener, ret_addr, ret_len);

	return fd == -1 ? -errno : prepare(fd);
}

int
fd_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return fd == -1 ? -errno : prepare(fd);
}

void
fd_close_others(int first, const int *keep, size_t count)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (max < 0 || max > FDS_MAX)
		max = FDS_MAX;
	for (int fd = first; fd < max; fd++) {
		bool kept = false;

		for (size_t i = 0; i < count; i++)
			kept |= fd == keep[i];
		if (!kept)
			(void)close(fd);
	}
}

ssize_t
fd_write_without_wait(int fd, const void *buf, size_t len)
{
	return write(fd, buf, len);
}

int
fd_wake_open(struct fd_wake *w)
{
	int ends[2], err;

	w->rd = w->wr = -1;
	if (pipe(ends) == -1)
		return -errno;
	w->rd = ends[0];
	w->wr = ends[1];
	for (int i = 0; i < 2; i++) {
		err = fd_set_nonblock(ends[i]);
		if (err == 0)
			err = fd_set_cloexec(ends[i]);
		if (err < 0) {
			fd_wake_close(w);
			return err;
		}
	}
	return 0;
}

void
fd_wake_raise(const struct fd_wake *w)
{
	/* A full pipe means that it is raised already. */
	while (write(w->wr, "", 1) == -1 && errno == EINTR)
		;
}

void
fd_wake_lower(const struct fd_wake *w)
{
	char sink[64];
	ssize_t n;

	do
		n = read(w->rd, sink, sizeof(sink));
	while (n > 0 || (n == -1 && errno == EINTR));
}

/* POSIX has no anonymous mapping: map an unlinked file. */
void *
fd_map_shared(size_t size)
{
	char path[] = "/tmp/penstock-shm-XXXXXX";
	void *p = MAP_FAILED;
	int fd, err = 0;

	fd = mkstemp(path);
	if (fd == -1)
		return NULL;
	(void)unlink(path);
	if (ftruncate(fd, (off_t)size) == 0)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err = errno; /* such as EFBIG: ulimit -f applies to it too */
	fd_close(&fd);
	errno = err;
	return p == MAP_FAILED ? NULL : p;
}

void *
fd_map_named(size_t size, int *ret_fd)
{
	*ret_fd = -1;
	return fd_map_shared(size);
}

void *
fd_map_again(int fd, bool writable, size_t *ret_size)
{
	(void)fd;
	(void)writable;
	*ret_size = 0;
	errno = EINVAL;
	return NULL;
}

/* No descriptor is left: bytes that differ are enough to go on. */
static void
make_distinct(unsigned char *buf, size_t len)
{
	static _Atomic uint64_t count;
	uint64_t seed = clock_mono_ns() ^ (uint64_t)getpid() << 40;

	while (len > 0) {
		uint64_t word = hash_mix(seed + hash_mix(count++));
		size_t n = len < sizeof(word) ? len : sizeof(word);

		memcpy(buf, &word, n);
		buf += n;
		len -= n;
	}
}

/* The file is opened each time: a descriptor that is kept would be closed by
 * code that closes all others, as the preflight does, and its number then be
 * reused. */
void
fd_random(void *buf, size_t len)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1 && (errno == EMFILE || errno == ENFILE)) {
		make_distinct(buf, len);
		return;
	}
	if (fd == -1)
		die("/dev/urandom cannot be opened");
	do
		n = read(fd, buf, len);
	while (n == -1 && errno == EINTR);
	check(n == (ssize_t)len);
	fd_close(&fd);
}

size_t
fd_unsent(int fd)
{
	(void)fd;
	return 0;
}

bool
fd_is_acknowledged(int fd)
{
	(void)fd;
	return false;
}

bool
fd_stamp(int fd, bool on)
{
	(void)fd;
	return !on;
}

ssize_t
fd_recv_stamped(
    int fd, const struct iovec *iov, int count, uint64_t *ret_wall_ns)
{
	*ret_wall_ns = 0; /* POSIX does not tell */
	return readv(fd, iov, count);
}

ssize_t
fd_send_file(
    int to, const struct iovec *before, int from, uint64_t offset, size_t len)
{
	(void)to;
	(void)before;
	(void)from;
	(void)offset;
	(void)len;
	return -ENOSYS;
}

/* Only for what is moved through a pipe (base/pipe.h), which POSIX cannot. */
ssize_t
fd_peek_stamped(int fd, size_t most, uint64_t *ret_wall_ns)
{
	(void)fd;
	(void)most;
	*ret_wall_ns = 0;
	errno = ENOSYS;
	return -1;
}

/* One after the other: POSIX has no pwritev(). */
ssize_t
fd_write_pieces(int fd, const struct iovec *iov, int count, off_t offset)
{
	check(count > 0);
	return pwrite(fd, iov->iov_base, iov->iov_len, offset);
}

int
fd_move_onto(int fd, int onto)
{
	return dup2(fd, onto) == -1 ? -errno : fd_set_cloexec(onto);
}

enum fd_peer
fd_peer(int fd, size_t *ret_unread)
{
	struct pollfd p = {.fd = fd};
	char byte;
	ssize_t n;

	(void)poll(&p, 1, 0);
	n = recv(fd, &byte, 1, MSG_PEEK);
	*ret_unread = n > 0 ? (size_t)n : 0;
	if (p.revents & (POLLHUP | POLLERR))
		return FD_PEER_GONE;
	return n == 0 ? FD_PEER_SHUT : FD_PEER_THERE;
}
