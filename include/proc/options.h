/*
 * proc/options.h - the command line.
 */
#ifndef PROC_OPTIONS_H
#define PROC_OPTIONS_H

#include <stdbool.h>

#include "base/check.h"

enum {
	OPTIONS_EXIT_USAGE = 2, /* of the program, when it was called wrongly */
	OPTIONS_GO_ON = -1,
};

struct options {
	const char *file;	/* -c; NULL: the built-in defaults */
	const char *directives; /* -g; NULL: none */
	const char *signal;	/* -s; NULL: none */
	bool check, print, markdown;
};

/*
 * options_read(argc, argv, ret):
 * OPTIONS_GO_ON, and *ret points into `argv`; or the status to exit with: what was
 * asked for has been printed to stdout, or what is wrong to stderr.
 */
NODISCARD int options_read(int argc, char **argv, struct options *ret);

/* Tell on stderr that the command line is wrong, how it is to be, and where there
 * is more; the status to exit with. */
NODISCARD int options_wrong(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* What was asked for has been written to stdout: the status to exit with, 1 after
 * saying on stderr that it did not get there. */
NODISCARD int options_end_output(void);

#endif
