#include "file_version.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"

static int64_t
ns_of(struct timespec t)
{
	return (int64_t)((uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec);
}

/* POSIX knows no birth time. */
static void
take_stat(const struct stat *st, struct file_version *ret)
{
	*ret = (struct file_version){.mode = st->st_mode,
	    .inode = (uint64_t)st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime_s = (int64_t)st->st_mtim.tv_sec,
	    .mtime_ns = ns_of(st->st_mtim),
	    .ctime_ns = ns_of(st->st_ctim)};
	if (S_ISREG(st->st_mode)) {
		ret->mark = (uint64_t)ret->ctime_ns;
		ret->kind = FILE_CHANGED;
	}
}

int
file_version_of(int fd, struct file_version *ret)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	take_stat(&st, ret);
	return 0;
}

int
file_version_at(int dir, const char *name, struct file_version *ret)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -errno;
	take_stat(&st, ret);
	return 0;
}

int
file_version_peek(int dir, const char *name, struct file_version *ret)
{
	return file_version_at(dir, name, ret);
}

bool
file_version_needs_stamp(int dir)
{
	(void)dir;
	return false;
}

void
file_version_stamp(int fd)
{
	(void)fd;
}
