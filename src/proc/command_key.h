/*
 * proc/command_key.h - penstock key: a key for signed links.
 */
#ifndef PROC_COMMAND_KEY_H
#define PROC_COMMAND_KEY_H

#include "base/check.h"
#include "command.h"

/* Add a new key to the file.  Returns the status to exit with. */
NODISCARD int command_key(
    const struct command_words *w, const struct config *conf);

#endif
