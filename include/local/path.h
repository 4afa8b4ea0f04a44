/*
 * local/path.h - names resolved beneath a directory, and nowhere else.
 *
 * A relative name of checked parts ("a/b.bin") is resolved from an open
 * directory.  No symbolic link is ever followed, no other file system entered
 * (a mount point, or a btrfs subvolume: its st_dev differs), and nothing above
 * the directory can be reached, also while parts of the path are replaced:
 * openat2(2) with BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV where there
 * is one, else part by part with O_NOFOLLOW.
 *
 * May wait for the disk.  Errors are negative errnos; those that matter:
 * -ENOENT, -ENOTDIR (a parent is a file), -ELOOP (a symbolic link on the
 * way), -EXDEV (another file system on the way).
 */
#ifndef LOCAL_PATH_H
#define LOCAL_PATH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

/* Open a directory with this for searching only: on the way to a name there may be
 * no permission for more. */
#ifdef O_PATH
#define PATH_SEARCH O_PATH
#else
#define PATH_SEARCH O_RDONLY
#endif

/* open(2) of `path` beneath `root`, close-on-exec: a descriptor or -errno. */
NODISCARD int path_open(int root, const char *path, int flags);

/* The directory `path` beneath `root`: opened for reading, or, where only that is
 * not permitted, for searching.  Then path_sync_dir() says -EBADF, and
 * path_sync_disk() does instead. */
NODISCARD int path_open_dir(int root, const char *path);

/* Have all names of the file system of `fd`, which is open for more than
 * searching, on stable storage (syncfs(2)): 0 or -errno; -EACCES: there is no
 * such call here. */
NODISCARD int path_sync_disk(int fd);

/*
 * path_sync_dir(dir):
 * Have the names in the directory `dir` on stable storage: 0 or -errno,
 * and then what is there is not known.  An error also when the file system has shut down meanwhile: XFS
 * says 0 to fsync(2) of a directory then, and so, it seems, does btrfs.
 */
NODISCARD int path_sync_dir(int dir);

/*
 * path_climb(from, at, flags):
 * Open what is above the directory *at, in its place; that is closed unless it
 * is `from`, with which the caller begins, and which stays the caller's.  0; or -errno,
 * and *at is -1.
 */
NODISCARD int path_climb(int from, int *at, int flags);

/* Has the directory `dir` been removed?  One that was moved has not; unless its
 * name ends in " (deleted)", by which Linux tells where the inode does not. */
bool path_is_removed(int dir);

/* A number that no other directory of the file system has, nor one that gets
 * its inode later (name_to_handle_at(2)); 0: that cannot be told here. */
uint64_t path_identity(int dir);

/* What both kinds of system use: the walk, part by part; and whether `fd` is on
 * the file system of `root`, on which it was found (0, or -EXDEV). */
NODISCARD int path_walk(int root, const char *path, int flags);
NODISCARD int path_check_disk(int root, int fd);

/*
 * path_open_parent(root, path, ret_dir, ret_rest):
 * Open the deepest directory on the way to the last part of `path` that
 * exists: *ret_dir (the caller's to close; -1 when it is `root` itself), and
 * in *ret_rest the part of `path` below it (points into `path`).
 */
NODISCARD int path_open_parent(
    int root, const char *path, int *ret_dir, const char **ret_rest);

/*
 * path_make_parents(dir, rest, ret_dir, ret_name):
 * Make the directories that `rest` still lacks below `dir`, none of which is
 * synced; *ret_dir as above (-1: `dir` itself), *ret_name the last part.
 */
NODISCARD int path_make_parents(
    int dir, const char *rest, int *ret_dir, const char **ret_name);

#endif
