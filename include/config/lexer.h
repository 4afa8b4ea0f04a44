/*
 * config/lexer.h - the words of a config file, and where they stand.
 *
 *	keep "all";  # comment  ->  WORD(keep) WORD(all) SEMICOLON END
 *
 * A word ends at a blank, `;`, `{` or `}`.  A quoted word ends at its quote,
 * on its own line.  Behind a backslash, in both, n, r and t mean what they
 * mean in C, xHH is the byte HH, and a sign or a blank is itself.  NUL and
 * raw control characters are no part of any word, a $ only of a quoted one (or
 * behind a backslash): there are no variables.  The lexer survives any
 * bytes: what it cannot take is a TOKEN_BAD, and the next token follows.
 */
#ifndef CONFIG_LEXER_H
#define CONFIG_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"

enum {
	TOKEN_BYTES_MAX = 4096, /* longest word, without quotes and escapes */
};

enum token_kind {
	TOKEN_WORD,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_END, /* of the text; every further token is the same */
	TOKEN_BAD, /* a word that is none; `why` says why */
};

struct token {
	enum token_kind kind;
	struct conf_place at;  /* its first byte, the quote included */
	struct conf_place end; /* the byte behind it */
	bool quoted;
	const char *why; /* static; NULL unless TOKEN_BAD */
	size_t len;
	char text[TOKEN_BYTES_MAX + 1]; /* NUL-terminated, none inside */
};

/* Where reading has come to: a copy of it taken before a token is read, put
 * back, takes the token back. */
struct lexer {
	const char *pos, *end;
	struct conf_place at;
};

/*
 * lexer_init(lx, file, text, len):
 * Read `len` bytes at `text`, which stays the caller's as `file` does, and
 * must outlive the lexer; `file` must outlive the tokens' places too.
 */
void lexer_init(
    struct lexer *lx, const char *file, const char *text, size_t len);

/* The next token; what *ret held before is gone. */
void lexer_next(struct lexer *lx, struct token *ret);

/* Add `text` as one word that lexer_next() reads back, quoted if need be. */
void lexer_quote(struct str *b, const char *text);

/*
 * lexer_mistake(errors, at, directive, fmt, ...):
 * Add the line "file:line:column: directive: message"; `directive` is escaped
 * and clipped, and may be NULL where none is known.
 */
void lexer_mistake(struct str *errors, const struct conf_place *at,
    const char *directive, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Add "file:line:column": for a message that names another place. */
void lexer_place(struct str *b, const struct conf_place *at);

#endif
