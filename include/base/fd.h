/*
 * base/fd.h - descriptors: what differs between systems, in one place.
 *
 * fd_linux.c or fd_posix.c holds what the systems do differently, fd.c the
 * rest.  Every descriptor made here is close-on-exec.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/check.h"

/* Close *fd unless it is -1, and set it to -1. */
void fd_close(int *fd);

/*
 * fd_open_standard():
 * Open those of the descriptors 0 to 2 that are closed, on /dev/null.  A
 * process that was started without them would get their numbers for its own
 * files, and write its messages there.
 */
void fd_open_standard(void);

/* Put /dev/null in place of 0 to 2: 0 or a negative errno. */
NODISCARD int fd_null_standard(void);

/*
 * fd_close_others(first, keep, count):
 * Close all descriptors from `first` on but the `count` that `keep` lists, in
 * any order; -1 in it is none.  PORTABLE: of those below 65,536.
 */
void fd_close_others(int first, const int *keep, size_t count);

/*
 * fd_move_onto(fd, onto):
 * The number `onto` means what `fd` does from here on, at once for all threads;
 * close-on-exec.  `fd` stays the caller's.  0 or a negative errno.
 */
NODISCARD int fd_move_onto(int fd, int onto);

/* The file that is open is the one that `path` leads to. */
bool fd_is_named(int fd, const char *path);

/* 0 or a negative errno. */
NODISCARD int fd_set_nonblock(int fd);
NODISCARD int fd_set_cloexec(int fd);

/*
 * fd_accept(listener, ret_addr, ret_len):
 * One accepted socket, non-blocking, or a negative errno (-EAGAIN: nobody
 * waits).  *ret_len holds the room in *ret_addr and is set to what was used.
 */
NODISCARD int fd_accept(int listener, void *ret_addr, socklen_t *ret_len);

/* A new non-blocking stream socket, or a negative errno. */
NODISCARD int fd_socket(int family);

/*
 * A wake-up: any thread or a signal handler raises it, one loop watches
 * `rd` for reading and lowers it.  An eventfd, or a pipe.
 */
struct fd_wake {
	int rd, wr; /* one and the same for an eventfd; both -1: not open */
};
NODISCARD int fd_wake_open(struct fd_wake *w);
void fd_wake_raise(const struct fd_wake *w); /* async-signal-safe */
void fd_wake_lower(const struct fd_wake *w);
void fd_wake_close(struct fd_wake *w);

/* Anonymous memory that children share after fork, zeroed; NULL: none, and
 * errno says why. */
void *fd_map_shared(size_t size);

/*
 * fd_raise_limit(want, ret_have):
 * Raise the soft limit on descriptors to `want`, or as far as the hard limit
 * lets; *ret_have is what holds afterwards.  0 or a negative errno.
 */
NODISCARD int fd_raise_limit(size_t want, size_t *ret_have);

/* What that limit can be raised to; SIZE_MAX: anything. */
size_t fd_limit_max(void);

/* `len` random bytes from the system; fewer is fatal (die).  PORTABLE, when no
 * descriptor is left: bytes that are not to be guessed easily, and differ. */
void fd_random(void *buf, size_t len);

/* Bytes that the other end of a socket has not taken yet; 0: unknown. */
size_t fd_unsent(int fd);

/* The other end's system has acknowledged all that was sent over a TCP
 * connection (with the end of it, when that was sent); false: not yet, or nobody
 * knows. */
bool fd_is_acknowledged(int fd);

/*
 * fd_stamp(fd, on):
 * Have the kernel note when bytes come to a listening socket's connections, to
 * those accepted from now on; false: it cannot.
 */
bool fd_stamp(int fd, bool on);

/* recv(2) without flags from a connection of such a one: and when the last of
 * these bytes came, by clock_wall_ns(); 0: unknown. */
ssize_t fd_recv_stamped(int fd, void *buf, size_t len, uint64_t *ret_wall_ns);

/* pwritev(2), or as many of the pieces as one call can take here. */
ssize_t fd_write_pieces(
    int fd, const struct iovec *iov, int count, off_t offset);

/*
 * fd_write_now(fd, buf, len):
 * Write what can be written without waiting, for a log line that is better lost
 * than waited for.  Where the system can, also when the descriptor blocks and
 * somebody else fills the pipe at the same moment.
 */
void fd_write_now(int fd, const void *buf, size_t len);

/* For that: write(2), which does not wait where the system can see to that. */
ssize_t fd_write_without_wait(int fd, const void *buf, size_t len);

/* Write it all, waiting as long as it takes, also where the descriptor does
 * not block (whoever shares it may have set that): 0 or a negative errno. */
NODISCARD int fd_write_all(int fd, const void *buf, size_t len);

#endif
