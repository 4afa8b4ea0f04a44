/*
 * net/socket_file.h - the file of a UNIX socket, and who may connect by it.
 *
 *	bind (mode 0000) -> owner and group -> mode -> listen
 *
 * So there is no moment in which more may connect than are meant to.  The path is
 * in a directory that others may be able to write to: what it leads to is touched
 * only while it is the socket that was bound.
 */
#ifndef NET_SOCKET_FILE_H
#define NET_SOCKET_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/str.h"

/* To connect takes the right to write. */
struct socket_rights {
	mode_t mode; /* 0000 to 0777 */
	uid_t owner; /* (uid_t)-1: stays as it is */
	gid_t group; /* (gid_t)-1: the same */
};

/*
 * socket_file_bind(fd, addr, ret_st):
 * bind(2) such that the file has mode 0000, whatever umask and directory say;
 * *ret_st is the file then.  0 or a negative errno, and there is no file.
 */
NODISCARD int socket_file_bind(
    int fd, const struct addr *addr, struct stat *ret_st);

/*
 * socket_file_give(path, st, rights):
 * Give the file, which is `st`, these rights; on the way to them it is never open
 * to more than before or afterwards.  0 or a negative errno: -ESTALE, the path
 * leads to another file by now; -EPERM: not by this process.
 */
NODISCARD int socket_file_give(const char *path, const struct stat *st,
    const struct socket_rights *rights);

/* It does not have these rights. */
bool socket_file_differs(
    const struct stat *st, const struct socket_rights *rights);

/* Remove it, if it is still there. */
void socket_file_remove(const char *path, const struct stat *st);

/* Add " (mode 0660, root:www-data)"; and what to do when that lets in nobody but
 * root, which is seldom meant. */
void socket_file_describe(const struct stat *st, struct str *out);

/* The same of what it is to have. */
void socket_file_describe_rights(
    const struct socket_rights *rights, struct str *out);

/*
 * What differs between systems (socket_file_linux.c, _posix.c): 0 or a negative
 * errno.  For the file that the path leads to, if it is `st`; no link is followed.
 */
NODISCARD int socket_file_hide(int fd); /* before bind(): mode 0000 */
NODISCARD int socket_file_open(
    const char *path, const struct stat *st, int *ret_fd);
NODISCARD int socket_file_chown(
    const char *path, int fd, uid_t owner, gid_t group);
NODISCARD int socket_file_chmod(const char *path, int fd, mode_t mode);

#endif
