/*
 * proc/made_dirs.h - directories that are made before root becomes `user`.
 *
 * Only those that are missing, and only by root for a `user`: whoever else starts a server
 * can make them as himself, or is told to.  An output_dir and the directories of logs are
 * then that user's; that of the pid file is root's, since who may write to it chooses which
 * process -s stops.
 */
#ifndef PROC_MADE_DIRS_H
#define PROC_MADE_DIRS_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"
#include "shared/shared.h"

/* Make the directory of the file at `path`, which is absolute, the user's or root's.  False:
 * it was not made, and why is what opening the file says. */
NODISCARD bool made_dirs_for_file(
    const struct config *conf, const char *path, bool users);

/* For a dry run: it would be made. */
NODISCARD bool made_dirs_would_hold(
    const struct config *conf, const char *path);

/* Make the output_dir of `l`, unless it is one that was open before (`shared`; NULL: none
 * was).  It may wait for the disk. */
void made_dirs_for_uploads(const struct config *conf,
    const struct conf_location *l, const struct shared *shared);

/* For a dry run that root has begun: it would be made. */
NODISCARD bool made_dirs_would_make(const struct conf_location *l);

#endif
