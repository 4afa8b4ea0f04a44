#include "config/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/origin.h"
#include "config/lexer.h"

static bool
lists_has(const struct conf_list *l, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->values[i], text) == 0)
			return true;
	return false;
}

static int
append_any(struct conf_list *l, const char *text)
{
	char **grown;

	grown = realloc(l->values, (l->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	l->values = grown;
	grown[l->count] = strdup(text);
	if (grown[l->count] == NULL)
		return -ENOMEM;
	l->count++;
	return 0;
}

static int
append(struct conf_list *l, const char *text)
{
	return lists_has(l, text) ? 0 : append_any(l, text);
}

static int
add_name(const char *text, struct conf_list *to, const char **ret_why)
{
	char name[HOST_NAME_MAX_BYTES + 3];
	int err = host_read_pattern(text, name, ret_why);

	return err < 0 ? err : append(to, name);
}

static int
add_origin(const char *text, struct conf_list *to, const char **ret_why)
{
	bool any = strcmp(text, "*") == 0;
	struct str whole = {0};
	struct origin o;
	int err;

	if (to->count > 0 && any != lists_has(to, "*")) {
		*ret_why = "* is all origins there are: leave out the others";
		return -EINVAL;
	}
	if (any)
		return append(to, text);
	err = origin_parse(text, strlen(text), &o, ret_why);
	if (err < 0)
		return err;
	origin_format(&o, &whole);
	err = str_failed(&whole) ? -ENOMEM : append(to, whole.s);
	str_fini(&whole);
	return err;
}

int
lists_add(enum directives_type type, const char *text, struct conf_list *to,
    const char **ret_why)
{
	if (type == VALUE_FORM_NAME)
		return append_any(to, text);
	return type == VALUE_ORIGINS ? add_origin(text, to, ret_why)
				     : add_name(text, to, ret_why);
}

int
lists_copy(struct conf_list *to, const struct conf_list *from)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < from->count; i++)
		err = append_any(to, from->values[i]);
	return err;
}

void
lists_clear(struct conf_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->values[i]);
	free(l->values);
	*l = (struct conf_list){0};
}

bool
lists_format(const struct conf_list *l, struct str *out)
{
	for (size_t i = 0; i < l->count; i++) {
		str_puts(out, i > 0 ? " " : "");
		lexer_quote(out, l->values[i]);
	}
	return l->count > 0;
}
