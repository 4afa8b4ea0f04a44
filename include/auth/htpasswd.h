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

#include "auth/mac.h"
#include "base/check.h"
#include "base/span.h"
#include "base/str.h"

struct htpasswd_user {
	char *name, *hash;
	unsigned line; /* of the file */
};

/* Zeroed: there is none. */
struct htpasswd {
	struct htpasswd_user *users; /* by their names */
	size_t count;
	unsigned char seed[MAC_BYTES]; /* of what was read */
};

/* Read the lines of a file, and add those to `h`.  Mistakes are added to `errors`, as
 * secret_file_mistake() does.  0, also then; or -ENOMEM. */
NODISCARD int htpasswd_parse(
    struct htpasswd *h, const char *text, size_t len, struct str *errors);

void htpasswd_fini(struct htpasswd *h);

/* The user of that name; NULL: there is none. */
const struct htpasswd_user *htpasswd_find(
    const struct htpasswd *h, struct span name);

/*
 * htpasswd_stand_in(h, name):
 * The user whose hash is computed for a name that there is not, so that the time does not
 * tell which names there are: one of all, the same one for the same name each time, whichever
 * worker is asked.  So where the hashes differ in cost, the cost of a name says nothing.
 * NULL: there are no users.
 */
const struct htpasswd_user *htpasswd_stand_in(
    const struct htpasswd *h, struct span name);

#endif
