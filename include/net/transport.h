/*
 * net/transport.h - bytes to and from a client, whatever carries them.
 *
 *	head_reader, body, linger <--recv---  transport  <--> socket
 *	response_writer            --send-->
 *
 * `plain` is the socket as it is.  One that encrypts (net/tls.h) has bytes of its
 * own between the two, and the contract below leaves room for that:
 *
 * - recv may have bytes inside while the descriptor stays silent (`holds`);
 * - recv may have to wait until the descriptor can be written, and send until
 *   it can be read (`recv_wants`, `send_wants`);
 * - send may have made bytes part of the stream that it did not count as sent
 *   yet (`committed`);
 * - nothing can be sent or received before handshake has returned 0.
 *
 * So the transport decides which events of its descriptor are watched: each
 * user has a watcher of its own and calls transport_await_recv() or
 * transport_await_send().
 *
 * No call blocks.  All return 0, a number of bytes, or a negative errno:
 * -EAGAIN when nothing can be transferred now.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/check.h"
#include "base/fd.h"
#include "loop/watch.h"

struct pipe;
struct transport;

enum {
	TRANSPORT_LATE_MAX_MS = 1000,
};

struct transport_ops {
	/*
	 * Negotiate with the client: 0 when that is done, -EAGAIN (call it
	 * again when the watcher of transport_await_recv() fires), or why it
	 * failed; -EPROTONOSUPPORT: the client says something else, of which
	 * nothing was received.  A connection calls it before its first recv;
	 * after a failure only transport_become_plain() or close may follow.
	 */
	int (*handshake)(struct transport *t);
	/* Bytes into `count` (at least 1) vectors, one after the other; as many
	 * as there are, or as it likes, but at least 1.  0: the client sends no
	 * more; a stream that breaks off where that could be taken for its end
	 * is an error. */
	ssize_t (*recv)(
	    struct transport *t, const struct iovec *iov, int count);
	/* As recv, but up to `most` bytes into `p`, without copying them; -EAGAIN
	 * also when it is found out that this cannot be done (`copies`).  NULL:
	 * this transport never can. */
	ssize_t (*splice)(
	    struct transport *t, const struct pipe *p, size_t most);
	/* About how many bytes have come that recv cannot return, since more is
	 * missing, or has not returned yet.  NULL: never any. */
	size_t (*inside)(const struct transport *t);
	/*
	 * Send the bytes of `count` (at least 1) vectors, or the first of them;
	 * returns how many the transport has taken.  After -EAGAIN the next
	 * send may have other bytes, unless the transport is `committed`: then
	 * it must begin with the same bytes, at least as many, though they may
	 * lie elsewhere; or nothing more is sent at all.
	 */
	ssize_t (*send)(
	    struct transport *t, const struct iovec *iov, int count);
	/*
	 * Send the bytes of `before` (NULL: none) and then up to `len` bytes (at
	 * least 1) of the file `fd`, from `offset` on; returns how many of both the
	 * transport has taken, or 0 when the file ends there (and is shorter than
	 * was thought).  Otherwise as send.  The file must be one whose bytes are
	 * never waited for.  NULL: the bytes have to be read and given to send.
	 */
	ssize_t (*send_file)(struct transport *t, const struct iovec *before,
	    int fd, uint64_t offset, size_t len);
	/* End the sending direction; receiving goes on.  If that cannot be sent
	 * now, recv sends it later, and `recv_wants` includes EV_WRITE until
	 * then. */
	void (*shutdown)(struct transport *t);
	/* Bytes that send has taken and the client's system does not have yet;
	 * 0 where that is unknown. */
	size_t (*unsent)(const struct transport *t);
	/* The client's system has acknowledged all that was sent, including the
	 * end; false where that is unknown. */
	bool (*is_delivered)(const struct transport *t);
	/* The client takes nothing any more: close drops what it has not taken,
	 * and tells it so by a reset.  Otherwise the kernel would keep that, and
	 * try to send it for minutes. */
	void (*give_up)(struct transport *t);
	/* Is the client there?  Found out without receiving anything.
	 * *ret_unread: at most so many bytes has recv got to return. */
	enum fd_peer (*peer)(const struct transport *t, size_t *ret_unread);
	/* Free what the implementation has, and nothing else; NULL: nothing. */
	void (*drop)(struct transport *t);
	void (*close)(struct transport *t); /* drop; closes and clears `fd` */
};

struct transport {
	const struct transport_ops *ops;
	void *inside; /* the implementation's own; NULL: it needs nothing */
	int fd;	      /* watched by the users, with watchers of their own */

	/* Set by the implementation in each call; in `plain` they never
	 * change. */
	uint8_t recv_wants; /* EV_READ, EV_WRITE: what to wait for after recv or
			       handshake said -EAGAIN, and while `holds` is
			       false */
	uint8_t send_wants; /* the same after send said -EAGAIN */
	bool holds : 1;	    /* recv has bytes whatever the descriptor says;
			       false after -EAGAIN */
	bool committed : 1; /* see send */
	bool copies : 1;    /* this system does not let it splice after all */

	/* Set by the caller: */
	bool timed : 1;	  /* it matters when bytes come */
	bool stamped : 1; /* fd_stamp() was called for the listener */
	bool cut : 1;	  /* something is missing: where that can be told,
			     shutdown and close do not look like its end */

	/* Of what was received last, by the wall clock: when it arrived, and
	 * when it was received; 0: unknown.  And for how long bytes lay unread
	 * since transport_forget_late(). */
	uint64_t stamp_ns, received_ns, late_ns;
	uint64_t came_ns; /* transport_came_ns() of that; 0: not computed, or
			     not `timed` */
};

/* Make `t` a plain transport over the connected, non-blocking socket `fd`,
 * which it owns until transport_close(). */
void transport_init_plain(struct transport *t, int fd);

/* Go on with the bare socket: after a handshake that failed, for what the client can
 * read of it, and to take what it still sends. */
void transport_become_plain(struct transport *t);

/*
 * transport_recv_socket(t, iov, count), transport_send_socket(t, iov, count):
 * For implementations: readv(2) and writev(2) on the socket, but with a negative
 * errno; bytes that were received are noted with their time.
 */
ssize_t transport_recv_socket(
    struct transport *t, const struct iovec *iov, int count);
ssize_t transport_send_socket(
    struct transport *t, const struct iovec *iov, int count);

/* For implementations: give_up() of the socket. */
void transport_give_up_socket(struct transport *t);

static inline int
transport_handshake(struct transport *t)
{
	return t->ops->handshake(t);
}

static inline ssize_t
transport_recv_pieces(struct transport *t, const struct iovec *iov, int count)
{
	return t->ops->recv(t, iov, count);
}

/* The same with one vector: up to `len` bytes (at least 1). */
static inline ssize_t
transport_recv(struct transport *t, void *buf, size_t len)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};

	return t->ops->recv(t, &iov, 1);
}

static inline bool
transport_splices(const struct transport *t)
{
	return t->ops->splice != NULL && !t->copies;
}

/* Up to `most` bytes (at least 1) into `p`; only for one that splices. */
static inline ssize_t
transport_splice(struct transport *t, const struct pipe *p, size_t most)
{
	return t->ops->splice(t, p, most);
}

static inline size_t
transport_inside(const struct transport *t)
{
	return t->ops->inside != NULL ? t->ops->inside(t) : 0;
}

static inline ssize_t
transport_send(struct transport *t, const struct iovec *iov, int count)
{
	return t->ops->send(t, iov, count);
}

static inline bool
transport_sends_files(const struct transport *t)
{
	return t->ops->send_file != NULL;
}

/* Only for one that sends files. */
static inline ssize_t
transport_send_file(struct transport *t, const struct iovec *before, int fd,
    uint64_t offset, size_t len)
{
	return t->ops->send_file(t, before, fd, offset, len);
}

/*
 * transport_await_recv(t, loop, w):
 * Have `w`, a watcher of the transport's descriptor, fire when recv (or
 * handshake) should be called again: in this iteration of the loop if there are
 * bytes inside.  Call it after each recv after which the caller waits for more.
 * It may fire although there is nothing.  ev_io_stop() ends it.
 */
static inline void
transport_await_recv(const struct transport *t, struct ev_loop *loop, ev_io *w)
{
	watch_for(loop, w, t->recv_wants);
	if (t->holds)
		ev_feed_event(loop, w, t->recv_wants);
}

/* transport_await_send(t, loop, w): the same for send. */
static inline void
transport_await_send(const struct transport *t, struct ev_loop *loop, ev_io *w)
{
	watch_for(loop, w, t->send_wants);
}

/* True when the bytes of the last send, which returned -EAGAIN, are part of the
 * stream already. */
static inline bool
transport_is_committed(const struct transport *t)
{
	return t->committed;
}

static inline void
transport_shutdown(struct transport *t)
{
	t->ops->shutdown(t);
}

static inline size_t
transport_unsent(const struct transport *t)
{
	return t->ops->unsent(t);
}

/*
 * transport_is_delivered(t):
 * After transport_shutdown(): the client's system has acknowledged all that was
 * sent, including the end.  Whether the client has read it is unknown.  Always
 * false on anything but TCP.
 */
static inline bool
transport_is_delivered(const struct transport *t)
{
	return t->ops->is_delivered(t);
}

static inline enum fd_peer
transport_peer(const struct transport *t, size_t *ret_unread)
{
	return t->ops->peer(t, ret_unread);
}

/*
 * When the last byte of the last recv arrived at this host, by clock_mono_ns(),
 * however late it was received.  Without timestamps (not stamped, or a UNIX
 * socket): when it was received; or now, if the transport is not `timed`.
 */
uint64_t transport_came_ns(struct transport *t);

/*
 * transport_would_come_ns(t):
 * The same, less the time for which bytes lay unread since
 * transport_forget_late(), at most TRANSPORT_LATE_MAX_MS.  A client stops
 * sending while its bytes lie unread, so this is when the last one would have
 * arrived if the worker had always received at once.
 */
uint64_t transport_would_come_ns(struct transport *t);

static inline void
transport_forget_late(struct transport *t)
{
	t->late_ns = 0;
}

/* True when recv would probably not return -EAGAIN: there are bytes, the end,
 * or an error.  Calls poll(2), unless there are bytes inside.  False when recv
 * waits until the client takes something. */
bool transport_has_bytes(const struct transport *t);

static inline void
transport_give_up(struct transport *t)
{
	t->ops->give_up(t);
}

static inline void
transport_close(struct transport *t)
{
	t->ops->close(t);
}

#endif
