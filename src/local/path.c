#include "local/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/name_limits.h"

enum {
	TRIES = 8, /* other processes may remove empty directories meanwhile */
};

/* Copy the first part of `path`; where the next one begins, or NULL. */
static int
split(const char *path, char part[FILE_NAME_PART_SIZE], const char **ret_next)
{
	const char *slash = strchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : strlen(path);

	if (len >= FILE_NAME_PART_SIZE)
		return -ENAMETOOLONG;
	memcpy(part, path, len);
	part[len] = '\0';
	if (len == 0)
		return -ENOENT;
	if (strcmp(part, "..") == 0)
		return -EXDEV; /* as RESOLVE_BENEATH has it */
	*ret_next = slash ? slash + 1 : NULL;
	return 0;
}

/*
 * A btrfs subvolume is no mount, but has inodes of its own.  An overlay may give
 * files the st_dev of their layer: f_fsid is the whole file system's.
 */
int
path_check_disk(int root, int fd)
{
	struct statvfs above_fs, fs;
	struct stat above, st;

	if (fstat(root, &above) == -1 || fstat(fd, &st) == -1)
		return -errno;
	if (above.st_dev == st.st_dev)
		return 0;
	if (S_ISDIR(st.st_mode))
		return -EXDEV;
	if (fstatvfs(root, &above_fs) == -1 || fstatvfs(fd, &fs) == -1)
		return -errno;
	return above_fs.f_fsid == fs.f_fsid ? 0 : -EXDEV;
}

/* Open one part without following it; a link is ELOOP, as with openat2. */
static int
open_part(int root, int dir, const char *part, int flags)
{
	struct stat st;
	int fd, err;

	fd = openat(dir, part, flags | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd == -1) {
		err = errno;
		/* O_DIRECTORY on a link is ENOTDIR on some systems. */
		if (err == ENOTDIR &&
		    fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			err = ELOOP;
		return -err;
	}
	err = path_check_disk(root, fd);
	if (err < 0)
		fd_close(&fd);
	return err < 0 ? err : fd;
}

int
path_walk(int root, const char *path, int flags)
{
	char part[FILE_NAME_PART_SIZE];
	int dir = -1, err;

	for (;;) {
		const char *next;
		int fd;

		err = split(path, part, &next);
		if (err < 0)
			break;
		fd = open_part(root, dir == -1 ? root : dir, part,
		    next ? PATH_SEARCH | O_DIRECTORY : flags);
		fd_close(&dir);
		if (fd < 0 || next == NULL)
			return fd;
		dir = fd;
		path = next;
	}
	fd_close(&dir);
	return err;
}

int
path_sync_file(int fd)
{
	struct statvfs fs;
	struct stat st;

	if (fsync(fd) == -1 || fstat(fd, &st) == -1 || fstatvfs(fd, &fs) == -1)
		return -errno;
	return fs.f_flag & ST_RDONLY ? -EROFS : 0;
}

int
path_sync_dir(int dir)
{
	return path_sync_file(dir);
}

int
path_open_dir(int root, const char *path)
{
	int fd = path_open(root, path, O_RDONLY | O_DIRECTORY);

	return fd == -EACCES ? path_open(root, path, PATH_SEARCH | O_DIRECTORY)
			     : fd;
}

int
path_climb(int from, int *at, int flags)
{
	int up = openat(*at, "..", flags | O_DIRECTORY | O_CLOEXEC);
	int err = up == -1 ? -errno : 0;

	if (*at != from)
		fd_close(at);
	*at = up;
	return err;
}

int
path_open_parent(
    int root, const char *path, int *ret_dir, const char **ret_rest)
{
	char parent[FILE_NAME_SIZE];
	size_t len = strlen(path);
	char *slash;
	int fd;

	if (len >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, len + 1);
	while ((slash = strrchr(parent, '/')) != NULL) {
		*slash = '\0';
		fd = path_open_dir(root, parent);
		if (fd >= 0) {
			*ret_dir = fd;
			*ret_rest = path + (slash - parent) + 1;
			return 0;
		}
		if (fd != -ENOENT)
			return fd;
	}
	*ret_dir = -1;
	*ret_rest = path;
	return 0;
}

/* Its permissions, whatever the umask; the group that it hands down stays. */
static int
give_mode(int dir, mode_t mode)
{
	struct stat st;

	if (fstat(dir, &st) == -1 ||
	    fchmod(dir, mode | (st.st_mode & S_ISGID)) == -1)
		return -errno;
	return 0;
}

/* Make one, or take the one that is there: a descriptor or -errno. */
static int
make_part(int parent, const char *part, mode_t mode)
{
	bool is_new = false;
	int fd = -EAGAIN, err = 0;

	for (int i = 0; i < TRIES; i++) {
		is_new = mkdirat(parent, part, 0777) == 0;
		if (!is_new && errno != EEXIST)
			return -errno;
		fd = path_open_dir(parent, part);
		if (fd != -ENOENT)
			break;
	}
	if (fd >= 0 && is_new && mode != 0)
		err = give_mode(fd, mode);
	if (err < 0)
		fd_close(&fd);
	return err < 0 ? err : fd;
}

int
path_make_parents(
    int dir, const char *rest, mode_t mode, int *ret_dir, const char **ret_name)
{
	char part[FILE_NAME_PART_SIZE];
	int at = -1, err;

	for (;;) {
		const char *next;
		int fd;

		err = split(rest, part, &next);
		if (err < 0)
			break;
		if (next == NULL) {
			*ret_dir = at;
			*ret_name = rest;
			return 0;
		}
		fd = make_part(at == -1 ? dir : at, part, mode);
		if (fd < 0) {
			err = fd;
			break;
		}
		fd_close(&at);
		at = fd;
		rest = next;
	}
	fd_close(&at);
	return err;
}
