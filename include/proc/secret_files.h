/*
 * proc/secret_files.h - reads the files of tokens, passwords and keys that a configuration
 * names, which only the master may be able to read, and logs what is wrong with them, and
 * with the rules that they are for.
 */
#ifndef PROC_SECRET_FILES_H
#define PROC_SECRET_FILES_H

#include "auth/secrets.h"
#include "base/check.h"
#include "config/config.h"

/*
 * secret_files_read(conf, what, ret):
 * secrets_load(), with a line in the log for each mistake and each warning, and `what` before
 * it.  False when there was a mistake.
 */
NODISCARD bool secret_files_read(
    const struct config *conf, const char *what, struct secrets **ret);

#endif
