/*
 * web/context.h - what the requests of one server block share, in one worker.
 */
#ifndef WEB_CONTEXT_H
#define WEB_CONTEXT_H

#include <stddef.h>

#include "auth/rights.h"
#include "base/failure.h"
#include "base/log.h"
#include "shared/limits.h"
#include "config/config.h"
#include "flow/gather_group.h"
#include "store/store.h"
#include "upload/env.h"

struct attempts;
struct readiness;
struct spent;

/* All that the fields point to outlives the requests. */
struct context {
	const struct conf_server *conf;
	struct upload_env env;
	struct store **stores;	     /* one for each of conf->locations */
	struct limits_scope uploads; /* for max_uploads */
	/* For each of conf->locations; NULL: no location has rules. */
	const struct location_rights *rights;
	struct spent *spent;	   /* marks of links that are good once */
	struct attempts *attempts; /* of clients that guess; NULL: all may */
	struct gather_group forms; /* who reads what is in forms and no file */
	const struct readiness *readiness; /* of the server; for `health` */
	struct log_limit *failures; /* one for each location and outcome */
};

/* The context that `env` is a member of. */
static inline const struct context *
context_of_env(const struct upload_env *env)
{
	return (
	    const void *)((const char *)env - offsetof(struct context, env));
}

/* The store of a location of this server. */
struct store *context_store(
    const struct context *c, const struct conf_location *location);

/* Count one more upload of this location, within its max_uploads; *ret is the caller's to
 * end with limits_leave(), 0: it has no such limit, or there is no room to count.  False: there
 * are as many as may be. */
NODISCARD bool context_count_upload(const struct context *c,
    const struct conf_location *location, limits_entry *ret);

/*
 * context_note_failure(c, l, what, id, name, why):
 * Write a line to the error log about a failure that is not the client's fault, at most
 * once a second for each location and outcome.  `what` is "upload" or "download"; `id`
 * that of the request.
 */
void context_note_failure(const struct context *c,
    const struct conf_location *l, const char *what, uint64_t id,
    const char *name, struct failure why);

#endif
