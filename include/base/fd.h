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
 * Open /dev/null on those of the descriptors 0 to 2 that are closed.  Otherwise the
 * first files that the process opens would get these numbers, and its messages would
 * be written into them.
 */
void fd_open_standard(void);

/* Put /dev/null in place of 0 to 2: 0 or a negative errno. */
NODISCARD int fd_null_standard(void);

/*
 * fd_close_others(first, keep, count):
 * Close all descriptors from `first` on, except the `count` descriptors in `keep`,
 * which may stand in any order; -1 there is ignored.  PORTABLE: only those below
 * 65,536.
 */
void fd_close_others(int first, const int *keep, size_t count);

/*
 * fd_move_onto(fd, onto):
 * dup2(2) with close-on-exec: from here on the number `onto` means the file of `fd`,
 * for all threads at once.  `fd` stays open and the caller's.  0 or a negative errno.
 */
NODISCARD int fd_move_onto(int fd, int onto);

/*
 * fd_write_some(fd, buf, len, ret_done):
 * Write all `len` bytes, waiting as long as it takes, also where the descriptor does not
 * block; *ret_done is how many were written.  0 or a negative errno.
 */
NODISCARD int fd_write_some(
    int fd, const void *buf, size_t len, size_t *ret_done);

/* True when `path` leads to the file that is open as `fd`. */
bool fd_is_named(int fd, const char *path);

/* 0 or a negative errno. */
NODISCARD int fd_set_nonblock(int fd);
NODISCARD int fd_set_cloexec(int fd);
NODISCARD int fd_keep_on_exec(int fd);
NODISCARD int fd_keep_on_exec(int fd);

/*
 * fd_accept(listener, ret_addr, ret_len):
 * Accept one connection: a non-blocking socket, or a negative errno (-EAGAIN:
 * none is queued).  *ret_len holds the room in *ret_addr and is set to what was
 * used.
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

/* The same, with a descriptor by which a program that is executed can map it, too, or -1; it is
 * closed on exec until then. */
void *fd_map_named(size_t size, int *ret_fd);

/* Map all of what such a descriptor leads to, to write there or only to read.  NULL, with errno:
 * EINVAL: it is no such memory. */
void *fd_map_again(int fd, bool writable, size_t *ret_size);

/*
 * fd_raise_limit(want, ret_have):
 * Raise the soft limit on descriptors to `want`, or as far as the hard limit
 * lets; *ret_have is the limit afterwards.  0 or a negative errno.
 */
NODISCARD int fd_raise_limit(size_t want, size_t *ret_have);

/* What that limit can be raised to; SIZE_MAX: anything. */
size_t fd_limit_max(void);

/* `len` random bytes from the system; fewer is fatal (die).  A PORTABLE build
 * that has no descriptor left falls back to bytes that differ from call to call
 * and are hard to guess, but are not random. */
void fd_random(void *buf, size_t len);

/* Bytes that the other end of a socket has not taken yet; 0: unknown. */
size_t fd_unsent(int fd);

/* The peer's system has acknowledged all that was sent over a TCP connection,
 * including the FIN if one was sent.  False: not yet, or unknown. */
bool fd_is_acknowledged(int fd);

/*
 * fd_stamp(fd, on):
 * Have the kernel note the arrival time of packets on the connections that this
 * listening socket accepts from now on.  False: the kernel cannot.  When no socket had
 * that so far, it begins some milliseconds later.
 */
bool fd_stamp(int fd, bool on);

/* readv(2) on such a connection; *ret_wall_ns is when the last of these bytes
 * arrived, by clock_wall_ns(), or 0 when unknown. */
ssize_t fd_recv_stamped(
    int fd, const struct iovec *iov, int count, uint64_t *ret_wall_ns);

/*
 * fd_send_file(to, before, from, offset, len):
 * Send the bytes of `before` (NULL: none), and then up to `len` bytes (at least 1) of
 * the file `from`, from `offset` on, to the non-blocking socket `to`: how many it has
 * taken of both; 0: the file ends there; or a negative errno, as of sending.  A part of
 * the file that is not in memory is waited for.  -ENOSYS, with nothing of the
 * file sent: this system has no such call, does not allow it, or not for such a file.
 */
ssize_t fd_send_file(
    int to, const struct iovec *before, int from, uint64_t offset, size_t len);

/*
 * fd_peek_stamped(fd, most, ret_wall_ns):
 * How many bytes such a connection has, up to `most` (at least 1), without receiving
 * them; and when the last of these arrived, as above.  Otherwise returns as
 * recv(2) does.
 */
ssize_t fd_peek_stamped(int fd, size_t most, uint64_t *ret_wall_ns);

/* pwritev(2), or as many of the pieces as one call can take here. */
ssize_t fd_write_pieces(
    int fd, const struct iovec *iov, int count, off_t offset);

/*
 * fd_write_now(fd, buf, len):
 * Write as much as is possible without blocking, for log lines that are better
 * lost than waited for.  On Linux this holds even when the descriptor is
 * blocking and another process fills the pipe at the same moment.
 */
void fd_write_now(int fd, const void *buf, size_t len);

/* Part of fd_write_now(): write(2) that does not block where the system
 * supports that. */
ssize_t fd_write_without_wait(int fd, const void *buf, size_t len);

/* Write all of it, blocking as long as it takes, also when the descriptor is
 * non-blocking (another process that shares it may have set that).  0 or a
 * negative errno. */
NODISCARD int fd_write_all(int fd, const void *buf, size_t len);

/* True for a UNIX socket. */
bool fd_is_unix(int fd);

/* Whether the other end of a connected socket is there. */
enum fd_peer {
	FD_PEER_THERE,
	FD_PEER_SHUT, /* it sends no more, but may read */
	FD_PEER_GONE, /* the connection broke, or is closed on both sides */
};

/*
 * fd_peer(fd, ret_unread):
 * Find out without reading anything.  *ret_unread: bytes that have arrived and were
 * not read yet.  PORTABLE: *ret_unread is 1 at most, and the end of the stream is not
 * seen while bytes stand before it.
 */
enum fd_peer fd_peer(int fd, size_t *ret_unread);

#endif
