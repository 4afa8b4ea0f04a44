/*
 * proc/command_file.h - a line that is added to a file of secrets.
 */
#ifndef PROC_COMMAND_FILE_H
#define PROC_COMMAND_FILE_H

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"

/* Add what is in the file to *ret_text, which the caller wipes, so that he can look whether it
 * is one of its kind.  NULL, also when there is none; or why a server would not read it. */
const char *command_file_read(const char *path, struct str *ret_text);

/* Say on stderr that the file is none of those that `directive` names, by the first of the
 * mistakes in it, and that nothing was added.  Returns the status to exit with. */
int command_file_refuse(
    const char *path, const char *directive, struct str *errors);

/* The first mistake of a line that is to be added, without the number of the line. */
const char *command_file_mistake(struct str *errors);

/*
 * command_file_add(path, line, first):
 * Add the line, which ends with a newline, as the last, or as the first one.  A file is made
 * with mode 0600 if there is none.  For a first line one with the mode and owner of the old
 * one takes its place.  The line goes to stable storage whole.  0, or a negative errno.
 */
NODISCARD int command_file_add(const char *path, struct str *line, bool first);

#endif
