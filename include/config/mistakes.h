/*
 * config/mistakes.h - what is said of a directive that cannot stand as it does.
 *
 * Each adds one line to the text of errors (lexer.h), and to it what is allowed
 * or what may have been meant.
 */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "config/directives.h"
#include "config/lexer.h"

/* There is no directive of that name; it stands in `block`.  What it is called
 * here, if it is another server's (hints.h), or which name is near. */
void mistakes_unknown(
    struct str *errors, const struct token *name, enum directives_block block);

/* The directive may not stand in `block`. */
void mistakes_misplaced(struct str *errors, const struct conf_place *at,
    const struct directive *d, enum directives_block block);

/* It does not take `count` values. */
void mistakes_count(struct str *errors, const struct conf_place *at,
    const struct directive *d, size_t count);

#endif
