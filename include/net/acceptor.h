/*
 * net/acceptor.h - which worker takes the next connection.
 *
 * All workers watch the same sockets, so every new connection wakes all of
 * them.  With F live connections in the least loaded worker, a worker accepts
 * while it has at most F + 1 + F/8.  Otherwise it stops watching for 2 ms, so
 * that another worker gets there first; a connection that has waited for 20 ms
 * is accepted by any worker.  (To decline while still watching would spin.)
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/shm.h"
#include "net/listener.h"

/* Called with an accepted socket, which the callee owns.  `server` and `at` are
 * what acceptor_watch() was given. */
typedef void accepted_fn(void *arg, void *server, const struct listener *at,
    int fd, const struct addr *peer);

struct acceptor;

struct acceptor_setup {
	struct ev_loop *loop;
	const struct shm *shm;
	struct slot *slot; /* this worker's; the caller keeps `connections` up
			      to date */
	uint32_t connections_max;
	accepted_fn *on_accepted;
	void *arg;
};

/* An acceptor that watches no socket yet; NULL when out of memory.  The caller
 * owns it until acceptor_free(). */
NODISCARD struct acceptor *acceptor_new(const struct acceptor_setup *setup);

/* Also accept from `l`, which must outlive the acceptor: 0 or -ENOMEM. */
NODISCARD int acceptor_watch(
    struct acceptor *a, const struct listener *l, void *server);

/* Start, and take part in the distribution of connections. */
void acceptor_start(struct acceptor *a);

/* For a graceful stop: accept all connections that are queued now, even beyond
 * connections_max, and then no more. */
void acceptor_drain(struct acceptor *a);

/* Stop for good. */
void acceptor_stop(struct acceptor *a);

/* A connection has ended: there may be room for another. */
void acceptor_on_room(struct acceptor *a);

void acceptor_free(struct acceptor **ap);

#endif
