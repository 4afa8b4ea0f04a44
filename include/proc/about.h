/*
 * proc/about.h - what this binary is made of (-V).
 */
#ifndef PROC_ABOUT_H
#define PROC_ABOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/check.h"

/* Print the engines, each library with the version that is loaded and the one that
 * it was built with, and how it was built. */
void about_print(FILE *out);

/*
 * about_library(name, ret, size):
 * Which file is loaded of a library that cannot be asked, such as
 * "liburing.so.2.3" for "liburing.so".  False: it cannot be told, or is linked in
 * (about_linux.c, _posix.c).
 */
NODISCARD bool about_library(const char *name, char *ret, size_t size);

#endif
