/*
 * local/file_version.h - identifies a version of a file by its metadata.
 *
 * Two versions are the same when size, mtime (in nanoseconds), inode and a mark
 * are.  The mark tells a file from a later one with the same inode number: ext4
 * gives a freed number to the next file, which may have the same size and a
 * preserved mtime (cp -p, rsync -t).  Changes that leave the content alone
 * (chmod, chown, a link, an extended attribute) change none of the four.  A
 * write in place whose mtime is set back afterwards goes unnoticed.
 *
 * All of it may block on the disk.
 */
#ifndef LOCAL_FILE_VERSION_H
#define LOCAL_FILE_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/object_info.h"

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

/* The same of `name` in the directory `dir`.  Symbolic links are not followed;
 * anything but a regular file has no mark. */
NODISCARD int file_version_at(
    int dir, const char *name, struct file_version *ret);

/* The same with one system call, but without the mark of files that have no
 * birth time. */
NODISCARD int file_version_peek(
    int dir, const char *name, struct file_version *ret);

/* True when files in this directory have no birth time, so that those made here
 * need a stamp to be told apart. */
bool file_version_needs_stamp(int dir);

/* Store a random number in the file's attributes, if the file system allows it.
 * To be done once, before the file has a name. */
void file_version_stamp(int fd);

/* Two different versions can look the same only by chance. */
static inline bool
file_version_is_sure(const struct file_version *v)
{
	return v->kind != FILE_UNMARKED;
}

/* What is told of it.  Its entity-tag reveals no inode number; it is weak where
 * the version is not sure. */
void file_version_describe(
    const struct file_version *v, struct object_info *ret);

/* A 128-bit hash, the same for the same version in all processes.  It reveals
 * nothing of the fields. */
void file_version_digest(const struct file_version *v, uint64_t ret[2]);

#endif
