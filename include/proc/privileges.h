/*
 * proc/privileges.h - becoming `user`, for processes that began as root.
 */
#ifndef PROC_PRIVILEGES_H
#define PROC_PRIVILEGES_H

#include "base/check.h"
#include "config/config.h"

/*
 * privileges_check(conf):
 * Does the `user` of the configuration exist?  0; or -ENOENT after logging that it
 * does not.  Warns if clients will be served as root, or as another user than
 * `user` says.
 */
NODISCARD int privileges_check(const struct config *conf);

/*
 * privileges_drop(user):
 * Take the user's groups, group and user id for good.  NULL, or not being
 * root: nothing to do.  0, or a negative errno and the process must end.
 */
NODISCARD int privileges_drop(const char *user);

/* Replace the supplementary groups (privileges_linux.c, _posix.c). */
NODISCARD int privileges_set_groups(const char *user, unsigned gid);

#endif
