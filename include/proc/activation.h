/*
 * proc/activation.h - listening sockets that whoever started us hands over
 * (sd_listen_fds(3)): systemd with a .socket unit, or another one that does the same.
 *
 *	LISTEN_PID      whom they are for; for another process there are none
 *	LISTEN_FDS      how many: the descriptors from 3 on
 *	LISTEN_FDNAMES  their names, with colons between; for messages only
 *
 * They are matched with the configuration by their addresses (sockets_open()).  Whose
 * they are goes on listening when we stop, so that clients wait for the next server.
 */
#ifndef PROC_ACTIVATION_H
#define PROC_ACTIVATION_H

#include "base/check.h"
#include "proc/sockets.h"

/*
 * activation_take(ret):
 * Take them, and take it all out of the environment: it is not for our children.  To be
 * called once, before descriptors are closed (inherit_close()) and by the process that
 * was started.  0, and *ret may be empty; or a negative errno after logging what is
 * wrong with which one.
 */
NODISCARD int activation_take(struct sockets *ret);

#endif
