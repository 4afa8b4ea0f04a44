/*
 * web/form_name.h - what a file of a form is stored as.
 */
#ifndef WEB_FORM_NAME_H
#define WEB_FORM_NAME_H

#include <stdbool.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/outcome.h"
#include "config/config.h"
#include "http/part_head.h"

struct form_naming {
	const struct conf_server *server;
	const struct conf_location *location;
	/* What the request's path names below the location: a file; a directory,
	 * with its slash; or "": the location itself. */
	const char *path;
	/* Names are made here, since a link was signed for no other (or
	 * form_name generated). */
	bool generates;
	const char *field; /* of form_name field NAME; NULL: it has not come */
};

/* The path names the file. */
bool form_name_is_given(const struct form_naming *n);

/*
 * form_name_choose(n, said, ret_name, ret_made, ret_why):
 * The name of the file in the part that `said` is the head of.  OUTCOME_NONE, and whether it
 * was made here; or as names_take(), and *ret_why.
 */
NODISCARD enum outcome form_name_choose(const struct form_naming *n,
    const struct part_head *said, char ret_name[FILE_NAME_SIZE], bool *ret_made,
    const char **ret_why);

#endif
