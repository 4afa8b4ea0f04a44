/*
 * config/value.h - reads, copies and writes the value of a directive, as its row in
 * the directive table says.
 *
 *	"256k" --value_set--> chunk_size of struct config --value_format--> 256k
 *
 * `base` is a struct of the type that the row's owner names (struct config,
 * conf_server, conf_location or conf_rights), zeroed before its first value.
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
	VALUES_MAX = 32, /* values of one directive */
};

/* How the word of a VALUE_NUMBER ("auto") is stored. */
#define VALUE_AUTO UINT64_MAX

/* The text of a value, and what is wrong with it. */
struct value_input {
	const char *values[VALUES_MAX];
	struct conf_place places[VALUES_MAX]; /* zeroed: a default */
	size_t count;
	struct conf_place at; /* of the directive */
	const char *cwd;      /* the working directory; NULL: it is not known */
	size_t wrong;	      /* after -EINVAL: the index of the wrong value */
	struct str why; /* and what is wrong; the caller ends it (str_fini()) */
};

/*
 * value_set(d, base, in):
 * Read and check the values in `in`, and store the result in `base`; a VALUE_LISTEN, a
 * VALUE_FILES, or a rule, is added to those that are there.  0; -EINVAL with in->wrong and in->why set, and
 * nothing stored; or -ENOMEM.  The caller must have checked that `d` takes in->count
 * values, and that its type stores one (no VALUE_INCLUDE, no VALUE_BLOCK).
 */
NODISCARD int value_set(
    const struct directive *d, void *base, struct value_input *in);

/* Store the row's default; does nothing when it has none.  0; -EINVAL: the path that
 * it makes with `cwd` is too long; -ENOENT: it is a relative path, and `cwd` is NULL; or
 * -ENOMEM. */
NODISCARD int value_set_default(
    const struct directive *d, void *base, const char *cwd);

/* Copy the value from the struct `from` to the struct `to`, where it is not set yet,
 * together with what it owns.  0 or -ENOMEM. */
NODISCARD int value_copy(const struct directive *d, void *to, const void *from);

/* Free what the value owns, and make it unset. */
void value_clear(const struct directive *d, void *base);

/*
 * value_format(d, base, out):
 * Add the value to `out` as it would stand in a configuration; not for a VALUE_LISTEN
 * (listen_format()) or VALUE_FILES, nor for rules, which are several lines.  False, with
 * nothing added, when it is a text that is not set.
 */
bool value_format(const struct directive *d, const void *base, struct str *out);

#endif
