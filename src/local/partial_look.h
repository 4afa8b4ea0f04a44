/*
 * local/partial_look.h - a look at a partial that others may have open.
 */
#ifndef LOCAL_PARTIAL_LOOK_H
#define LOCAL_PARTIAL_LOOK_H

#include <stdint.h>

#include "base/check.h"

/* `.penstock` below the directory `root`: a descriptor, or -errno.  It is no symlink. */
NODISCARD int partial_look_dir(int root);

/*
 * partial_look_open(root, id, offset, ret_fd):
 * On an engine thread: open the bytes of a partial that is PARTIAL_OPEN for reading; *offset
 * becomes its offset, unless that is known already (not UINT64_MAX).  0, -errno,
 * LOCAL_NO_UPLOAD or LOCAL_GARBLED.
 */
NODISCARD int partial_look_open(
    int root, const char *id, uint64_t *offset, int *ret_fd);

#endif
