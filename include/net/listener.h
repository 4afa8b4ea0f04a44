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
#include "base/str.h"
#include "net/socket_file.h"

struct listener {
	struct addr addr;
	int fd;
	bool ipv6only; /* as it was bound */
	dev_t dev;     /* of a UNIX socket: which file its path led to */
	ino_t ino;
	uid_t owner; /* and whose the system had made it */
	gid_t group;
};

/* What may be asked of one. */
struct listener_options {
	int backlog;
	bool ipv6only;		     /* of an IPv6 address */
	struct socket_rights rights; /* of a UNIX socket */
};

/*
 * listener_open(addr, options, ret):
 * Bind and listen.  A UNIX socket that nobody listens on any more is removed
 * first, and has its rights before anybody can connect.  0 or a negative errno;
 * -EADDRINUSE: somebody else listens there; -EPERM: its owner or group may not be
 * given to it by this process.
 */
NODISCARD int listener_open(const struct addr *addr,
    const struct listener_options *options, struct listener *ret);

/*
 * listener_adjust(l, options, ret_changed):
 * Give one that is open these options, as if it were opened with them now, but for
 * ipv6only, which cannot be changed;
 * *ret_changed: the rights of a UNIX socket were others.  0 or a negative errno;
 * the rights are as they were then, or narrower.
 */
NODISCARD int listener_adjust(const struct listener *l,
    const struct listener_options *options, bool *ret_changed);

/* Add its address, and of a UNIX socket who may connect: "unix:/run/p.sock (mode
 * 0660, root:www-data)". */
void listener_describe(const struct listener *l, struct str *out);

/* False when clients do not reach it by its address: the path of a UNIX socket
 * was removed, or is another one's by now. */
bool listener_is_reachable(const struct listener *l);

/* Close it here; `remove`: also the path of a UNIX socket, if it is still its
 * own. */
void listener_close(struct listener *l, bool remove);

/* Stop it for every process that shares it, also for one that cannot end. */
void listener_shutdown(const struct listener *l);

#endif
