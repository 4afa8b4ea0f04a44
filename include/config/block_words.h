/*
 * config/block_words.h - the words between the name of a block and its {.
 *
 *	location /PREFIX { }   limit_except GET HEAD { }
 *
 * Each function adds a line to `errors` (lexer_mistake()) about a word that is wrong, and
 * returns false then.
 */
#ifndef CONFIG_BLOCK_WORDS_H
#define CONFIG_BLOCK_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "config/lexer.h"

/* The prefix of a location. */
NODISCARD bool block_words_prefix(const struct token *t, struct str *errors);

/* The methods of a limit_except, to a set (base/method_set.h). */
NODISCARD bool block_words_methods(const struct token *words, size_t count,
    unsigned *ret_set, struct str *errors);

#endif
