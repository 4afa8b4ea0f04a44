/*
 * config/directives.h - every directive, one row each.
 *
 *	row -> parser, range check, default, inheritance, -T, manual
 *
 * A row names the struct its value lives in (struct config, conf_server,
 * conf_location or conf_rights: its `owner`) and the blocks it may stand in: that of its
 * owner and those around it, from which it is inherited.  value.h reads and
 * writes the value by the row.
 */
#ifndef CONFIG_DIRECTIVES_H
#define CONFIG_DIRECTIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/check.h"
#include "base/num.h"
#include "base/str.h"

enum directives_block {
	BLOCK_TOP, /* outside of all blocks; struct config */
	BLOCK_SERVER,
	BLOCK_ADMIN, /* a server without locations: what is allowed in server,
		      * and its rights; struct conf_server */
	BLOCK_LOCATION,
	BLOCK_EXCEPT, /* limit_except; struct conf_rights, which a location
		       * has as well */
	BLOCK_COUNT
};

enum directives_type {
	VALUE_NUMBER,	 /* uint64_t; the word, if any, is VALUE_AUTO */
	VALUE_SIZE,	 /* uint64_t, bytes */
	VALUE_TIME,	 /* double, seconds; min and max are milliseconds */
	VALUE_MODE,	 /* uint64_t, octal: all bits of min are in it, and none
			    that are not in max; the word is 0 */
	VALUE_FLAG,	 /* bool */
	VALUE_CHOICE,	 /* an enum or an int: see `values` below */
	VALUE_SET,	 /* an int: one or more of the words, whose `values`
			    are bits */
	VALUE_PATH,	 /* char *: one of the words, or made absolute */
	VALUE_TEXT,	 /* char *, NULL when not given */
	VALUE_ERROR_LOG, /* error_log and error_level of struct config */
	VALUE_ACCESS_LOG, /* struct conf_access_log */
	VALUE_NAMES,	  /* struct conf_list: hosts, and *.HOST */
	VALUE_ORIGINS,	  /* struct conf_list: origins, or one * */
	VALUE_FORM_NAME,  /* struct conf_list: one of the words; or the first of
			    them that takes a name, and that */
	VALUE_REFERENCE,  /* char *: one of the words, or a path or URL that may
			    stand in a Location field */
	VALUE_FILES,	  /* one more of a struct conf_files, made absolute */
	VALUE_NETWORKS,	  /* struct conf_networks: a set */
	VALUE_RULES,   /* struct conf_networks: one more rule, which allows */
	VALUE_DENY,    /* none of its own: one more of `allow`, which denies */
	VALUE_LISTEN,  /* one more of the listens of struct conf_server */
	VALUE_INCLUDE, /* none: another file is read in its place */
	VALUE_BLOCK,   /* none: it opens the block `owner` */
};

enum directives_apply {
	APPLY_RELOAD,
	APPLY_RESTART,
	APPLY_RESTART_ZERO, /* a change from or to 0: restart; else reload */
};

/* What the directive is about; the README has a table for each. */
enum directives_topic {
	TOPIC_NONE, /* a row lacks its topic: a unit test fails */
	TOPIC_ADDRESS,
	TOPIC_FILES,
	TOPIC_STORED,
	TOPIC_RESUME,
	TOPIC_FORMS,
	TOPIC_RIGHTS,
	TOPIC_LIMITS,
	TOPIC_PATIENCE,
	TOPIC_TLS,
	TOPIC_SPEED,
	TOPIC_PROCESS,
	TOPIC_LOGS,
	TOPIC_COUNT
};

enum {
	DIRECTIVES_MAX = 104,	      /* room for marks, one for each row */
	DIRECTIVES_LISTEN_VALUES = 8, /* an address, and its options */
	DIRECTIVES_LIST_VALUES = 32,  /* of those that take many */
};

struct directive {
	const char *name;
	enum directives_type type;
	enum directives_apply apply;
	enum directives_block owner;
	unsigned contexts; /* bit 1 << BLOCK_x: may stand there */
	size_t offset;	   /* of the value in the owner's struct */
	size_t place;	   /* offset of a struct conf_place there, which says
			    * where the directive stands, for messages after
			    * parsing; 0: it is not kept */
	uint64_t min, max;
	uint64_t multiple;	  /* 0: any */
	const char *const *words; /* NULL or ended by NULL */
	const int *values;	  /* of a VALUE_CHOICE: what its words stand
				   * for; NULL: their index */
	const char *dflt;	  /* as in a file; NULL: none */
	enum directives_topic topic;
	const char *help; /* a clause: lower case, no full stop */
};

/* Sorted by name. */
extern const struct directive directives[];
extern const size_t directives_count;

/* The row of that name, or NULL; and its index in the table. */
const struct directive *directives_find(const char *name);
size_t directives_index(const struct directive *d);

/*
 * directives_nearest(name, block):
 * For a `name` that is no directive: the row whose name is most like it, preferably
 * one that is allowed in `block`; NULL when none is similar.
 */
const struct directive *directives_nearest(
    const char *name, enum directives_block block);

/* True when the directive may stand in the block. */
bool directives_is_allowed(
    const struct directive *d, enum directives_block block);

/* The row that has the value: `allow` for `deny`, which adds to its rules; else `d`. */
const struct directive *directives_holder(const struct directive *d);

/* True when it may stand in a block many times, and each adds one. */
bool directives_repeats(const struct directive *d);

/* True when it has a value that a file, a block around or a default gives. */
bool directives_has_value(const struct directive *d);

/* How many values it takes at most.  The least is 1; a directive that takes at most 0
 * takes none. */
size_t directives_values_max(const struct directive *d);

/* Add to `out` which values are allowed, "4k to 64m, a multiple of 4k"; and in which
 * blocks the directive is, "at top level or in server". */
void directives_allowed(const struct directive *d, struct str *out);
void directives_where(const struct directive *d, struct str *out);

/* "at top level", "in server", "in location". */
extern const char *const directives_block_text[BLOCK_COUNT];

/* Write the bound `n` of a VALUE_NUMBER, VALUE_SIZE or VALUE_TIME as it would stand in
 * a configuration. */
void directives_format_number(
    const struct directive *d, uint64_t n, char ret_text[NUM_TEXT_MAX]);

/* What the topics are called; and "; a change needs a restart", if it does. */
extern const char *const directives_topic_text[TOPIC_COUNT];
const char *directives_apply_text(const struct directive *d);

/* Print the README's tables, one for each topic, with the columns name, contexts,
 * default, range and what it does. */
void directives_markdown(FILE *out);

/* Print the same for the manual, as troff with the macros of man(7). */
void directives_manual(FILE *out);

#endif
