/*
 * config/value.h - the value of a directive, by its row of the table.
 *
 *	"256k" --value_set--> chunk_size of struct config --value_format--> 256k
 *
 * `base` is a struct of the type that the row's owner names (struct config,
 * conf_server or conf_location), zeroed before its first value.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"
#include "config/directives.h"

enum {
	VALUES_MAX = 32, /* that one directive takes */
};

/* What the word of a VALUE_NUMBER is stored as. */
#define VALUE_AUTO UINT64_MAX

/* What a value is made from. */
struct value_input {
	const char *values[VALUES_MAX];
	struct conf_place places[VALUES_MAX]; /* zeroed: a default */
	size_t count;
	const char *cwd; /* where relative paths start; NULL: not known */
	size_t wrong;	 /* on -EINVAL: which value is wrong */
	struct str why;	 /* and why; the caller's to str_fini() */
};

/*
 * value_set(d, base, in):
 * Read, check and store a value; a VALUE_LISTEN is one more.  0; -EINVAL with
 * in->wrong and in->why set, and nothing stored; -ENOMEM.  It is a bug when
 * the directive does not take in->count values, or has none to store.
 */
NODISCARD int value_set(
    const struct directive *d, void *base, struct value_input *in);

/* The same with the row's default; nothing when it has none.  -EINVAL: `cwd`
 * makes too long a path of it; -ENOENT: it takes a `cwd`, and that is NULL. */
NODISCARD int value_set_default(
    const struct directive *d, void *base, const char *cwd);

/* Copy the value into `to`, which has none, with all it owns; 0 or -ENOMEM. */
NODISCARD int value_copy(const struct directive *d, void *to, const void *from);

/* Free what the value owns; it is as if never set. */
void value_clear(const struct directive *d, void *base);

/*
 * value_format(d, base, out):
 * Add the value as a file has it; not for a VALUE_LISTEN.  False, and nothing
 * added, when it is text that was never set.
 */
bool value_format(const struct directive *d, const void *base, struct str *out);

#endif
