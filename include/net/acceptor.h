/*
 * net/acceptor.h - which worker takes the next connection.
 *
 * All workers watch the same sockets, so all of them wake for a connection.
 * A worker takes one while it has no more live connections than the one that
 * has fewest, and one, and an eighth.  Else it looks away for 2 ms, so that
 * another one gets there first; what nobody has taken for 20 ms it takes all
 * the same.  (Declining while watching would spin.)
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/shm.h"
#include "net/listener.h"

/* What a worker does with a socket it accepted, whose it is from here on.
 * `server` and `at` are what acceptor_watch() was given. */
typedef void accepted_fn(void *arg, void *server, const struct listener *at,
    int fd, const struct addr *peer);

struct acceptor;

struct acceptor_setup {
	struct ev_loop *loop;
	const struct shm *shm;
	struct slot *slot; /* ours: `connections` is kept by the caller */
	uint32_t connections_max;
	accepted_fn *on_accepted;
	void *arg;
};

/* Takes connections from no socket yet; NULL when out of memory. */
NODISCARD struct acceptor *acceptor_new(const struct acceptor_setup *setup);

/* Also take those of `l`, which must outlive it: 0 or -ENOMEM. */
NODISCARD int acceptor_watch(
    struct acceptor *a, const struct listener *l, void *server);

/* Start, and take part in the sharing out. */
void acceptor_start(struct acceptor *a);

/* Accept all that is queued now (a graceful stop), also beyond
 * connections_max, and no more. */
void acceptor_drain(struct acceptor *a);

/* Stop for good. */
void acceptor_stop(struct acceptor *a);

/* A connection ended: there may be room again. */
void acceptor_on_room(struct acceptor *a);

void acceptor_free(struct acceptor **ap);

#endif
