/*
 * proc/privileges.h - how a process that was started as root becomes `user`.
 */
#ifndef PROC_PRIVILEGES_H
#define PROC_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "config/config.h"

/*
 * privileges_check(conf):
 * Does the `user` of the configuration exist?  0; or -ENOENT after logging that it
 * does not.  Logs a warning if clients will be served by root, or by a user other
 * than `user`, since only root can change it.
 */
NODISCARD int privileges_check(const struct config *conf);

/*
 * privileges_drop(user):
 * Become `user` for good: supplementary groups, group id and user id.  Does nothing
 * when `user` is NULL or this process is not root's.  0; or a negative errno, and the
 * process must end.
 */
NODISCARD int privileges_drop(const char *user);

/* Whom this process will become: false if nobody else than it is, since it is not root's, or
 * there is no `user`. */
NODISCARD bool privileges_will_drop(
    const struct config *conf, uid_t *ret_uid, gid_t *ret_gid);

/* Nothing that this process or its children ever execute gets more rights by that
 * (PR_SET_NO_NEW_PRIVS; nothing in a PORTABLE build).  0 or a negative errno. */
NODISCARD int privileges_give_up_new(void);

/* Set the supplementary groups to those of `user`, whose own group is `gid`
 * (privileges_linux.c, privileges_posix.c).  0 or a negative errno. */
NODISCARD int privileges_set_groups(const char *user, unsigned gid);

#endif
