#include "local/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "base/hash.h"

enum {
	/* openat2 says EAGAIN when a rename elsewhere crossed its way. */
	TRIES = 8,
};

uint64_t
path_identity(int dir)
{
	union {
		struct file_handle h;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = {.h.handle_bytes = MAX_HANDLE_SZ};
	int mount;

	if (name_to_handle_at(dir, "", &u.h, &mount, AT_EMPTY_PATH) == -1)
		return 0;
	return hash_bytes(
		   (uint64_t)u.h.handle_type, u.h.f_handle, u.h.handle_bytes) |
	       1;
}

/* /proc says so; st_nlink does not on an overlay.  A directory whose name
 * ends like this is mistaken for a removed one. */
static bool
is_called_deleted(int dir)
{
	static const char deleted[] = " (deleted)";
	const size_t len = sizeof(deleted) - 1;
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof(path));
	return n > (ssize_t)len &&
	       memcmp(path + n - (ssize_t)len, deleted, len) == 0;
}

int
path_sync_disk(int fd)
{
	struct statfs fs;

	if (syncfs(fd) == -1 || fstatfs(fd, &fs) == -1)
		return -errno;
	return fs.f_flags & ST_RDONLY ? -EROFS : 0;
}

bool
path_is_removed(int dir)
{
	struct stat st;

	if (fstat(dir, &st) == -1)
		return errno_is_removed(-errno);
	return st.st_nlink == 0 || is_called_deleted(dir);
}

/* `fd`, or -EXDEV: RESOLVE_NO_XDEV knows mounts only. */
static int
on_same_disk(int root, int fd)
{
	int err = path_check_disk(root, fd);

	if (err < 0)
		fd_close(&fd);
	return err < 0 ? err : fd;
}

/* -ENOSYS: there is no such call here (an old system, or seccomp). */
static int
open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		       RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};

	for (int i = 0; i < TRIES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == EPERM)
			return -ENOSYS;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int
path_open(int root, const char *path, int flags)
{
	int fd = open_beneath(root, path, flags);

	if (fd == -ENOSYS)
		return path_walk(root, path, flags);
	return fd < 0 ? fd : on_same_disk(root, fd);
}

/* No subvolume is on the way to what is right in the root. */
int
path_open_file(int root, const char *path, int flags)
{
	int fd = open_beneath(root, path, flags);

	if (fd == -ENOSYS)
		return path_walk(root, path, flags);
	return fd < 0 || strchr(path, '/') == NULL ? fd
						   : on_same_disk(root, fd);
}
