/*
 * proc/command_token.h - penstock token: a token for auth_bearer_file.
 */
#ifndef PROC_COMMAND_TOKEN_H
#define PROC_COMMAND_TOKEN_H

#include "base/check.h"
#include "command.h"

/* Print a new token, and add its hash to the file.  Returns the status to exit with. */
NODISCARD int command_token(
    const struct command_words *w, const struct config *conf);

#endif
