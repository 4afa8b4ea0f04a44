/*
 * base/owned_dir.h - a directory that root makes for the user whom it will become.
 *
 *	/srv/uploads/in      in: the user's; uploads, if it was missing: root's, mode 0755
 *
 * Only where nobody but root could put something else in its place meanwhile: all
 * directories on the way are root's, and others may write to none of them, or only to
 * one that is sticky, below which no symbolic link is followed.
 */
#ifndef BASE_OWNED_DIR_H
#define BASE_OWNED_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"

struct owned_dir {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* less the umask */
};

/*
 * owned_dir_make(path, as, ret_made):
 * Make the directory at `path`, which is absolute, and its missing parents, with their names
 * on stable storage.  One that is there is left as it is.  0; or a negative errno: -EACCES
 * also where it is not to be made, since others than root have a hand in it.  *ret_made: it
 * was missing, and is there now.
 */
NODISCARD int owned_dir_make(
    const char *path, const struct owned_dir *as, bool *ret_made);

/* It is missing, and owned_dir_make() would try to make it. */
NODISCARD bool owned_dir_would_be_made(const char *path);

#endif
