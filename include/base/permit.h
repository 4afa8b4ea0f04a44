/*
 * base/permit.h - what this process, as the user that it is now, may make.
 *
 * Told without opening or making anything.  So it is a guess where more than
 * permissions decides, such as the room on a disk; and by the time of the use
 * it may be different.
 */
#ifndef BASE_PERMIT_H
#define BASE_PERMIT_H

#include "base/check.h"

/* Write the file at `path`, which is absolute, or make it in a directory that is
 * there: 0 or a negative errno. */
NODISCARD int permit_file(const char *path);

/* Give something that name, or take the name away: 0 or a negative errno. */
NODISCARD int permit_name(const char *path);

/* Make files in the directory at `path`, which is absolute, or make it and those
 * above it that are missing: 0 or a negative errno. */
NODISCARD int permit_dir(const char *path);

#endif
