#include "proc/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/permit.h"
#include "proc/made_dirs.h"
#include "base/str.h"
#include "proc/refusal.h"

/* Never waits.  -EINVAL for anything but a regular file, -ELOOP for a symbolic link:
 * a user that may write to the directory must not choose the file that we write. */
static int
open_regular(const char *path, int flags)
{
	struct stat st;
	int fd, err = 0;

	fd = open(
	    path, O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags, 0644);
	if (fd == -1)
		return errno == ENXIO ? -EINVAL : -errno; /* a socket */
	if (fstat(fd, &st) == -1)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	if (err < 0) {
		fd_close(&fd);
		return err;
	}
	return fd;
}

/* The process whose lock conflicts with one of `type`; 0: there is none. */
static pid_t
find_holder(const char *path, short type)
{
	struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
	int fd, err = 0;

	fd = open_regular(path, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fcntl(fd, F_GETLK, &whole) == -1)
		err = -errno;
	fd_close(&fd);
	if (err < 0)
		return err;
	return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

/* Only a write lock counts: any user that can read the file can have a read lock. */
pid_t
pidfile_owner(const char *path)
{
	return find_holder(path, F_RDLCK);
}

static int
open_and_lock(const char *path, int *ret_fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	for (;;) {
		fd = open_regular(path, O_RDWR | O_CREAT);
		if (fd < 0)
			return fd;
		if (fcntl(fd, F_SETLK, &whole) == -1) {
			int err = errno == EACCES ? -EAGAIN : -errno;

			fd_close(&fd);
			return err;
		}
		/* The last holder may have removed the file while we waited to
		 * open it: then ours has no name, and its lock means nothing. */
		if (fd_is_named(fd, path))
			break;
		fd_close(&fd);
	}
	*ret_fd = fd;
	return 0;
}

static int
write_pid(int fd)
{
	char text[32];
	int len;

	if (ftruncate(fd, 0) == -1)
		return -errno;
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	return fd_write_all(fd, text, (size_t)len);
}

static void
log_holder(const struct config *conf)
{
	const char *path = conf->pid_file;
	pid_t owner = pidfile_owner(path);

	if (owner > 0)
		refusal_log(&conf->pid_file_at, "pid_file", path,
		    "another penstock, process %ld, runs with it: stop that "
		    "one (-s stop), wait for it if it is finishing uploads "
		    "(-s quit), or choose another pid_file",
		    (long)owner);
	else
		refusal_log(&conf->pid_file_at, "pid_file", path,
		    "process %ld, which is no penstock, has a read lock on "
		    "it: end that one, remove the file, or choose another "
		    "pid_file",
		    (long)find_holder(path, F_WRLCK));
}

static const char *
pidfile_describe(int err, char buf[REFUSAL_WHY_MAX])
{
	switch (err) {
	case -EINVAL:
		return "it is no regular file: name another one, or write off";
	case -ELOOP:
		return "it is a symbolic link, which is not followed: name the "
		       "file itself";
	case -EFBIG:
		return "it may not be written: raise the limit on the size of "
		       "files (ulimit -f)";
	case -ENOENT:
		return "No such file or directory: make its directory first";
	default:
		return refusal_why(err, buf);
	}
}

int
pidfile_take(const struct config *conf, int *ret_fd)
{
	char why[REFUSAL_WHY_MAX];
	int fd = -1, err;

	*ret_fd = -1;
	if (strcmp(conf->pid_file, "off") == 0)
		return 0;
	err = open_and_lock(conf->pid_file, &fd);
	if (err == -ENOENT && made_dirs_for_file(conf, conf->pid_file, false))
		err = open_and_lock(conf->pid_file, &fd);
	if (err == -EAGAIN) {
		log_holder(conf);
		return err;
	}
	if (err == 0)
		err = write_pid(fd);
	if (err < 0) {
		refusal_log(&conf->pid_file_at, "pid_file", conf->pid_file,
		    "%s", pidfile_describe(err, why));
		fd_close(&fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

bool
pidfile_look(const struct config *conf)
{
	char why[REFUSAL_WHY_MAX];
	struct stat st;
	int err;

	if (strcmp(conf->pid_file, "off") == 0)
		return true;
	err = permit_file(conf->pid_file);
	if (err == -ENOENT && made_dirs_would_hold(conf, conf->pid_file))
		err = 0;
	if (lstat(conf->pid_file, &st) == 0 && !S_ISREG(st.st_mode))
		err = S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
	if (err < 0)
		refusal_log(&conf->pid_file_at, "pid_file", conf->pid_file,
		    "%s", pidfile_describe(err, why));
	return err == 0;
}

char *
pidfile_old_path(const char *path)
{
	struct str old = {0};

	str_printf(&old, "%s.oldbin", path);
	if (!str_failed(&old))
		return old.s;
	str_fini(&old);
	return NULL;
}

int
pidfile_move(const char *from, const char *to, int fd)
{
	if (fd == -1 || !fd_is_named(fd, from))
		return 0;
	return rename(from, to) == -1 ? -errno : 0;
}

void
pidfile_drop(const char *path, int *fd)
{
	if (*fd == -1)
		return;
	if (fd_is_named(*fd, path))
		(void)unlink(path);
	else
		log_warn("pid_file %s: it is gone, or another's by now, and "
			 "left as it is",
		    path);
	fd_close(fd);
}
