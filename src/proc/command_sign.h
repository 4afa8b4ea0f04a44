/*
 * proc/command_sign.h - penstock sign: a link with which anybody may send one request.
 */
#ifndef PROC_COMMAND_SIGN_H
#define PROC_COMMAND_SIGN_H

#include "base/check.h"
#include "command.h"

/* Print the link.  Returns the status to exit with. */
NODISCARD int command_sign(
    const struct command_words *w, const struct config *conf);

#endif
