/*
 * lib/portable.h - what a PORTABLE build lacks (src/PORTABLE.md) is not
 * tested in one.
 *
 * The Makefile says which build it is: IS_PORTABLE is 0 or 1.
 */
#ifndef LIB_PORTABLE_H
#define LIB_PORTABLE_H

#include "lib/cmocka_with.h"

/* End the test in a PORTABLE build: it has no `what`. */
#define SKIP_PORTABLE(what)                                                    \
	do {                                                                   \
		if (IS_PORTABLE) {                                             \
			print_message("PORTABLE has no %s\n", what);           \
			skip();                                                \
		}                                                              \
	} while (0)

#endif
