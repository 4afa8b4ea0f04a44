/*
 * base/fd_pass.h - messages between two related processes, each with a descriptor if need be.
 *
 * So a process that may open a file gives it to one that may not.
 */
#ifndef BASE_FD_PASS_H
#define BASE_FD_PASS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"

/* Two connected ends, which do not block and keep messages apart: 0 or a negative errno. */
NODISCARD int fd_pass_pair(int ret[2]);

/* Send a message, which is not empty, and a copy of `fd` (-1: none) with it: 0; -EAGAIN: there
 * is no room now; or another negative errno. */
NODISCARD int fd_pass_send(int sock, const void *buf, size_t len, int fd);

/*
 * fd_pass_receive(sock, buf, size, ret_fd):
 * The next message: its length; 0: the other end is closed; -EAGAIN: there is none; or another
 * negative errno.  *ret_fd is the caller's to close; -1: none came.
 */
NODISCARD ssize_t fd_pass_receive(
    int sock, void *buf, size_t size, int *ret_fd);

#endif
