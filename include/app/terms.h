/*
 * app/terms.h - the conditions of a request, kept beyond its head.
 *
 * A head is gone when the request's handler returns; whether If-Match and
 * its like hold is known only when the file was looked at, much later and on
 * another thread.
 */
#ifndef APP_TERMS_H
#define APP_TERMS_H

#include "base/check.h"
#include "base/file_version.h"
#include "http/head.h"

struct terms;

/*
 * terms_copy(h, ret):
 * Copy what conditions there are in `h`; *ret is NULL when there are none.
 * From malloc(), so free() ends it.  0 or -ENOMEM.
 */
NODISCARD int terms_copy(const struct head *h, struct terms **ret);

/* As a head that has these conditions and nothing else; NULL: none. */
const struct head *terms_head(const struct terms *t);

/* store_wish.terms_hold for a PUT. */
bool terms_hold(const void *terms, const struct file_version *existing,
    const char **ret_why);

#endif
