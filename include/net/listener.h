/*
 * net/listener.h - listening sockets.
 *
 * The master binds them and keeps them across reloads.  Workers inherit and
 * share them, one socket per address, so that no queued connection is lost when
 * a worker ends.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/str.h"
#include "net/socket_file.h"

enum {
	LISTENER_NAME_MAX = 64, /* of one that was handed over, with its NUL */
};

struct listener {
	struct addr addr;
	int fd;
	bool ipv6only; /* as it was bound */
	dev_t dev;     /* of a UNIX socket: the file that its path led to */
	ino_t ino;
	uid_t owner; /* and its owner and group as bind(2) made it */
	gid_t group;
	/* Whoever started us handed it over and has it still, under this name: its
	 * rights, its path and its end are not ours.  "": it was bound here. */
	char given[LISTENER_NAME_MAX];
};

/* Options of a `listen` directive. */
struct listener_options {
	int backlog;
	bool ipv6only;		     /* of an IPv6 address */
	struct socket_rights rights; /* of a UNIX socket */
};

/*
 * listener_open(addr, options, ret):
 * Bind and listen.  A stale UNIX socket, on which no process listens, is
 * removed first; the new one gets its mode, owner and group before clients can
 * connect.  0 or a negative errno: -EADDRINUSE: another process listens there;
 * -EPERM: this process may not give it that owner or group.
 */
NODISCARD int listener_open(const struct addr *addr,
    const struct listener_options *options, struct listener *ret);

/*
 * listener_adopt(fd, name, ret):
 * Take over a socket that listens already.  0; or a negative errno, -EINVAL: it is none,
 * and `fd` stays the caller's.
 */
NODISCARD int listener_adopt(int fd, const char *name, struct listener *ret);

/*
 * listener_adjust(l, options, ret_changed):
 * Change the options of an open listener, except ipv6only, which is fixed.  Those of
 * one that was handed over stay as they are.
 * *ret_changed: the rights of a UNIX socket were different before.  0 or a
 * negative errno, when the rights are the old ones or narrower.
 */
NODISCARD int listener_adjust(const struct listener *l,
    const struct listener_options *options, bool *ret_changed);

/* Add its address to `out`, and of a UNIX socket who may connect:
 * "unix:/run/p.sock (mode 0660, root:www-data)"; and that it was handed over. */
void listener_describe(const struct listener *l, struct str *out);

/* False when clients cannot reach it by its address: the path of a UNIX socket
 * was removed, or leads to another file by now. */
bool listener_is_reachable(const struct listener *l);

/* Close this process's descriptor.  `remove`: also remove the path of a UNIX
 * socket, if it was made here and still leads to this one. */
void listener_close(struct listener *l, bool remove);

/* Stop listening for every process that shares the socket, even for one that is
 * stuck and cannot close it.  One that was handed over goes on: who has it keeps
 * what clients ask for until the next server comes. */
void listener_shutdown(const struct listener *l);

#endif
