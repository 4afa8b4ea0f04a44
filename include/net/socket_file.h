/*
 * net/socket_file.h - the file of a UNIX socket, and who may connect to it.
 *
 *	bind (mode 0000) -> owner and group -> mode -> listen
 *
 * In this order no user can connect at any moment who is not meant to.  Other
 * users may be able to write to the directory, so the path is only used after
 * checking that it still leads to the socket that was bound.
 */
#ifndef NET_SOCKET_FILE_H
#define NET_SOCKET_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/str.h"

/* To connect, a user needs write permission. */
struct socket_rights {
	mode_t mode; /* 0000 to 0777 */
	uid_t owner; /* (uid_t)-1: stays as it is */
	gid_t group; /* (gid_t)-1: the same */
};

/*
 * socket_file_bind(fd, addr, ret_st):
 * bind(2), with mode 0000 whatever the umask and the directory's default access
 * list are; *ret_st is the new file.  0, or a negative errno and there is no
 * file.
 */
NODISCARD int socket_file_bind(
    int fd, const struct addr *addr, struct stat *ret_st);

/*
 * socket_file_give(path, st, rights):
 * Give the file `st` at `path` these rights.  In between it is never open to a
 * user who could not connect before or will not be able to afterwards.  0 or a
 * negative errno: -ESTALE: the path leads to another file by now; -EPERM: this
 * process may not change it so.
 */
NODISCARD int socket_file_give(const char *path, const struct stat *st,
    const struct socket_rights *rights);

/* True when the file does not have these rights. */
bool socket_file_differs(
    const struct stat *st, const struct socket_rights *rights);

/* Remove the file, if `path` still leads to it. */
void socket_file_remove(const char *path, const struct stat *st);

/* Add " (mode 0660, root:www-data)"; if only root can connect, which is seldom
 * intended, also what to do about it. */
void socket_file_describe(const struct stat *st, struct str *out);

/* The same for rights that a file is to get. */
void socket_file_describe_rights(
    const struct socket_rights *rights, struct str *out);

/*
 * Internal: implemented by socket_file_linux.c and socket_file_posix.c.  0 or a
 * negative errno.  They work on the file at `path`, provided that it is `st`,
 * and follow no symbolic link.
 */
NODISCARD int socket_file_hide(int fd); /* before bind(): mode 0000 */
NODISCARD int socket_file_open(
    const char *path, const struct stat *st, int *ret_fd);
NODISCARD int socket_file_chown(
    const char *path, int fd, uid_t owner, gid_t group);
NODISCARD int socket_file_chmod(const char *path, int fd, mode_t mode);

#endif
