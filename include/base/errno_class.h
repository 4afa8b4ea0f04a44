/*
 * base/errno_class.h - what a group of errnos means, wherever it is asked.
 *
 * Each takes a negative errno, as all our functions return it; 0 and codes that
 * a folder has for itself (enum local_error) belong to no class.  What an errno
 * becomes for a client is not here but in base/failure.c.
 */
#ifndef BASE_ERRNO_CLASS_H
#define BASE_ERRNO_CLASS_H

#include <errno.h>
#include <stdbool.h>

/* No room: the disk is full, or a quota is used up. */
static inline bool
errno_is_no_space(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

/* No room for so much, or a file may not be so large; less may do. */
static inline bool
errno_is_too_much(int err)
{
	return errno_is_no_space(err) || err == -EFBIG;
}

/* This process, or the system, is short of memory, threads or descriptors.
 * It says nothing of the disk, and may be over in a moment. */
static inline bool
errno_is_our_lack(int err)
{
	return err == -EAGAIN || err == -ENOMEM || err == -EMFILE ||
	       err == -ENFILE;
}

/* The user that this process runs as may not do it. */
static inline bool
errno_is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* The path leads nowhere: there is nothing, or a part of it is no directory. */
static inline bool
errno_is_missing(int err)
{
	return err == -ENOENT || err == -ENOTDIR;
}

/* From path_open_dir() and its like: no directory of that path is below the
 * root.  Part of it is missing, no directory, a symbolic link, or elsewhere. */
static inline bool
errno_is_not_below(int err)
{
	return errno_is_missing(err) || err == -ELOOP || err == -EXDEV;
}

/* A directory that is open was removed meanwhile; NFS says ESTALE.  (Other
 * reasons for ENOENT remain to be ruled out.) */
static inline bool
errno_is_removed(int err)
{
	return err == -ENOENT || err == -ESTALE;
}

/* The file system takes no such name.  (EINVAL has other reasons as well, where
 * more than a name is given.) */
static inline bool
errno_is_bad_name(int err)
{
	return err == -EINVAL || err == -EILSEQ;
}

/* There is no such operation on this system or this file system; as against: it
 * was tried and failed. */
static inline bool
errno_is_unsupported(int err)
{
	return err == -EINVAL || err == -ENOSYS || err == -EOPNOTSUPP;
}

/* The disk of a directory that was in use before: it is broken, was taken away
 * or cannot be reached.  The configuration is not at fault. */
static inline bool
errno_is_disk_fault(int err)
{
	switch (-err) {
	case EIO:
	case ENODEV:
	case ENOTCONN:
	case ENXIO:
	case EROFS:
	case ESTALE:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

/*
 * A call that gives a file its name failed, but may have done it all the same:
 * the reply was lost (NFS, FUSE), or the call was made again after a lost reply
 * and found its own work done (EEXIST, ENOENT).
 */
static inline bool
errno_is_lost_reply(int err)
{
	switch (-err) {
	case EEXIST:
	case ENOENT:
	case EIO:
	case EINTR:
	case EPIPE:
	case ETIMEDOUT:
	case ENOTCONN:
	case ECONNRESET:
	case ECONNABORTED:
		return true;
	default:
		return false;
	}
}

#endif
