/*
 * config/parser.h - turns text into blocks, each with the values that stand in it.
 *
 *	top { given, values } -> server { given, values } -> location { ... }
 *
 * Every value is checked by itself and stored in the block where it stands.  Nothing is
 * inherited and no default is set here; config.c does that.  Mistakes are added to
 * the text of errors, and parsing goes on behind them.
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
	PARSER_FILES_MAX = 1000, /* files read in one run */
	PARSER_INCLUDE_DEPTH_MAX = 16,
	PARSER_NESTING_MAX = 16, /* deeper blocks are skipped */
};

/* Where a directive stands for the first time in a block. */
struct parser_given {
	struct conf_place at; /* line 0: it does not stand there */
	bool bad;	      /* its value is wrong, which was reported; none is
			       * stored */
	bool wins;	      /* it comes from the command line */
};

struct parser_block {
	enum directives_block block;
	struct parser_block *parent; /* NULL: top */
	struct list_node node;	     /* in the parent's blocks */
	struct list blocks;	     /* inside, those without mistakes */
	bool has_blocks;	     /* there are blocks inside, perhaps with
				      * mistakes */
	struct conf_place at;
	struct parser_given given[DIRECTIVES_MAX]; /* by row */
	/* The values that stand in this block.  Those whose owner is a block
	 * further in are inherited later.  The outermost block owns, in top.files,
	 * all file names that places point to. */
	struct config top;
	struct conf_server server;
	struct conf_location location;
	struct conf_rights rights;
	unsigned methods; /* of a limit_except */
};

/* What to parse: the file `name`; or `text`, if it is not NULL, which messages then
 * call `name`. */
struct parser_input {
	const char *name;
	const char *text;
	size_t len;
	bool again;	 /* a reload: only regular files, which cannot block */
	const char *cwd; /* the working directory; NULL: it is not known */
	/* From the command line ("-g"): each replaces a directive of that name
	 * which the file has outside of its blocks.  NULL: none. */
	const char *directives;
};

/*
 * parser_run(in, errors, ret):
 * Parse it, with all that it includes.  Returns 0 and *ret, which the caller owns until
 * parser_free(), even if there were mistakes, which are lines in `errors` then; -EINVAL
 * when the file cannot be read, which `errors` says too; or -ENOMEM.
 */
NODISCARD int parser_run(const struct parser_input *in, struct str *errors,
    struct parser_block **ret);

/* An empty block that begins at `at`; NULL: out of memory. */
NODISCARD struct parser_block *parser_block_new(struct parser_block *parent,
    enum directives_block block, const struct conf_place *at);

/* Free the block with all blocks inside, and clear the pointer; does nothing when it
 * is NULL. */
void parser_free(struct parser_block **bp);

/* The struct in `b` that holds the values of the row `d`. */
void *parser_base(struct parser_block *b, const struct directive *d);

/* The innermost block, from `b` outwards, in which the directive stands; NULL: none. */
struct parser_block *parser_where(
    struct parser_block *b, const struct directive *d);

#endif
