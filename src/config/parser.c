#include "config/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/block_words.h"
#include "config/hints.h"
#include "config/lexer.h"
#include "config/mistakes.h"
#include "config/source.h"
#include "config/value.h"

/* A text that is being read. */
struct source {
	const struct source *up; /* the one that includes it; NULL: none */
	const char *name;
	struct source_id id;
	struct lexer lx;
};

/* A statement: NAME VALUE ... and then ; or { */
struct statement {
	struct token name;
	struct token values[VALUES_MAX];
	size_t count; /* of values, including those beyond VALUES_MAX */
	struct conf_place end; /* the byte behind its last word */
	bool bad;   /* one of its words is wrong, which was reported */
	bool opens; /* it ends with { */
};

/* The directive that a block began with, and where. */
struct opening {
	const char *name;
	struct conf_place at;
};

/* One for each parser_run().  `st` is overwritten by the statements of an inner block or
 * an included file: after reading one it must not be used. */
struct parser {
	const char *cwd;
	struct str *errors;
	struct parser_block *top;
	unsigned nesting, depth;
	bool wins;	    /* it reads directives of the command line */
	bool no_more_files; /* a limit was reached, which was reported */
	bool failed;	    /* out of memory: all functions return */
	struct statement st;
	struct token next;
};

/* Skip a block whose { was just read, up to its } or the end of the text. */
static void
skip_block(struct parser *p, struct lexer *lx)
{
	size_t open = 1;

	while (open > 0) {
		lexer_next(lx, &p->next);
		if (p->next.kind == TOKEN_OPEN)
			open++;
		else if (p->next.kind == TOKEN_CLOSE)
			open--;
		else if (p->next.kind == TOKEN_END)
			break;
	}
}

/* True when the word `t` begins the next statement, because the ; of this one was
 * forgotten at the end of its line.  (Options of a listen contain a =.) */
static bool
is_next_statement(const struct statement *st, const struct token *t)
{
	const struct directive *d;

	if (t->kind != TOKEN_WORD || t->quoted || t->at.line <= st->end.line)
		return false;
	d = directives_find(st->name.text);
	if (directives_find(t->text) != NULL)
		return true;
	if (d != NULL && d->type == VALUE_LISTEN)
		return st->count > 0 && strchr(t->text, '=') == NULL;
	return d != NULL && st->count >= directives_values_max(d);
}

/* What to say of a directive that has values of another server, and the index of such
 * a value; NULL: it has none. */
static const char *
foreign_values(const struct statement *st, size_t *ret_which)
{
	size_t kept = st->count < VALUES_MAX ? st->count : VALUES_MAX;

	if (st->name.kind == TOKEN_BAD)
		return NULL;
	return hints_of_values(st->name.text, st->values, kept, ret_which);
}

/* True when a hint will be given for the whole statement.  Then a word that is wrong,
 * such as a regular expression, is not reported as well. */
static bool
parser_is_foreign(const struct statement *st)
{
	size_t which;

	return foreign_values(st, &which) != NULL ||
	       (st->name.kind != TOKEN_BAD &&
		   directives_find(st->name.text) == NULL &&
		   hints_find(st->name.text) != NULL);
}

/* Keep a value; report it if it is malformed. */
static void
add_value(struct parser *p, const struct token *t)
{
	struct statement *st = &p->st;

	if (st->count < VALUES_MAX)
		st->values[st->count] = *t;
	st->count++;
	st->end = t->end;
	if (t->kind != TOKEN_BAD)
		return;
	st->bad = true;
	if (!parser_is_foreign(st))
		lexer_mistake(p->errors, &t->at,
		    st->name.kind == TOKEN_BAD ? NULL : st->name.text, "%s",
		    t->why);
}

/* Read the values behind the name, and the ; or { behind them. */
static void
read_values(struct parser *p, struct lexer *lx)
{
	struct statement *st = &p->st;
	struct token *t = &p->next;
	const struct directive *d;
	struct lexer before;

	st->count = 0;
	st->end = st->name.end;
	st->bad = st->name.kind == TOKEN_BAD;
	if (st->bad)
		lexer_mistake(
		    p->errors, &st->name.at, NULL, "%s", st->name.why);
	for (;;) {
		before = *lx;
		lexer_next(lx, t);
		if (t->kind != TOKEN_WORD && t->kind != TOKEN_BAD)
			break;
		if (is_next_statement(st, t))
			break;
		add_value(p, t);
	}
	st->opens = t->kind == TOKEN_OPEN;
	if (t->kind == TOKEN_SEMICOLON || t->kind == TOKEN_OPEN)
		return;
	*lx = before;
	/* A malformed word may have swallowed the ; as well, and a block that
	 * lacks its { is reported later. */
	d = directives_find(st->name.text);
	if (!st->bad && (d == NULL || d->type != VALUE_BLOCK))
		lexer_mistake(
		    p->errors, &st->end, st->name.text, "; is missing");
}

/* True when the statement has as many values as the directive takes. */
static bool
has_right_count(struct parser *p, const struct directive *d)
{
	const struct statement *st = &p->st;
	size_t max = directives_values_max(d);

	if (st->count <= max && (st->count > 0 || max == 0))
		return true;
	mistakes_count(p->errors, &st->name.at, d, st->count);
	p->failed |= str_failed(p->errors);
	return false;
}

static void parse_statements(struct parser *p, struct source *src,
    struct parser_block *b, const struct opening *opened);

/* Read the block that begins here into a new parser_block, which is added to `b` if
 * its directive has no mistake and is allowed there, and else dropped. */
static void
open_block(struct parser *p, struct source *src, struct parser_block *b,
    const struct directive *d)
{
	struct statement *st = &p->st;
	struct parser_block *inner;
	bool whole = directives_is_allowed(d, b->block);
	unsigned methods = 0;

	b->has_blocks = true;
	if (!whole)
		mistakes_misplaced(p->errors, &st->name.at, d, b->block);
	if (!st->bad && !has_right_count(p, d))
		whole = false;
	else if (!st->bad && d->owner == BLOCK_LOCATION)
		whole = block_words_prefix(&st->values[0], p->errors) && whole;
	else if (!st->bad && d->owner == BLOCK_EXCEPT)
		whole = block_words_methods(
			    st->values, st->count, &methods, p->errors) &&
			whole;
	if (!st->opens) {
		if (!st->bad)
			lexer_mistake(p->errors, &st->end, d->name,
			    "a block must follow: { ... }");
		return;
	}
	if (p->nesting == PARSER_NESTING_MAX) {
		skip_block(p, &src->lx);
		return;
	}
	inner = parser_block_new(b, d->owner, &st->name.at);
	if (inner == NULL) {
		p->failed = true;
		return;
	}
	inner->methods = methods;
	if (whole && !st->bad) {
		list_append(&b->blocks, &inner->node);
		if (d->owner == BLOCK_LOCATION) {
			inner->location.prefix = strdup(st->values[0].text);
			p->failed |= inner->location.prefix == NULL;
		}
	}
	p->nesting++;
	parse_statements(p, src, inner, &(struct opening){d->name, inner->at});
	p->nesting--;
	if (!list_is_linked(&inner->node))
		parser_free(&inner);
}

/* A copy of `name` that is freed with the blocks; NULL: out of memory. */
static const char *
keep_name(struct parser *p, const char *name)
{
	struct config *c = &p->top->top;
	char *copy, **grown;

	grown = realloc(c->files, (c->file_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	c->files = grown;
	copy = strdup(name);
	if (copy != NULL)
		c->files[c->file_count++] = copy;
	return copy;
}

static void
parse_source(struct parser *p, struct source *src, struct parser_block *b,
    const char *text, size_t len)
{
	src->name = keep_name(p, src->name);
	if (src->name == NULL) {
		p->failed = true;
		return;
	}
	lexer_init(&src->lx, src->name, text, len);
	parse_statements(p, src, b, NULL);
}

static bool
is_open_already(const struct source *src, const struct source *fresh)
{
	for (; src != NULL; src = src->up)
		if (source_is_same(&src->id, &fresh->id))
			return true;
	return false;
}

/* True when one more file may be read.  Reports the limit once, when it is reached. */
static bool
may_include(struct parser *p, const struct conf_place *at)
{
	if (p->no_more_files)
		return false;
	p->no_more_files = true;
	if (p->depth == PARSER_INCLUDE_DEPTH_MAX)
		lexer_mistake(p->errors, at, "include",
		    "more than %d files deep", PARSER_INCLUDE_DEPTH_MAX);
	else if (p->top->top.file_count >= PARSER_FILES_MAX)
		lexer_mistake(p->errors, at, "include", "more than %d files",
		    PARSER_FILES_MAX);
	else
		p->no_more_files = false;
	return !p->no_more_files;
}

static void
include_file(struct parser *p, const struct source *up, struct parser_block *b,
    const char *name, const struct conf_place *at)
{
	struct source src = {.up = up, .name = name};
	struct str text = {0}, shown = {0};
	const char *why;

	if (!may_include(p, at))
		return;
	str_escape(&shown, name, strlen(name));
	why = source_read(name, false, &src.id, &text);
	if (str_failed(&shown) || str_failed(&text)) {
		p->failed = true;
	} else if (why != NULL) {
		lexer_mistake(p->errors, at, "include",
		    "%s: cannot be read: %s", shown.s, why);
	} else if (is_open_already(up, &src)) {
		lexer_mistake(
		    p->errors, at, "include", "%s includes itself", shown.s);
	} else {
		p->depth++;
		parse_source(p, &src, b, text.s ? text.s : "", text.len);
		p->depth--;
	}
	str_fini(&shown);
	str_fini(&text);
}

static void
include(struct parser *p, const struct source *src, struct parser_block *b)
{
	const struct token *t = &p->st.values[0];
	struct conf_place at = t->at;
	struct str names = {0};

	if (t->len == 0) {
		lexer_mistake(p->errors, &at, "include", "the path is empty");
		return;
	}
	source_find(src->name, t->text, &names);
	p->failed |= str_failed(&names);
	for (size_t i = 0; !p->failed && i < names.len;) {
		include_file(p, src, b, names.s + i, &at);
		i += strlen(names.s + i) + 1;
	}
	str_fini(&names);
}

/* Store the values of a directive; their number is right. */
static void
set_value(struct parser *p, struct parser_block *b, const struct directive *d)
{
	struct statement *st = &p->st;
	struct parser_given *g =
	    &b->given[directives_index(directives_holder(d))];
	struct value_input in = {
	    .cwd = p->cwd, .count = st->count, .at = st->name.at};
	int err;

	for (size_t i = 0; i < st->count; i++) {
		in.values[i] = st->values[i].text;
		in.places[i] = st->values[i].at;
	}
	err = value_set(d, parser_base(b, d), &in);
	if (err == -ENOMEM || str_failed(&in.why)) {
		p->failed = true;
	} else if (err < 0) {
		g->bad = true;
		lexer_mistake(p->errors, &st->values[in.wrong].at, d->name,
		    "%s", in.why.s);
	} else if (d->type == VALUE_LISTEN) {
		b->server.listens[b->server.listen_count - 1].place =
		    st->name.at;
	}
	str_fini(&in.why);
}

/* Act on a directive that begins no block. */
static void
apply(struct parser *p, const struct source *src, struct parser_block *b,
    const struct directive *d)
{
	struct statement *st = &p->st;
	const struct directive *holder = directives_holder(d);
	struct parser_given *g = &b->given[directives_index(holder)];
	bool again = g->at.line != 0;
	struct str first = {0};

	if (d->type == VALUE_INCLUDE) {
		if (!st->bad && has_right_count(p, d))
			include(p, src, b);
		return;
	}
	if (again && p->wins && !g->wins) {
		/* It replaces what the file says. */
		value_clear(holder, parser_base(b, holder));
		*g = (struct parser_given){.wins = true};
		again = false;
	}
	if (again && !directives_repeats(d)) {
		lexer_place(&first, &g->at);
		lexer_mistake(p->errors, &st->name.at, d->name,
		    "given twice in this block, first at %s",
		    str_failed(&first) ? "another place" : first.s);
		str_fini(&first);
		return;
	}
	if (g->at.line == 0)
		g->at = st->name.at;
	g->wins = p->wins;
	if (st->bad || !has_right_count(p, d))
		g->bad = true;
	else
		set_value(p, b, d);
}

/* A block that means nothing here, such as nginx's http: its content is read as if it
 * stood in `b`, so that all mistakes are reported in one run.  False: it is no such
 * block. */
static bool
look_through(struct parser *p, struct source *src, struct parser_block *b)
{
	const struct statement *st = &p->st;
	const struct hint *h = hints_find(st->name.text);
	struct opening opened;

	if (h == NULL || !h->wraps || !st->opens || b->block != BLOCK_TOP ||
	    p->nesting == PARSER_NESTING_MAX)
		return false;
	opened = (struct opening){h->name, st->name.at};
	p->nesting++;
	parse_statements(p, src, b, &opened);
	p->nesting--;
	return true;
}

/* Act on a statement whose name is no directive. */
static void
evaluate_unknown(struct parser *p, struct source *src, struct parser_block *b)
{
	const struct statement *st = &p->st;

	if (st->name.kind != TOKEN_BAD) { /* else it was reported */
		mistakes_unknown(p->errors, &st->name, b->block);
		if (look_through(p, src, b))
			return;
	}
	if (st->opens) {
		b->has_blocks = true; /* it is not known which */
		skip_block(p, &src->lx);
	}
}

/* `form atomic on` is another way to write `form_atomic on`. */
static void
join_form_atomic(struct statement *st)
{
	static const char joined[] = "form_atomic";

	if (st->name.kind != TOKEN_WORD || strcmp(st->name.text, "form") != 0 ||
	    st->count != 2 || strcmp(st->values[0].text, "atomic") != 0)
		return;
	memcpy(st->name.text, joined, sizeof(joined));
	st->name.len = sizeof(joined) - 1;
	st->values[0] = st->values[1];
	st->count = 1;
}

/* Act on the statement that was read. */
static void
evaluate(struct parser *p, struct source *src, struct parser_block *b)
{
	struct statement *st = &p->st;
	const struct directive *d = directives_find(st->name.text);
	bool opens = st->opens; /* an include reads others into *st */
	const char *hint;
	size_t which;

	if (d == NULL || st->name.kind == TOKEN_BAD) {
		evaluate_unknown(p, src, b);
		return;
	}
	hint = foreign_values(st, &which);
	if (hint != NULL) {
		st->bad = true;
		lexer_mistake(
		    p->errors, &st->values[which].at, d->name, "%s", hint);
	}
	if (p->wins && !directives_has_value(directives_holder(d))) {
		lexer_mistake(p->errors, &st->name.at, d->name,
		    "cannot be given with -g: write it into the file");
		if (opens)
			skip_block(p, &src->lx);
		return;
	}
	if (d->type == VALUE_BLOCK) {
		open_block(p, src, b, d);
		return;
	}
	if (!directives_is_allowed(d, b->block))
		mistakes_misplaced(p->errors, &st->name.at, d, b->block);
	else if (opens)
		lexer_mistake(p->errors, &st->name.at, d->name,
		    "it has no block; end it with ;");
	else
		apply(p, src, b, d);
	if (opens) {
		b->has_blocks = true; /* it is not known which */
		skip_block(p, &src->lx);
	}
}

/*
 * Read statements into `b`, up to the } of the block that `opened` began in this text;
 * or up to the end of the text, when `opened` is NULL.
 */
static void
parse_statements(struct parser *p, struct source *src, struct parser_block *b,
    const struct opening *opened)
{
	struct token *t = &p->st.name;

	while (!p->failed) {
		lexer_next(&src->lx, t);
		switch (t->kind) {
		case TOKEN_END:
			if (opened != NULL)
				lexer_mistake(p->errors, &opened->at,
				    opened->name,
				    "the block is never closed; } is missing");
			return;
		case TOKEN_CLOSE:
			if (opened != NULL)
				return;
			lexer_mistake(
			    p->errors, &t->at, NULL, "} closes no block");
			break;
		case TOKEN_SEMICOLON:
			lexer_mistake(
			    p->errors, &t->at, NULL, "; ends no directive");
			break;
		case TOKEN_OPEN:
			lexer_mistake(p->errors, &t->at, NULL,
			    "{ opens no block; a name must stand before it");
			b->has_blocks = true;
			skip_block(p, &src->lx);
			break;
		case TOKEN_WORD:
		case TOKEN_BAD:
		default:
			read_values(p, &src->lx);
			join_form_atomic(&p->st);
			evaluate(p, src, b);
			break;
		}
	}
}

/* Directives of the command line replace those of the file outside of its blocks. */
static void
parse_command_line(struct parser *p, const char *text)
{
	struct source src = {.name = "-g"};

	if (text == NULL || p->failed)
		return;
	p->wins = true;
	parse_source(p, &src, p->top, text, strlen(text));
}

int
parser_run(const struct parser_input *in, struct str *errors,
    struct parser_block **ret)
{
	struct source src = {.name = in->name};
	struct conf_place start = {in->name, 1, 1};
	struct str text = {0};
	struct parser *p;
	const char *why;
	int err = -ENOMEM;

	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->cwd = in->cwd;
	p->errors = errors;
	p->top = parser_block_new(NULL, BLOCK_TOP, &start);
	if (p->top == NULL)
		goto free_parser;
	if (in->text != NULL) {
		parse_source(p, &src, p->top, in->text, in->len);
	} else {
		why = source_read(in->name, !in->again, &src.id, &text);
		if (why != NULL) {
			str_escape(errors, in->name, strlen(in->name));
			str_printf(errors, ": cannot be read: %s\n", why);
			err = -EINVAL;
			goto free_top;
		}
		parse_source(p, &src, p->top, text.s ? text.s : "", text.len);
	}
	parse_command_line(p, in->directives);
	if (p->failed)
		goto free_top;
	p->top->at.file = p->top->top.files[0];
	*ret = p->top;
	p->top = NULL;
	err = 0;
free_top:
	parser_free(&p->top);
free_parser:
	str_fini(&text);
	free(p);
	return err;
}
