#include "net/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* bind(2) takes the mode of the socket's own inode as the maximum, which also
 * holds where a default access list of the directory replaces the umask. */
int
socket_file_hide(int fd)
{
	return fchmod(fd, 0) == -1 ? -errno : 0;
}

/* The descriptor keeps referring to the file, whatever the path leads to
 * later. */
int
socket_file_open(const char *path, const struct stat *st, int *ret_fd)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat now;

	if (fd == -1)
		return -errno;
	if (fstat(fd, &now) == -1 || !S_ISSOCK(now.st_mode) ||
	    now.st_dev != st->st_dev || now.st_ino != st->st_ino) {
		fd_close(&fd);
		return -ESTALE;
	}
	*ret_fd = fd;
	return 0;
}

int
socket_file_chown(const char *path, int fd, uid_t owner, gid_t group)
{
	(void)path;
	return fchownat(fd, "", owner, group, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

/* fchmodat2(2) of Linux 6.6, whose number is the same on all architectures
 * except Alpha. */
static int
chmod_again(int fd, mode_t mode)
{
	return syscall(452, fd, "", mode, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

/* fchmod(2) does not accept O_PATH descriptors. */
int
socket_file_chmod(const char *path, int fd, mode_t mode)
{
	char name[64];

	(void)path;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (chmod(name, mode) == 0)
		return 0;
	/* Without /proc only the path would be left, and chmod(2) would follow
	 * it to whatever another user has put there meanwhile. */
	return errno == ENOENT ? chmod_again(fd, mode) : -errno;
}
