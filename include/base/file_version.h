/*
 * base/file_version.h - which version of which file it is, judged by what its
 * file system says of it.
 *
 * Two versions are the same when size, mtime (in nanoseconds), inode and a mark
 * are.  The mark tells a file from one that gets its inode number later, which
 * on ext4 is the very next one, perhaps with the same size and an mtime that
 * somebody kept (cp -p, rsync -t).  What changes no content (chmod, chown, a
 * link, an extended attribute) changes none of the four.  Who writes into a
 * file in place and then sets its mtime back is not noticed.
 *
 * May wait for the disk.
 */
#ifndef BASE_FILE_VERSION_H
#define BASE_FILE_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

/* What the mark is: the first of these that the file has. */
enum file_mark {
	FILE_UNMARKED, /* none: two versions may look the same */
	FILE_BORN,     /* its birth time */
	FILE_STAMPED,  /* a number that file_version_stamp() gave it */
	FILE_CHANGED,  /* its ctime, which changes more often than it must */
};

struct file_version {
	mode_t mode;
	enum file_mark kind;
	uint64_t inode, size;
	int64_t mtime_s;
	int64_t mtime_ns, ctime_ns; /* since 1970, modulo 2^64 */
	int64_t birth_ns;	    /* 0: it is not told */
	uint64_t mark;
};

/* The version of an open file: 0 or -errno. */
NODISCARD int file_version_of(int fd, struct file_version *ret);

/* The same of `name` in the directory `dir`; a symbolic link is not followed,
 * and what is no regular file has no mark. */
NODISCARD int file_version_at(
    int dir, const char *name, struct file_version *ret);

/* The same, but for the mark of what has no birth time: one system call
 * everywhere. */
NODISCARD int file_version_peek(
    int dir, const char *name, struct file_version *ret);

/* Files of this directory have no birth time: those that we make need a stamp
 * to be told apart. */
bool file_version_needs_stamp(int dir);

/* Give an open file a number of its own, where the file system lets us; it has
 * to be done once, before others see the file. */
void file_version_stamp(int fd);

/* Whether nothing but chance can make two versions look the same. */
static inline bool
file_version_is_sure(const struct file_version *v)
{
	return v->kind != FILE_UNMARKED;
}

/* 128 bits that are the same for the same version, in all processes, and tell
 * nothing else. */
void file_version_digest(const struct file_version *v, uint64_t ret[2]);

#endif
