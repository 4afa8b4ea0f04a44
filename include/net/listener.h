/*
 * net/listener.h - the sockets that connections come in by.
 *
 * The master binds them and keeps them across reloads; workers inherit and
 * share them, one socket per address, so that none that is queued is lost
 * when a worker ends.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/check.h"

struct listener {
	struct addr addr;
	int fd;
	dev_t dev; /* of a UNIX socket: which file its path led to */
	ino_t ino;
};

/*
 * listener_open(addr, ret):
 * Bind and listen.  A UNIX socket that nobody listens on any more is removed
 * first.  0 or a negative errno; -EADDRINUSE: somebody else listens there.
 */
NODISCARD int listener_open(const struct addr *addr, struct listener *ret);

/* False when clients do not reach it by its address: the path of a UNIX socket
 * was removed, or is another one's by now. */
bool listener_is_reachable(const struct listener *l);

/* Close it here; `remove`: also the path of a UNIX socket, if it is still its
 * own. */
void listener_close(struct listener *l, bool remove);

/* Stop it for every process that shares it, also for one that cannot end. */
void listener_shutdown(const struct listener *l);

#endif
