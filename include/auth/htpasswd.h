/*
 * auth/htpasswd.h - a file of names and hashes of passwords, as htpasswd and mkpasswd make
 * them.
 *
 *	ann:$2y$10$...     htpasswd -B FILE ann
 *	bob:$y$j9T$...     echo "bob:$(mkpasswd)" >> FILE
 */
#ifndef AUTH_HTPASSWD_H
#define AUTH_HTPASSWD_H

#include <stddef.h>

#include "base/check.h"
#include "base/span.h"
#include "base/str.h"

struct htpasswd_user {
	char *name, *hash;
};

/* Zeroed: there is none. */
struct htpasswd {
	struct htpasswd_user *users;
	size_t count;
};

/* Read the lines of a file, and add those to `h`.  Mistakes are added to `errors`, as
 * secret_file_mistake() does.  0, also then; or -ENOMEM. */
NODISCARD int htpasswd_parse(
    struct htpasswd *h, const char *text, size_t len, struct str *errors);

void htpasswd_fini(struct htpasswd *h);

/* The user of that name; NULL: there is none. */
const struct htpasswd_user *htpasswd_find(
    const struct htpasswd *h, struct span name);

#endif
