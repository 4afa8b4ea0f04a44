/*
 * proc/about.h - what this binary is made of (-V).
 */
#ifndef PROC_ABOUT_H
#define PROC_ABOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/check.h"

/* Print on `out`: the engines; each library, with the version that is loaded and the
 * version that this binary was built with; and the compiler and its flags. */
void about_print(FILE *out);

/* Print the README's table of the members of the access log in JSON. */
void about_log_fields(FILE *out);

/*
 * about_library(name, ret, size):
 * Find the file that is loaded for a library that has no call for its version:
 * "liburing.so.2.3" for "liburing.so".  Writes its name to the `size` bytes at
 * `ret`.  False when the library is linked statically, or the system does not say
 * (about_linux.c, about_posix.c).
 */
NODISCARD bool about_library(const char *name, char *ret, size_t size);

#endif
