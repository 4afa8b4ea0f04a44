/*
 * proc/command.h - what the commands have in common: their words, and how they fail.
 *
 * Only proc/commands.c and the files of single commands (command_*.c) include this.
 */
#ifndef PROC_COMMAND_H
#define PROC_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "config/config.h"

enum {
	COMMAND_WORDS_MAX = 2,
};

/* What stands behind the name of a command.  It points into argv. */
struct command_words {
	const char *word[COMMAND_WORDS_MAX]; /* those without -- */
	const char *methods, *prefix, *expires, *max_size,
	    *base; /* NULL: not given */
	bool once, first;
};

struct command {
	const char *name, *usage;
	bool needs_config;
	unsigned words;
	const char *options; /* those that it takes, with a blank behind each */
	int (*run)(const struct command_words *w, const struct config *conf);
};

/* Sort what stands behind argv[0].  Returns 0, or the status to exit with, after saying
 * on stderr what is wrong. */
NODISCARD int command_read_words(
    const struct command *c, char **argv, struct command_words *ret);

/* A duration from now, or a date that is to come, in seconds since the epoch.
 * Returns NULL, or what is wrong. */
NODISCARD const char *command_read_expiry(const char *text, uint64_t *ret_s);

/* Say on stderr until when `what` is good, in seconds since the epoch. */
void command_tell_expiry(const char *what, uint64_t expires_s);

/* Say on stderr why it could not be done.  Returns the status to exit with. */
int command_failed(const char *what, const char *why);

#endif
