#include "net/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The umask alone sets the mode. */
int
socket_file_hide(int fd)
{
	(void)fd;
	return 0;
}

/* A socket cannot be opened: check once more what the path leads to. */
int
socket_file_open(const char *path, const struct stat *st, int *ret_fd)
{
	struct stat now;

	if (lstat(path, &now) == -1)
		return -errno;
	if (!S_ISSOCK(now.st_mode) || now.st_dev != st->st_dev ||
	    now.st_ino != st->st_ino)
		return -ESTALE;
	*ret_fd = -1;
	return 0;
}

int
socket_file_chown(const char *path, int fd, uid_t owner, gid_t group)
{
	(void)fd;
	return fchownat(AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW) == -1
		   ? -errno
		   : 0;
}

int
socket_file_chmod(const char *path, int fd, mode_t mode)
{
	(void)fd;
	return chmod(path, mode) == -1 ? -errno : 0;
}
