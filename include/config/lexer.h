/*
 * config/lexer.h - the words of a config file, and where they stand.
 *
 *	keep "all";  # comment  ->  WORD(keep) WORD(all) SEMICOLON END
 *
 * A word ends at a blank, `;`, `{` or `}`.  A quoted word ends at its closing quote,
 * which must stand on the same line.  In both kinds \n, \r and \t mean what they mean in
 * C, \xHH is the byte HH, and a backslash before punctuation or a blank stands for that
 * character.  A word cannot contain NUL or raw control characters, and contains a $
 * only in quotes or behind a backslash, since there are no variables.  The input may be
 * any bytes: what cannot be read becomes a TOKEN_BAD, and the next token follows.
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
	TOKEN_END, /* the end of the text; every further token is this one */
	TOKEN_BAD, /* a malformed word; `why` says what is wrong */
};

struct token {
	enum token_kind kind;
	struct conf_place at;  /* its first byte, the quote included */
	struct conf_place end; /* the byte behind it */
	bool quoted;
	const char *why; /* static; NULL unless TOKEN_BAD */
	size_t len;
	char text[TOKEN_BYTES_MAX + 1]; /* NUL-terminated, without NUL inside */
};

/* The position in the text.  To read a token again, copy this struct before
 * lexer_next() and assign the copy to it afterwards. */
struct lexer {
	const char *pos, *end;
	struct conf_place at;
};

/*
 * lexer_init(lx, file, text, len):
 * Read `len` bytes at `text`.  Both `text` and `file`, its name, stay the caller's;
 * `text` must outlive the lexer, and `file` also the places of all tokens.
 */
void lexer_init(
    struct lexer *lx, const char *file, const char *text, size_t len);

/* Read the next token into *ret. */
void lexer_next(struct lexer *lx, struct token *ret);

/* Add `text` to `b` as one word that lexer_next() would read back, in quotes where
 * they are needed. */
void lexer_quote(struct str *b, const char *text);

/*
 * lexer_mistake(errors, at, directive, fmt, ...):
 * Add to `errors` the line "file:line:column: directive: message".  `directive` is
 * escaped and clipped; NULL: it is not known, and left out.
 */
void lexer_mistake(struct str *errors, const struct conf_place *at,
    const char *directive, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Add "file:line:column" to `b`, for a message that mentions a second place. */
void lexer_place(struct str *b, const struct conf_place *at);

#endif
