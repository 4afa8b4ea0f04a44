/*
 * config/parser.h - from text to blocks with the values given in them.
 *
 *	top { given, values } -> server { given, values } -> location { ... }
 *
 * Every value is checked alone and stored in the block it was given in;
 * nothing is inherited and no default set yet (config.c does).  Mistakes are
 * added to the text of errors, and parsing goes on behind them.
 */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/list.h"
#include "base/str.h"
#include "config/config.h"
#include "config/directives.h"

enum {
	PARSER_FILES_MAX = 1000, /* in one run */
	PARSER_INCLUDE_DEPTH_MAX = 16,
	PARSER_NESTING_MAX = 16, /* deeper blocks are not looked into */
};

/* Where a directive was first given in a block. */
struct parser_given {
	struct conf_place at; /* line 0: it was not */
	bool bad;	      /* with a mistake: there is no value, and the
			       * mistake was told */
	bool wins;	      /* on the command line */
};

struct parser_block {
	enum directives_block block;
	struct parser_block *parent; /* NULL: top */
	struct list_node node;	     /* in the parent's blocks */
	struct list blocks;	     /* inside, without mistakes of their own */
	bool has_blocks;	     /* also such as could not be understood */
	struct conf_place at;
	struct parser_given given[DIRECTIVES_MAX]; /* by row */
	/* The values; those of the blocks further in are to be inherited.  All
	 * file names that places point to are in top.files of the top. */
	struct config top;
	struct conf_server server;
	struct conf_location location;
};

/* What to parse: the file `name`, or, if `text` is not NULL, that text, which
 * goes by that name. */
struct parser_input {
	const char *name;
	const char *text;
	size_t len;
	bool again;	 /* only a regular file: nothing is to be waited for */
	const char *cwd; /* where relative paths start; NULL: not known */
	/* From the command line, "-g": they take the place of those that the
	 * file has outside of its blocks.  NULL: none. */
	const char *directives;
};

/*
 * parser_run(in, errors, ret):
 * Parse it with all it includes.  0 and *ret, also with mistakes: then lines
 * were added to `errors`.  -EINVAL when the file cannot be read, which was
 * added too; -ENOMEM.  The caller owns *ret until parser_free().
 */
NODISCARD int parser_run(const struct parser_input *in, struct str *errors,
    struct parser_block **ret);

/* An empty block that begins at `at`; NULL: out of memory. */
NODISCARD struct parser_block *parser_block_new(struct parser_block *parent,
    enum directives_block block, const struct conf_place *at);

/* Free the block with all inside, and clear the pointer; nothing for NULL. */
void parser_free(struct parser_block **bp);

/* The struct in `b` that the row's values live in. */
void *parser_base(struct parser_block *b, const struct directive *d);

/* The innermost block, from `b` outwards, where the directive was given, or
 * NULL. */
struct parser_block *parser_where(
    struct parser_block *b, const struct directive *d);

#endif
