/*
 * proc/command_file.h - a line that is added to a file of secrets.
 */
#ifndef PROC_COMMAND_FILE_H
#define PROC_COMMAND_FILE_H

#include "base/check.h"
#include "base/str.h"

/* Append the line, which ends with a newline, to the file, which is made with mode 0600 if
 * there is none.  The line goes to stable storage whole.  0, or a negative errno. */
NODISCARD int command_file_add(const char *path, struct str *line);

#endif
