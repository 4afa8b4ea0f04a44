/*
 * config/hints.h - advice where a configuration uses directives of another server.
 *
 *	client_max_body_size 1g;   ->   here it is max_body_size
 *	auth_basic "who?";         ->   there is no authentication here: ...
 *	listen 443 ssl;            ->   TLS is not spoken here: ...
 *
 * The rows are the directives of nginx, Apache, HAProxy and tusd that newcomers write
 * most often.  Names of our own directives are never looked up here: when one is
 * added, its row here has to go, and a unit test looks for such rows.
 */
#ifndef CONFIG_HINTS_H
#define CONFIG_HINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "config/lexer.h"

enum {
	HINTS_NAMES_MAX = 3,
};

struct hint {
	/* In lower case; "proxy_*" stands for all names that begin so. */
	const char *name;
	const char *here[HINTS_NAMES_MAX]; /* what it is called here */
	const char *more;		   /* a clause, or NULL */
	/* Directives that do something similar. */
	const char *see[HINTS_NAMES_MAX];
	/* A block that means nothing here, such as http: its content is read as
	 * if it stood in place of the block. */
	bool wraps;
};

/* Sorted by name.  Where several rows match a name, the one without a star counts. */
extern const struct hint hints[];
extern const size_t hints_count;

/* The row for `name`, which is no directive of ours, in upper or lower case; NULL:
 * there is none. */
const struct hint *hints_find(const char *name);

/* Add to `out` what the row says: one line, without a newline. */
void hints_say(const struct hint *h, struct str *out);

/*
 * hints_of_values(name, values, count, ret_which):
 * For a directive that exists here too, but has values which only another server's
 * takes: what to say (static), and *ret_which is the index of such a value.  NULL:
 * there is nothing to say.
 */
const char *hints_of_values(const char *name, const struct token *values,
    size_t count, size_t *ret_which);

#endif
