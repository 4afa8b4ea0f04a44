/*
 * net/transport.h - bytes to and from a client, whatever carries them.
 *
 *	head_reader, body, linger <--recv---  transport  <--> socket
 *	response_writer            --send-->
 *
 * `plain` is the socket as it is.  A transport that encrypts has bytes of its
 * own between the two, and the contract below leaves room for that:
 *
 * - recv may have bytes inside while the descriptor stays silent (`holds`);
 * - recv may have to wait until the descriptor can be written, and send until
 *   it can be read (`recv_wants`, `send_wants`);
 * - send may have made bytes part of the stream that it did not count as sent
 *   yet (`committed`);
 * - nothing can be sent or received before handshake has returned 0.
 *
 * So nobody but the transport decides what its descriptor is watched for: the
 * users have a watcher each and call transport_await_recv() or
 * transport_await_send().
 *
 * No call blocks.  All return 0, a count of bytes, or a negative errno: -EAGAIN
 * when nothing can be moved now.
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
#include "loop/watch.h"

struct transport;

enum {
	TRANSPORT_LATE_MAX_MS = 1000,
};

struct transport_ops {
	/*
	 * Agree with the client on how to go on: 0 when that is done, -EAGAIN
	 * (then again when transport_await_recv()'s watcher fires), or why it
	 * failed.  A connection calls it before its first recv, within
	 * header_timeout; one that is cut meanwhile gets no answer.
	 */
	int (*handshake)(struct transport *t);
	/* Up to `len` bytes (at least 1).  0: the client has said that it sends
	 * no more; a stream that just breaks off is an error. */
	ssize_t (*recv)(struct transport *t, void *buf, size_t len);
	/*
	 * The bytes of `count` (at least 1) vectors, or the first of them; those
	 * that are counted are the transport's.  After -EAGAIN the caller may send
	 * other bytes or none, unless the transport is `committed`: then the
	 * next send begins with the same bytes, wherever they lie by then, and
	 * has as many or more; or there is none.
	 */
	ssize_t (*send)(
	    struct transport *t, const struct iovec *iov, int count);
	/* Say that nothing more will be sent; reading goes on.  What cannot be
	 * said yet is said from within recv, as soon as recv_wants tells. */
	void (*shutdown)(struct transport *t);
	/* Bytes that were counted as sent and that the client does not have yet;
	 * 0 where that is not known. */
	size_t (*unsent)(const struct transport *t);
	/* All that was sent, and its end, has been acknowledged by the client's
	 * system; false where that is not known. */
	bool (*is_delivered)(const struct transport *t);
	void (*close)(struct transport *t); /* also closes and clears `fd` */
};

struct transport {
	const struct transport_ops *ops;
	int fd; /* watched by the users, with watchers of their own */

	/* The implementation's to set, after each call; in `plain` they never
	 * change. */
	uint8_t recv_wants; /* EV_READ, EV_WRITE: what to wait for after recv or
			       handshake said -EAGAIN, and while `holds` is
			       false */
	uint8_t send_wants; /* the same after send said -EAGAIN */
	bool holds : 1;	    /* recv has bytes whatever the descriptor says;
			       false after -EAGAIN */
	bool committed : 1; /* see send */

	bool stamped : 1; /* the caller's to set: the socket is fd_stamp()ed */
	/* By the wall clock, of what was received last: when it came, and when
	 * it was received; 0: unknown.  And how long there were bytes to be
	 * received since transport_forget_late(). */
	uint64_t stamp_ns, received_ns, late_ns;
	uint64_t came_ns; /* transport_came_ns() of the stamp; 0: not asked */
};

/* A transport over the connected, non-blocking socket `fd`, which it owns. */
void transport_init_plain(struct transport *t, int fd);

static inline int
transport_handshake(struct transport *t)
{
	return t->ops->handshake(t);
}

static inline ssize_t
transport_recv(struct transport *t, void *buf, size_t len)
{
	return t->ops->recv(t, buf, len);
}

static inline ssize_t
transport_send(struct transport *t, const struct iovec *iov, int count)
{
	return t->ops->send(t, iov, count);
}

/*
 * transport_await_recv(t, loop, w):
 * Have `w`, a watcher of the transport's descriptor, fire when recv (or
 * handshake) is to be tried: at once, in this iteration of the loop, if there
 * are bytes inside.  To be called after each recv behind which the caller waits
 * for more; it may well fire for nothing.  ev_io_stop() ends it.
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

/* Bytes of the send that could not go on are part of the stream already. */
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
 * sent, and that it was all; whether the client has read it is not known.  False
 * where this is not known either: on anything but TCP.
 */
static inline bool
transport_is_delivered(const struct transport *t)
{
	return t->ops->is_delivered(t);
}

/*
 * When the last of what was received last came to this host, by clock_mono_ns(),
 * however late it was received.  Where the kernel does not say (not stamped, or a
 * UNIX socket): now.
 */
uint64_t transport_came_ns(struct transport *t);

/*
 * transport_would_come_ns(t):
 * The same, had all bytes since transport_forget_late() been received as soon as
 * they came: without the time for which there were some to be received, of which
 * at most TRANSPORT_LATE_MAX_MS are taken off.  A client sends no more while
 * these lie there.
 */
uint64_t transport_would_come_ns(struct transport *t);

static inline void
transport_forget_late(struct transport *t)
{
	t->late_ns = 0;
}

/* Something can be received now, it seems: bytes, the end, or an error.  Costs a
 * poll(2), unless there are bytes inside. */
bool transport_has_bytes(const struct transport *t);

static inline void
transport_close(struct transport *t)
{
	t->ops->close(t);
}

#endif
