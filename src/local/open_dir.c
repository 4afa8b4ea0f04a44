#include "open_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "local/path.h"
#include "store/store.h"
#include "local_error.h"

/* mkdir, and its name on stable storage: an acknowledged upload must not be
 * lost with the directory that it is in. */
static int
make_dir(const char *path)
{
	char parent[4096];
	char *slash;
	int fd, err;

	if (mkdir(path, 0777) == -1)
		return errno == EEXIST ? 0 : -errno;
	memcpy(parent, path, strlen(path) + 1);
	slash = strrchr(parent, '/');
	check(slash != NULL); /* paths are absolute */
	slash[slash == parent] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		err = path_sync_dir(fd);
	} else if (errno == EACCES) { /* another user's, and not readable */
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = fd == -1 ? -errno : path_sync_disk(fd);
	} else {
		err = -errno;
	}
	fd_close(&fd);
	if (err == -EINVAL)
		err = 0; /* no such sync here: see local_preflight() */
	if (err < 0)	 /* else the next start takes its name for synced */
		(void)rmdir(path);
	return err;
}

/* mkdir -p. */
static int
make_dirs(const char *dir)
{
	char path[4096];
	size_t len = strlen(dir);
	int err;

	if (len == 0 || len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, len + 1);
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		err = make_dir(path);
		if (err < 0)
			return err;
		if (was == '\0')
			return 0;
		*p = was;
	}
}

/* The number of mounts between `dir` and the root (a bind mount of the same
 * file system is not seen). */
static int
count_mounts(int dir)
{
	struct stat st, up = {0};
	int at = dir, count = 0, err = 0;

	if (fstat(at, &st) == -1)
		return -errno;
	for (;;) {
		err = path_climb(dir, &at, PATH_SEARCH);
		if (err == 0 && fstat(at, &up) == -1)
			err = -errno;
		if (err < 0)
			break;
		if (up.st_dev == st.st_dev && up.st_ino == st.st_ino)
			break; /* the root is above itself */
		count += up.st_dev != st.st_dev;
		st = up;
	}
	if (at != dir)
		fd_close(&at);
	return err < 0 ? err : count;
}

int
open_dir_make(const char *dir, struct mount_record *place)
{
	char *real;
	int fd, mounts, err;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && !mount_history_is_known(place)) {
		err = make_dirs(dir);
		if (err < 0)
			return err;
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd == -1)
		return -errno;
	real = realpath(dir, NULL);
	if (real == NULL) {
		err = -errno;
		fd_close(&fd);
		return err;
	}
	mounts = count_mounts(fd);
	err = mounts < 0 ? mounts : 0;
	if (err == 0 &&
	    mount_history_lacks_mounts(place, real, (unsigned)mounts))
		err = LOCAL_UNMOUNTED;
	if (err == 0)
		mount_history_remember(place, real, (unsigned)mounts);
	else
		fd_close(&fd);
	free(real);
	return err < 0 ? err : fd;
}
