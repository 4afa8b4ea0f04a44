/*
 * proc/sockets.h - the listening sockets of a configuration.
 *
 * Owned by the master, shared by all workers.  A reload keeps those whose
 * address stays, so that what is queued on them is not lost.
 */
#ifndef PROC_SOCKETS_H
#define PROC_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "config/config.h"
#include "net/listener.h"

struct sockets {
	struct bound {
		struct listener listener;
		size_t server; /* index in the configuration: the first of
				  those that share it */
		size_t listen; /* and in that server's */
		bool tls;
		bool ours; /* opened here, not taken over from `old` */
	} * bound;
	size_t count;
};

/*
 * sockets_open(conf, old, ret):
 * Open all that `conf` listens on, taking over those `old` (NULL: none) has, but
 * for UNIX sockets whose path is no longer theirs.  What is taken over stays as it
 * is until sockets_adjust().
 * One of `old` that was handed over to us and that `conf` does not listen on is an error.
 * 0; or a negative errno after logging which addresses failed and why, and
 * then nothing was opened and `old` is as it was.
 */
NODISCARD int sockets_open(
    const struct config *conf, const struct sockets *old, struct sockets *ret);

/*
 * sockets_adjust(conf, s):
 * When a reload has come so far that it is carried out: give those that were taken
 * over the options that `conf` has for them, and log those that are new or changed.
 * What cannot be given is logged, and stays as it was.
 */
void sockets_adjust(const struct config *conf, const struct sockets *s);

/* Could the paths of UNIX sockets be made?  False after logging which ones could
 * not.  Another process that listens there is no reason. */
NODISCARD bool sockets_look(const struct config *conf);

/* Log a line for each. */
void sockets_log(const struct sockets *s);

/* Close those of `old` that `fresh` (NULL: none) has not taken over, and free
 * what `old` holds; the paths of UNIX sockets are removed when `remove`. */
void sockets_close(
    struct sockets *old, const struct sockets *fresh, bool remove);

/* Stop them for every process that has them. */
void sockets_shutdown(const struct sockets *s);

#endif
