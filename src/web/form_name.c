#include "form_name.h"

#include <string.h>

#include "base/str.h"
#include "upload/names.h"

static bool
form_name_is(const struct form_naming *n, const char *word)
{
	return strcmp(n->location->form_name.values[0], word) == 0;
}

bool
form_name_is_given(const struct form_naming *n)
{
	size_t len = strlen(n->path);

	return len > 0 && n->path[len - 1] != '/';
}

/* Would a request to this file go to another location?  Then its rules are others', too. */
static bool
leads_elsewhere(const struct form_naming *n, const char *name)
{
	static struct str path; /* its memory is used again */
	const char *prefix = n->location->prefix;

	str_clear(&path);
	str_puts(&path, strcmp(prefix, "/") == 0 ? "" : prefix);
	str_puts(&path, "/");
	str_puts(&path, name);
	return str_failed(&path) ||
	       config_location(n->server, path.s, path.len) != n->location;
}

/* `name` below the directory that the path names. */
static enum outcome
form_name_join(const struct form_naming *n, const char *name,
    char ret_name[FILE_NAME_SIZE], const char **ret_why)
{
	char joined[2 * FILE_NAME_SIZE];
	size_t dir = strlen(n->path), len = strlen(name);
	enum outcome e;

	if (len == 0) {
		*ret_why = "the name of the file is empty: give it one";
		return OUTCOME_BAD_NAME;
	}
	check(dir + len < sizeof(joined));
	memcpy(joined, n->path, dir + 1);
	memcpy(joined + dir, name, len + 1);
	e = names_take(
	    joined, dir + len, n->location->policy.dotfiles, ret_name, ret_why);
	if (e != OUTCOME_NONE || !leads_elsewhere(n, ret_name))
		return e;
	*ret_why = "a file of that name belongs to another location: send the "
		   "form to that one";
	return OUTCOME_BAD_NAME;
}

enum outcome
form_name_choose(const struct form_naming *n, const struct part_head *said,
    char ret_name[FILE_NAME_SIZE], bool *ret_made, const char **ret_why)
{
	char made[NAMES_GENERATED + 1];

	*ret_made = false;
	if (form_name_is_given(n)) {
		memcpy(ret_name, n->path, strlen(n->path) + 1);
		return OUTCOME_NONE;
	}
	if (!n->generates && form_name_is(n, "field")) {
		if (n->field != NULL)
			return form_name_join(n, n->field, ret_name, ret_why);
		*ret_why = "the field of the form that names its files "
			   "(form_name) must come before them";
		return OUTCOME_BAD_NAME;
	}
	if (!n->generates && form_name_is(n, "filename") &&
	    said->filename[0] != '\0')
		return form_name_join(
		    n, names_last_part(said->filename), ret_name, ret_why);
	*ret_made = true;
	names_generate(made);
	return form_name_join(n, made, ret_name, ret_why);
}
