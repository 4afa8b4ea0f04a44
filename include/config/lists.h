/*
 * config/lists.h - the values of directives that take many: names and origins.
 *
 *	server_name a.example *.b.example;   allow_origin https://c.example;
 *
 * Used by value.c only, which reads and writes the other types itself.
 */
#ifndef CONFIG_LISTS_H
#define CONFIG_LISTS_H

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"
#include "config/directives.h"

/*
 * lists_add(type, text, to, ret_why):
 * Check one value of a VALUE_NAMES or VALUE_ORIGINS, and add it to `to` in the form
 * that requests are compared with, unless it is there already.  0; -EINVAL, and *ret_why
 * is a static sentence that says what is wrong; or -ENOMEM.
 */
NODISCARD int lists_add(enum directives_type type, const char *text,
    struct conf_list *to, const char **ret_why);

/* Copy all into `to`, which is empty; 0 or -ENOMEM. */
NODISCARD int lists_copy(struct conf_list *to, const struct conf_list *from);

/* Free what it has; it is empty. */
void lists_clear(struct conf_list *l);

/* Add the values to `out` as they would stand in a configuration; false when there is
 * none. */
bool lists_format(const struct conf_list *l, struct str *out);

#endif
