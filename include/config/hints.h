/*
 * config/hints.h - advice for a configuration that has another server's words.
 *
 *	client_max_body_size 1g;   ->   here it is max_body_size
 *	auth_basic "who?";         ->   there is no authentication here: ...
 *	listen 443 ssl;            ->   TLS is not spoken here: ...
 *
 * The words are those of nginx, Apache, HAProxy and tusd that newcomers write
 * most.  A name that is a directive of ours is never looked up here, so a row
 * whose name becomes one has to go; a unit test looks for such rows.
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
	const char
	    *name; /* lower case; "proxy_*" stands for all that begin so */
	const char *here[HINTS_NAMES_MAX]; /* what it is called here */
	const char *more;		   /* a clause, or NULL */
	const char
	    *see[HINTS_NAMES_MAX]; /* directives that do something alike */
	bool wraps; /* a block that we have no use for: what is in it may stand
		     * where the block does */
};

/* Sorted by name; where several match, the row without a star is the one. */
extern const struct hint hints[];
extern const size_t hints_count;

/* The row for a name, in whatever case, that is no directive; or NULL. */
const struct hint *hints_find(const char *name);

/* Add what the row says: one line, without its end. */
void hints_say(const struct hint *h, struct str *out);

/*
 * hints_of_values(name, values, count, ret_which):
 * What to say of a directive that we do have, with values that only another
 * server's takes; *ret_which is the one that gives it away.  NULL: nothing.
 */
const char *hints_of_values(const char *name, const struct token *values,
    size_t count, size_t *ret_which);

#endif
