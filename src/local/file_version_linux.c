#include "file_version.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

enum {
	STAMP_LEN = 16, /* hexadecimal digits */
	WANTED = STATX_BASIC_STATS | STATX_BTIME,
};

static const char stamp_name[] = "user.penstock.id";

static int64_t
ns_of(const struct statx_timestamp *t)
{
	/* A year beyond 64 bits of nanoseconds wraps around. */
	return (int64_t)((uint64_t)t->tv_sec * NS_PER_S + t->tv_nsec);
}

/* For systems without statx(2), or where it is forbidden (EPERM from the
 * seccomp filter of old containers). */
static int
ask_plainly(int dir, const char *name, int flags, struct file_version *ret)
{
	struct stat st;

	if (fstatat(dir, name, &st, flags & ~AT_STATX_FORCE_SYNC) == -1)
		return -errno;
	*ret = (struct file_version){.mode = st.st_mode,
	    .inode = st.st_ino,
	    .size = (uint64_t)st.st_size,
	    .mtime_s = st.st_mtim.tv_sec,
	    .mtime_ns = (int64_t)((uint64_t)st.st_mtim.tv_sec * NS_PER_S +
				  (uint64_t)st.st_mtim.tv_nsec),
	    .ctime_ns = (int64_t)((uint64_t)st.st_ctim.tv_sec * NS_PER_S +
				  (uint64_t)st.st_ctim.tv_nsec)};
	return 0;
}

static int
file_version_ask(int dir, const char *name, int flags, struct file_version *ret)
{
	struct statx x;

	if (statx(dir, name, flags, WANTED, &x) == -1)
		return errno == EPERM || errno == ENOSYS
			   ? ask_plainly(dir, name, flags, ret)
			   : -errno;
	*ret = (struct file_version){.mode = x.stx_mode,
	    .inode = x.stx_ino,
	    .size = x.stx_size,
	    .mtime_s = x.stx_mtime.tv_sec,
	    .mtime_ns = ns_of(&x.stx_mtime),
	    .ctime_ns = ns_of(&x.stx_ctime)};
	if (x.stx_mask & STATX_BTIME) {
		ret->birth_ns = ns_of(&x.stx_btime);
		ret->mark = (uint64_t)ret->birth_ns;
		ret->kind = FILE_BORN;
	}
	return 0;
}

static bool
read_stamp(int fd, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	char text[STAMP_LEN];

	if (fgetxattr(fd, stamp_name, text, sizeof(text)) != STAMP_LEN)
		return false;
	*ret = 0;
	for (size_t i = 0; i < STAMP_LEN; i++) {
		const char *digit = memchr(digits, text[i], sizeof(digits) - 1);

		if (digit == NULL)
			return false;
		*ret = *ret << 4 | (uint64_t)(digit - digits);
	}
	return true;
}

/* On FUSE the kernel makes up the ctime until it asks the file system again. */
static bool
is_ctime_true(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type != FUSE_SUPER_MAGIC;
}

/* It has no birth time. */
static int
mark_otherwise(int fd, struct file_version *v)
{
	uint64_t stamp;
	int err;

	/* FUSE and NFS may return attributes that are a second old. */
	err = file_version_ask(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, v);
	if (err < 0 || v->kind != FILE_UNMARKED || !S_ISREG(v->mode))
		return err;
	if (read_stamp(fd, &stamp)) {
		v->mark = stamp;
		v->kind = FILE_STAMPED;
	} else if (is_ctime_true(fd)) {
		v->mark = (uint64_t)v->ctime_ns;
		v->kind = FILE_CHANGED;
	}
	return 0;
}

int
file_version_of(int fd, struct file_version *ret)
{
	int err = file_version_ask(fd, "", AT_EMPTY_PATH, ret);

	return err < 0 || ret->kind == FILE_BORN ? err
						 : mark_otherwise(fd, ret);
}

int
file_version_peek(int dir, const char *name, struct file_version *ret)
{
	return file_version_ask(dir, name, AT_SYMLINK_NOFOLLOW, ret);
}

int
file_version_at(int dir, const char *name, struct file_version *ret)
{
	int fd, err;

	err = file_version_peek(dir, name, ret);
	if (err < 0 || ret->kind == FILE_BORN || !S_ISREG(ret->mode))
		return err;
	/* Its attributes can be read from a descriptor only. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno_is_denied(-errno) ? 0 : -errno;
	err = mark_otherwise(fd, ret);
	fd_close(&fd);
	return err;
}

bool
file_version_needs_stamp(int dir)
{
	struct file_version v = {0};

	return file_version_ask(dir, "", AT_EMPTY_PATH, &v) == 0 &&
	       v.kind != FILE_BORN;
}

void
file_version_stamp(int fd)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[STAMP_LEN / 2];
	char text[STAMP_LEN];

	fd_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		text[2 * i] = digits[random[i] >> 4];
		text[2 * i + 1] = digits[random[i] & 15];
	}
	/* If that is refused, the file has the next best mark. */
	(void)fsetxattr(fd, stamp_name, text, sizeof(text), XATTR_CREATE);
}
