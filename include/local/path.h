/*
 * local/path.h - resolves names below a directory, and never outside of it.
 *
 * A relative name of checked parts ("a/b.bin") is resolved from an open directory.
 * No symbolic link is followed; no other file system is entered (a mount point, or a
 * btrfs subvolume, whose st_dev differs); and nothing above the directory can be
 * reached, even while others replace parts of the path.  This uses openat2(2) with
 * BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV where the system has it, and otherwise
 * opens part by part with O_NOFOLLOW.
 *
 * All calls may block on the disk.  Errors are negative errnos.  Those with a meaning:
 * -ENOENT, -ENOTDIR (a parent is a file), -ELOOP (a symbolic link on the way) and
 * -EXDEV (another file system on the way).
 */
#ifndef LOCAL_PATH_H
#define LOCAL_PATH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

/* The flag to open a directory for searching only, which may be all that is permitted
 * on the way to a name. */
#ifdef O_PATH
#define PATH_SEARCH O_PATH
#else
#define PATH_SEARCH O_RDONLY
#endif

/* open(2) of `path` beneath `root`, close-on-exec: a descriptor or -errno. */
NODISCARD int path_open(int root, const char *path, int flags);

/* The same for a file; but a directory right in the root may be opened although it is of
 * another file system (a btrfs subvolume). */
NODISCARD int path_open_file(int root, const char *path, int flags);

/* Open the directory `path` beneath `root` for reading; or, when reading is not
 * permitted, for searching.  Then path_sync_dir() fails with -EBADF, and path_sync_disk()
 * is to be used instead.  A descriptor or -errno. */
NODISCARD int path_open_dir(int root, const char *path);

/* Sync the whole file system of `fd` (syncfs(2)), which must not be open for searching
 * only: 0 or -errno; -EACCES: this system has no such call. */
NODISCARD int path_sync_disk(int fd);

/*
 * path_sync_dir(dir):
 * Sync the directory `dir`, so that the names in it are on stable storage: 0; or -errno,
 * and it is not known which of them are.  It also fails when the file system has shut
 * down: XFS, and it seems btrfs, return 0 from fsync(2) of a directory then.
 */
NODISCARD int path_sync_dir(int dir);

/* The same for a file: what is in it, and on some file systems its names
 * (`logs_names` of struct device_traits). */
NODISCARD int path_sync_file(int fd);

/*
 * path_climb(from, at, flags):
 * Open the parent of the directory *at with these flags, and put it in the place of *at,
 * which is closed unless it is `from`, where the caller has begun.  0; or -errno, and
 * *at is -1.
 */
NODISCARD int path_climb(int from, int *at, int flags);

/* True when the directory `dir` was removed (not when it was moved).  Where the inode
 * does not say so, Linux is asked for its name, which then ends in " (deleted)": a
 * directory that is really called so counts as removed. */
bool path_is_removed(int dir);

/* A number that identifies the directory: no other one of the file system has it, not
 * even one that reuses the inode (name_to_handle_at(2)).  0: it cannot be found out. */
uint64_t path_identity(int dir);

/* Used by path_linux.c and path_posix.c: open part by part; and check that `fd` is on the
 * file system of `root`: 0 or -EXDEV. */
NODISCARD int path_walk(int root, const char *path, int flags);
NODISCARD int path_check_disk(int root, int fd);

/*
 * path_open_parent(root, path, ret_dir, ret_rest):
 * Open the deepest existing directory on the way to the last part of `path`.  *ret_dir is
 * the caller's to close, or -1 when it is `root` itself; *ret_rest points to the rest of
 * `path` below it.  0 or -errno.
 */
NODISCARD int path_open_parent(
    int root, const char *path, int *ret_dir, const char **ret_rest);

/*
 * path_make_parents(dir, rest, mode, ret_dir, ret_name):
 * Make the missing directories of `rest` below `dir`, without syncing them, with these
 * permissions (0: what the umask leaves).  *ret_dir is the last one, as
 * above (-1: `dir` itself), and *ret_name the last part of `rest`.  0 or -errno.
 */
NODISCARD int path_make_parents(int dir, const char *rest, mode_t mode,
    int *ret_dir, const char **ret_name);

#endif
