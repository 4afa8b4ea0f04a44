#include "config/lexer.h"

#include <stdarg.h>
#include <string.h>

#include "base/ascii.h"
#include "base/num.h"

void
lexer_init(struct lexer *lx, const char *file, const char *text, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf"; /* some editors leave one */

	*lx = (struct lexer){text, text + len, {file, 1, 1}};
	if (len >= 3 && memcmp(text, bom, 3) == 0)
		lx->pos += 3;
}

static bool
at_end(const struct lexer *lx)
{
	return lx->pos == lx->end;
}

/* The next byte; there must be one. */
static unsigned char
peek(const struct lexer *lx)
{
	return (unsigned char)*lx->pos;
}

static unsigned char
lexer_take(struct lexer *lx)
{
	unsigned char c = peek(lx);

	lx->pos++;
	lx->at.column++;
	if (c == '\n') {
		lx->at.line++;
		lx->at.column = 1;
	}
	return c;
}

static bool
lexer_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
ends_word(unsigned char c)
{
	return lexer_is_blank(c) || c == ';' || c == '{' || c == '}';
}

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* Only the first thing that is wrong with a token is reported. */
static void
spoil(struct token *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
	t->kind = TOKEN_BAD;
}

static void
lexer_put(struct token *t, unsigned char c)
{
	if (t->len == TOKEN_BYTES_MAX)
		spoil(t, "longer than 4096 bytes");
	else
		t->text[t->len++] = (char)c;
}

static void
put_raw(struct token *t, unsigned char c)
{
	if (c == '\0')
		spoil(t, "a NUL byte is not allowed");
	else if (is_control(c) && c != '\t')
		spoil(t, "a control character is not allowed; write \\xHH");
	else
		lexer_put(t, c);
}

static void
take_hex(struct lexer *lx, struct token *t)
{
	uint64_t byte;

	if (lx->end - lx->pos < 2 || num_parse_hex(lx->pos, 2, &byte) < 0 ||
	    byte == 0) {
		spoil(t, "two hexadecimal digits, not 00, must follow \\x");
		return;
	}
	lexer_take(lx);
	lexer_take(lx);
	lexer_put(t, (unsigned char)byte);
}

/* Read what follows a backslash. */
static void
lexer_take_escape(struct lexer *lx, struct token *t)
{
	unsigned char c;

	if (at_end(lx) || peek(lx) == '\n' || peek(lx) == '\r') {
		spoil(t, "nothing follows the \\");
		return;
	}
	c = lexer_take(lx);
	if (c == 'n')
		lexer_put(t, '\n');
	else if (c == 'r')
		lexer_put(t, '\r');
	else if (c == 't')
		lexer_put(t, '\t');
	else if (c == 'x')
		take_hex(lx, t);
	else if (ascii_is_alnum(c))
		spoil(t, "after a \\ only n, r, t, xHH, a sign or a blank is "
			 "allowed");
	else
		put_raw(t, c);
}

/* A $ was read: it begins a variable, as other servers have them, $name or ${name}.
 * Skip that, so that its braces are not taken for those of a block. */
static void
take_variable(struct lexer *lx, struct token *t)
{
	const char *p = lx->pos;

	spoil(t, "there are no variables: if the $ belongs to the name, write "
		 "it in quotes");
	lexer_put(t, '$');
	if (at_end(lx) || peek(lx) != '{')
		return;
	do
		p++;
	while (p < lx->end && (ascii_is_alnum((unsigned char)*p) || *p == '_'));
	if (p < lx->end && *p == '}')
		while (lx->pos <= p)
			lexer_put(t, lexer_take(lx));
}

static void
take_word(struct lexer *lx, struct token *t)
{
	while (!at_end(lx) && !ends_word(peek(lx))) {
		unsigned char c = lexer_take(lx);

		if (c == '\\')
			lexer_take_escape(lx, t);
		else if (c == '$')
			take_variable(lx, t);
		else
			put_raw(t, c);
	}
}

static void
take_quoted(struct lexer *lx, struct token *t)
{
	unsigned char quote = lexer_take(lx);

	t->quoted = true;
	for (;;) {
		unsigned char c;

		if (at_end(lx) || peek(lx) == '\n') {
			spoil(t, "the quote is not closed on its line");
			return;
		}
		c = lexer_take(lx);
		if (c == quote)
			break;
		if (c == '\\')
			lexer_take_escape(lx, t);
		else
			put_raw(t, c);
	}
	if (!at_end(lx) && !ends_word(peek(lx))) {
		spoil(t, "a blank or ; must follow the closing quote");
		take_word(lx, t);
	}
}

static void
lexer_skip_blanks(struct lexer *lx)
{
	while (!at_end(lx)) {
		if (peek(lx) == '#')
			while (!at_end(lx) && peek(lx) != '\n')
				lexer_take(lx);
		else if (lexer_is_blank(peek(lx)))
			lexer_take(lx);
		else
			break;
	}
}

void
lexer_next(struct lexer *lx, struct token *ret)
{
	lexer_skip_blanks(lx);
	ret->at = lx->at;
	ret->quoted = false;
	ret->why = NULL;
	ret->len = 0;
	ret->kind = TOKEN_WORD;
	if (at_end(lx)) {
		ret->kind = TOKEN_END;
	} else if (peek(lx) == ';') {
		lexer_take(lx);
		ret->kind = TOKEN_SEMICOLON;
	} else if (peek(lx) == '{') {
		lexer_take(lx);
		ret->kind = TOKEN_OPEN;
	} else if (peek(lx) == '}') {
		lexer_take(lx);
		ret->kind = TOKEN_CLOSE;
	} else if (peek(lx) == '"' || peek(lx) == '\'') {
		take_quoted(lx, ret);
	} else {
		take_word(lx, ret);
	}
	ret->text[ret->len] = '\0';
	ret->end = lx->at;
}

static bool
lexer_is_plain(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (!ascii_is_alnum((unsigned char)*text) &&
		    strchr("-._~/:,+=@%*?[]", *text) == NULL)
			return false;
	return true;
}

void
lexer_quote(struct str *b, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text);

	if (lexer_is_plain(text)) {
		str_puts(b, text);
		return;
	}
	str_puts(b, "\"");
	for (size_t i = 0; i < len;) {
		unsigned code = 0;
		size_t n = str_utf8(p + i, len - i, &code);

		if (n == 0 || str_is_control(code)) {
			/* Escape each byte, so that reading gives the same. */
			n = n == 0 ? 1 : n;
			for (size_t j = 0; j < n; j++)
				str_printf(b, "\\x%02x", p[i + j]);
		} else {
			if (code == '"' || code == '\\')
				str_puts(b, "\\");
			str_add(b, p + i, n);
		}
		i += n;
	}
	str_puts(b, "\"");
}

void
lexer_place(struct str *b, const struct conf_place *at)
{
	str_escape(b, at->file, strlen(at->file));
	str_printf(b, ":%u:%u", at->line, at->column);
}

void
lexer_mistake(struct str *errors, const struct conf_place *at,
    const char *directive, const char *fmt, ...)
{
	char name[64];
	va_list ap;

	lexer_place(errors, at);
	str_puts(errors, ": ");
	if (directive != NULL)
		str_printf(errors, "%s: ",
		    str_quote(
			directive, strlen(directive), name, sizeof(name)));
	va_start(ap, fmt);
	str_vprintf(errors, fmt, ap);
	va_end(ap);
	str_puts(errors, "\n");
}
