/*
 * config/mistakes.h - messages about directives that are unknown, misplaced, or have
 * the wrong number of values.
 *
 * Each function adds one line to `errors` (lexer_mistake()), which also says what is
 * allowed or what may have been meant.
 */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "config/directives.h"
#include "config/lexer.h"

/* There is no directive `name`, which stands in `block`.  The line says what another
 * server's directive is called here (hints.h), or which name is similar. */
void mistakes_unknown(
    struct str *errors, const struct token *name, enum directives_block block);

/* The directive may not stand in `block`. */
void mistakes_misplaced(struct str *errors, const struct conf_place *at,
    const struct directive *d, enum directives_block block);

/* The directive does not take `count` values. */
void mistakes_count(struct str *errors, const struct conf_place *at,
    const struct directive *d, size_t count);

#endif
