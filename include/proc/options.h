/*
 * proc/options.h - the command line.
 */
#ifndef PROC_OPTIONS_H
#define PROC_OPTIONS_H

#include <stdbool.h>

#include "base/check.h"

enum {
	OPTIONS_EXIT_USAGE = 2, /* the exit status for a wrong command line */
	OPTIONS_GO_ON = -1,
};

struct options {
	const char *file; /* -c, or OPTIONS_CONF (the Makefile has it) if that
			     is there; NULL: the built-in defaults */
	const char *directives; /* -g; NULL: none */
	const char *signal;	/* -s; NULL: none */
	bool check, print, markdown, manual;
	bool log_fields; /* -M twice: of these, and not of directives */
	char **command;	 /* what stands behind the options, up to a NULL; NULL:
			   nothing does */
};

/*
 * options_read(argc, argv, ret):
 * Returns OPTIONS_GO_ON, and *ret points into `argv`.  Otherwise the program is to
 * exit with the status that is returned: what the user asked for was printed to stdout,
 * or what is wrong to stderr.
 */
NODISCARD int options_read(int argc, char **argv, struct options *ret);

/* Print on stderr what is wrong with the command line, how it should be, and where
 * to read more.  Returns the status to exit with. */
NODISCARD int options_wrong(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Flush stdout.  Returns the status to exit with: 0, or 1 after saying on stderr that
 * the output could not be written. */
NODISCARD int options_end_output(void);

#endif
