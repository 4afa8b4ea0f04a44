/*
 * auth/secrets.h - the contents of all files of secrets that a configuration names.
 *
 *	config -> secrets_load() in the master -> fork -> workers use them
 *
 * A file that several locations name is read once.  After a reload the new workers have what
 * the files say then; nothing is read later.
 */
#ifndef AUTH_SECRETS_H
#define AUTH_SECRETS_H

#include "auth/bearer.h"
#include "auth/htpasswd.h"
#include "auth/signed_link.h"
#include "base/check.h"
#include "base/str.h"
#include "config/config.h"

struct secrets;

/*
 * secrets_load(c, errors, warnings, ret):
 * Read all files.  Mistakes and warnings are lines, each beginning with the place in the
 * configuration (config_name_value()).  0 and *ret, which the caller owns until
 * secrets_free(); -EINVAL when there was a mistake; or -ENOMEM.
 */
NODISCARD int secrets_load(const struct config *c, struct str *errors,
    struct str *warnings, struct secrets **ret);

/* The contents of the file `path`, which is one of the configuration's; NULL when that is
 * off. */
const struct bearer *secrets_bearer(const struct secrets *s, const char *path);
const struct htpasswd *secrets_htpasswd(
    const struct secrets *s, const char *path);

const struct link_keys *secrets_links(
    const struct secrets *s, const char *path);

/* Free it, overwriting keys, and clear the caller's pointer, which may be NULL. */
void secrets_free(struct secrets **sp);

#endif
