#include "config/hints.h"

#include <string.h>

#include "base/ascii.h"

/* Values that are another server's. */
struct foreign_value {
	const char *directive;
	const char *value; /* "ssl", or "name=*" for all that begin so */
	bool first;	   /* only as the first value; else only behind it */
	const char *text;
};

#include "hints.tbl.h"

const size_t hints_count = COUNT_OF(hints);

/* Whether the name, in whatever case, is one of this row's. */
static bool
matches(const struct hint *h, const char *name)
{
	const char *star = strchr(h->name, '*');
	size_t len = strlen(name), begin;

	if (star == NULL)
		return str_ieq(name, len, h->name);
	begin = (size_t)(star - h->name);
	if (len < begin)
		return false;
	for (size_t i = 0; i < begin; i++)
		if (ascii_lower(name[i]) != h->name[i])
			return false;
	return true;
}

const struct hint *
hints_find(const char *name)
{
	const struct hint *found = NULL;

	for (size_t i = 0; i < hints_count; i++) {
		if (!matches(&hints[i], name))
			continue;
		if (strchr(hints[i].name, '*') == NULL)
			return &hints[i];
		found = &hints[i];
	}
	return found;
}

/* "a", "a and b", "a, b and c". */
static void
add_names(const char *const names[HINTS_NAMES_MAX], struct str *out)
{
	for (size_t i = 0; i < HINTS_NAMES_MAX && names[i] != NULL; i++) {
		bool last = i + 1 == HINTS_NAMES_MAX || names[i + 1] == NULL;

		if (i > 0)
			str_puts(out, last ? " and " : ", ");
		str_puts(out, names[i]);
	}
}

void
hints_say(const struct hint *h, struct str *out)
{
	if (h->here[0] != NULL) {
		str_puts(out,
		    h->here[1] == NULL ? "here it is " : "here these are ");
		add_names(h->here, out);
	}
	if (h->more != NULL) {
		str_puts(out, h->here[0] != NULL ? "; " : "");
		str_puts(out, h->more);
	}
	if (h->see[0] != NULL) {
		str_puts(out, "; see ");
		add_names(h->see, out);
	}
}

static bool
is_foreign(const struct foreign_value *f, const struct token *t, size_t at)
{
	size_t len = strlen(f->value);

	if (f->first != (at == 0))
		return false;
	if (f->value[len - 1] == '*')
		return strncmp(t->text, f->value, len - 1) == 0;
	return strcmp(t->text, f->value) == 0;
}

const char *
hints_of_values(const char *name, const struct token *values, size_t count,
    size_t *ret_which)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < COUNT_OF(foreign_values); k++) {
			const struct foreign_value *f = &foreign_values[k];

			if (strcmp(f->directive, name) == 0 &&
			    is_foreign(f, &values[i], i)) {
				*ret_which = i;
				return f->text;
			}
		}
	}
	return NULL;
}
