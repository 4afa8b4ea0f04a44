/* local/publish_sys.h - what publishing needs of the system: publish_sys_linux.c,
 * publish_sys_posix.c.  Errors are negative errnos. */
#ifndef LOCAL_PUBLISH_SYS_H
#define LOCAL_PUBLISH_SYS_H

#include <stdbool.h>

#include "base/check.h"

/* ---- names ---- */

/* A file in `dir` that has no name: a descriptor. */
NODISCARD int publish_open_nameless(int dir);

/* Is what is in such a file durable after a sync of it? */
bool publish_syncs_nameless(int dir);

/* It gets a name, which must be new. */
NODISCARD int publish_link_nameless(int fd, int dir, const char *name);

/* A rename that does not replace. */
NODISCARD int publish_rename_new(
    int from_dir, const char *from, int dir, const char *name);

/* ---- locks ---- */

/* Lock a file, or say at once that others have it. */
NODISCARD int publish_lock(int fd);

/* Open what is locked in a `.penstock`, whose path is `temp_dir`. */
NODISCARD int publish_open_lock(int root, const char *temp_dir);

/* Its name behind that directory's. */
extern const char publish_lock_name[];

/* Take that lock, alone or together with others: without waiting (-EWOULDBLOCK), or
 * waiting for it.  Together, or without waiting, only if publish_can_share(). */
NODISCARD int publish_try_lock(int fd, bool together);
NODISCARD int publish_wait_lock(int fd, bool together);

/* Release it, and keep the file open for the next time.  False: not here. */
bool publish_unlock(int fd);

/* Where the kernel's locks do not keep out threads of the same process: take
 * turns with those that take locks on the same disk. */
unsigned publish_begin_turn(int root);
void publish_end_turn(unsigned turn);

/* ---- what directories hand down ---- */

/*
 * `.penstock` is a directory like any other to the kernel: it has inherited
 * group, access list and project id of the root, and would hand them down.  Take
 * from it what files made in it are not to have.
 */
void publish_tidy(int temp_dir, int root, bool nameless, bool is_new);

/* It has a default access list. */
bool publish_hands_down_acl(int dir);

/* The file gets the project id that files made in `dir` have: 0, or -errno if
 * it has that, or cannot. */
NODISCARD int publish_adopt_project(int file, int dir);

#endif
