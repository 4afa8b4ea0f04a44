/*
 * net/transport.h - bytes to and from a client, whatever carries them.
 *
 * `plain` is the socket as it is; TLS will be another.  All calls are
 * non-blocking and return a byte count or a negative errno: -EAGAIN when
 * nothing can be moved now, 0 from recv at the end of the stream.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/check.h"

struct transport;

enum {
	TRANSPORT_LATE_MAX_MS = 1000,
};

struct transport_ops {
	ssize_t (*recv)(struct transport *t, void *buf, size_t len);
	ssize_t (*send)(
	    struct transport *t, const struct iovec *iov, int count);
	/* Say that nothing more will be sent; reading goes on. */
	void (*shutdown)(struct transport *t);
	/* Bytes that were taken and that the client does not have yet; 0 when
	 * nobody knows. */
	size_t (*unsent)(const struct transport *t);
	/* All that was sent, and its end, has been acknowledged by the client's
	 * system; false also where nobody knows. */
	bool (*is_delivered)(const struct transport *t);
	void (*close)(struct transport *t); /* also closes and clears `fd` */
};

struct transport {
	const struct transport_ops *ops;
	int fd;	      /* to be watched */
	bool stamped; /* the caller's to set: the socket is fd_stamp()ed */
	/* By the wall clock, of what was received last: when it came, and when
	 * it was received; 0: unknown.  And how long there were bytes to be
	 * received since transport_forget_late(). */
	uint64_t stamp_ns, received_ns, late_ns;
	uint64_t came_ns; /* transport_came_ns() of the stamp; 0: not asked */
};

/* A transport over the connected, non-blocking socket `fd`, which it owns. */
void transport_init_plain(struct transport *t, int fd);

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
 * sent, and that it was all; whether the client has read it nobody knows.  False
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

/* Something can be received now (or the end of the stream). */
bool transport_has_bytes(const struct transport *t);

static inline void
transport_close(struct transport *t)
{
	t->ops->close(t);
}

#endif
