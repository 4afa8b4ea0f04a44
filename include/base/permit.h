/*
 * base/permit.h - may this process, as its present user, make or write a file?
 *
 * Answered from permissions alone, without opening or making anything.  So it
 * is only a guess where other things decide, such as free space, and it may
 * have changed by the time of the use.
 */
#ifndef BASE_PERMIT_H
#define BASE_PERMIT_H

#include "base/check.h"

/* Write the file at `path`, which is absolute, or make it in a directory that
 * is there: 0 or a negative errno. */
NODISCARD int permit_file(const char *path);

/* Create or remove a directory entry of that name: 0 or a negative errno. */
NODISCARD int permit_name(const char *path);

/* Make files in the directory at `path`, which is absolute, or first make it
 * and its missing parents: 0 or a negative errno. */
NODISCARD int permit_dir(const char *path);

#endif
