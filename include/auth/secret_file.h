/*
 * auth/secret_file.h - files of secrets: who may read and write them, and their lines.
 *
 * Read by the master, which may be root, before workers are forked.  What is wrong is said
 * with the number of the line, and never with what stands in it.
 */
#ifndef AUTH_SECRET_FILE_H
#define AUTH_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/span.h"
#include "base/str.h"

enum {
	SECRET_FILE_MAX = 4 << 20, /* bytes */
};

/*
 * secret_file_read(path, ret_text, ret_warning):
 * Add the file to *ret_text.  NULL; or what is wrong: it cannot be read, is no regular file,
 * is too large, or others than its owner and root's group can write it.  *ret_warning:
 * NULL, or that others than owner and group can read it.  All are valid until the next call of strerror().
 */
const char *secret_file_read(
    const char *path, struct str *ret_text, const char **ret_warning);

/* The lines of a text that say something: empty ones, and those that begin with #, are
 * passed over.  Zeroed but for the text. */
struct secret_lines {
	struct span rest;
	unsigned number; /* of the line that was returned last */
};

/* The next line, without white space around it; false at the end. */
bool secret_lines_next(struct secret_lines *l, struct span *ret_line);

/* The next word of a line; false at the end. */
bool secret_words_next(struct span *rest, struct span *ret_word);

/* True when the word begins with `name`, which ends in "="; then *ret is what follows. */
bool secret_word_is(struct span word, const char *name, struct span *ret);

/* Add "line 7: why" and a newline to `errors`. */
void secret_file_mistake(
    struct str *errors, const struct secret_lines *l, const char *why);

/* True for what may name a person, a token or a key: 1 to 64 letters, digits, and - . _ @ +
 * with which no log line can be broken. */
bool secret_name_is_good(struct span name);

#endif
