#include "local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/kernel.h"
#include "publish_lock.h"
#include "publish_sys.h"
#include "local/path.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

int
publish_open_nameless(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	return fd == -1 ? -errno : fd;
}

/* btrfs before Linux 6.16 logs nothing of a file that has no name when it is synced: after
 * a power cut the name that it got, though its directory was synced, has nothing in it. */
bool
publish_syncs_nameless(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == -1 ||
	       (unsigned long)fs.f_type != BTRFS_SUPER_MAGIC ||
	       !kernel_is_before(6, 16);
}

/*
 * AT_EMPTY_PATH is one lookup cheaper, but kernels before 6.10 want a
 * privilege for it (and say ENOENT); /proc/self/fd works wherever /proc is.
 */
int
publish_link_nameless(int fd, int dir, const char *name)
{
	static _Atomic bool refused;
	char path[32];

	if (!atomic_load_explicit(&refused, memory_order_relaxed)) {
		if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
			return 0;
		if (errno != ENOENT && errno != EPERM)
			return -errno;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == -1)
		return -errno;
	/* So the error was about AT_EMPTY_PATH, not about the directory. */
	atomic_store_explicit(&refused, true, memory_order_relaxed);
	return 0;
}

int
publish_rename_new(int from_dir, const char *from, int dir, const char *name)
{
	if (syscall(SYS_renameat2, from_dir, from, dir, name,
		RENAME_NOREPLACE) == -1)
		return -errno;
	return 0;
}

int
publish_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == -1 ? -errno : 0;
}

/* A lock belongs to an open file, not to a process. */
bool
publish_locks_last(void)
{
	return true;
}

/* The lock is on the directory itself.  It belongs to an open file: each
 * locker has its own. */
const char publish_lock_name[] = "";

int
publish_open_lock(int root, const char *temp_dir)
{
	int fd;

	if (strchr(temp_dir, '/') != NULL)
		return path_open(root, temp_dir, O_RDONLY | O_DIRECTORY);
	fd = openat(
	    root, temp_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

bool
publish_can_share(void)
{
	return true;
}

int
publish_try_lock(int fd, bool together)
{
	while (flock(fd, LOCK_NB | (together ? LOCK_SH : LOCK_EX)) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
publish_wait_lock(int fd, bool together)
{
	while (flock(fd, together ? LOCK_SH : LOCK_EX) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

bool
publish_unlock(int fd)
{
	return flock(fd, LOCK_UN) == 0;
}

unsigned
publish_begin_turn(int root)
{
	(void)root;
	return 0;
}

void
publish_end_turn(unsigned turn)
{
	(void)turn;
}

/* ---- what directories hand down ---- */

/*
 * Nameless files are made in their target directory, and keep its project in here.
 * Temp files that are made in here get the root's.
 */
static void
tidy_project(int temp_dir, int root, bool nameless)
{
	struct fsxattr own, above = {0};

	if (ioctl(temp_dir, FS_IOC_FSGETXATTR, &own) == -1 ||
	    (!nameless && ioctl(root, FS_IOC_FSGETXATTR, &above) == -1))
		return; /* there is no such thing here */
	if (own.fsx_projid == above.fsx_projid &&
	    ((own.fsx_xflags ^ above.fsx_xflags) & FS_XFLAG_PROJINHERIT) == 0)
		return;
	own.fsx_projid = above.fsx_projid;
	own.fsx_xflags &= ~(unsigned)FS_XFLAG_PROJINHERIT;
	own.fsx_xflags |= above.fsx_xflags & FS_XFLAG_PROJINHERIT;
	(void)ioctl(temp_dir, FS_IOC_FSSETXATTR, &own);
}

void
publish_tidy(int temp_dir, int root, bool nameless, bool is_new)
{
	struct stat st;

	if (fstat(temp_dir, &st) == -1 || st.st_uid != geteuid())
		return; /* not ours to change */
	(void)fremovexattr(temp_dir, "system.posix_acl_default");
	if (is_new)
		(void)fremovexattr(temp_dir, "system.posix_acl_access");
	if ((st.st_mode & S_ISGID) &&
	    fchown(temp_dir, (uid_t)-1, getegid()) == -1)
		return;
	if (is_new)
		(void)fchmod(temp_dir, S_IRWXU);
	else if (st.st_mode & S_ISGID)
		(void)fchmod(temp_dir, st.st_mode & ACCESSPERMS);
	tidy_project(temp_dir, root, nameless);
}

bool
publish_hands_down_acl(int dir)
{
	return fgetxattr(dir, "system.posix_acl_default", NULL, 0) > 0;
}

int
publish_adopt_project(int file, int dir)
{
	struct fsxattr own, above;

	if (ioctl(dir, FS_IOC_FSGETXATTR, &above) == -1 ||
	    ioctl(file, FS_IOC_FSGETXATTR, &own) == -1)
		return -errno;
	if (!(above.fsx_xflags & FS_XFLAG_PROJINHERIT) ||
	    own.fsx_projid == above.fsx_projid)
		return -EXDEV; /* the EXDEV has another reason */
	own.fsx_projid = above.fsx_projid;
	return ioctl(file, FS_IOC_FSSETXATTR, &own) == -1 ? -errno : 0;
}

int
publish_check_close(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1)
		return -errno;
	return close(copy) == -1 && errno != EINTR ? -errno : 0;
}
