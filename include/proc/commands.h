/*
 * proc/commands.h - commands that make what gives a right, beside a server or without one.
 *
 *	penstock token FILE NAME [--methods PUT,POST] [--prefix /file/ci]
 *	                         [--expires 30d] [--max-size 1g]
 *	penstock key FILE NAME [--first]
 *	penstock -c CONF sign METHOD PATH --expires 1h [--max-size 1g] [--once]
 *	                                  [--base https://files.example.org]
 *
 * The first two add a line to FILE, which is made with mode 0600, and is looked at first: it has
 * to be of this kind.  A server reads it when it is
 * started or reloaded.  Only what its user is to pass on is printed to stdout: a token, a URL.
 */
#ifndef PROC_COMMANDS_H
#define PROC_COMMANDS_H

#include <stdbool.h>

#include "base/check.h"
#include "config/config.h"

/* Is it one of them?  And is the configuration needed for it? */
bool commands_has(const char *name);
bool commands_needs_config(const char *name);

/* Take "-c FILE" out of the words behind argv[0], which are moved then, and both behind the
 * NULL.  FILE; NULL: it is not there. */
const char *commands_take_file(char **argv);

/* Carry out argv[0], with the words behind it, up to a NULL.  `conf` is NULL unless it is
 * needed.  Returns the status to exit with. */
NODISCARD int commands_run(char **argv, const struct config *conf);

#endif
