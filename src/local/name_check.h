/*
 * local/name_check.h - names that the file system cannot take.
 *
 * The client has to change such a name: with the same one it would fail again, so it
 * must not be reported as an error of the disk.  File systems say EINVAL or EILSEQ to
 * it, some when it is looked up (those that want UTF-8), others only when it is given
 * (FAT, NTFS).
 */
#ifndef LOCAL_NAME_CHECK_H
#define LOCAL_NAME_CHECK_H

#include "target.h"

/* Giving it a name, or looking for one, said `err`: LOCAL_BAD_NAME, when it is
 * for the name itself. */
int name_check_error(struct target *t, int err);

/* Before there is a body: can the file system take what is new in its name? */
NODISCARD int name_check_try(struct target *t);

#endif
