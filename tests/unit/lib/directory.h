/*
 * lib/directory.h - a directory of a test's own.
 */
#ifndef LIB_DIRECTORY_H
#define LIB_DIRECTORY_H

#include <stddef.h>

/* Make a new one below $TMPDIR or /tmp, whose name begins with `name`; its path goes to
 * `ret_path`, which has `size` bytes. */
void test_directory_make(const char *name, char *ret_path, size_t size);

/* Remove it with all that is in it; 0 when that was possible. */
int test_directory_remove(const char *path);

#endif
