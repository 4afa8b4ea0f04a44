/*
 * config/rights.h - who may send which requests: what the configuration says.
 *
 * A location has one set of rules, and a second one for the methods that its
 * limit_except does not name.  auth/rights.h decides by them.
 */
#ifndef CONFIG_RIGHTS_H
#define CONFIG_RIGHTS_H

#include <stdbool.h>
#include <string.h>

#include "config/choices.h"
#include "config/networks.h"
#include "config/place.h"

struct conf_rights {
	struct conf_networks access; /* allow and deny, in their order */
	struct conf_place access_at; /* of the first one */
	enum conf_satisfy satisfy;
	/* Files of secrets: absolute, or "off". */
	char *auth_basic_user_file, *auth_bearer_file;
	struct conf_place auth_basic_user_file_at, auth_bearer_file_at;
	char *signed_link_keys;
	struct conf_place signed_link_keys_at;
	char *signed_link_spent; /* a directory */
	struct conf_place signed_link_spent_at;
	char *auth_basic; /* the realm; or "off" */
	struct conf_place auth_basic_at;
	bool auth_client_certificate; /* one stands for a person */
	struct conf_place auth_client_certificate_at;
};

/* limit_except METHOD ... { } of a location. */
struct conf_except {
	unsigned methods; /* base/method_set.h: those that it does not limit; 0:
			     there is none, and it limits nothing */
	struct conf_rights rights;
};

/* False for "off", which is what most are. */
static inline bool
conf_is_on(const char *value)
{
	return value != NULL && strcmp(value, "off") != 0;
}

/* Do these rules take what others could read on the way without TLS?  A certificate comes
 * with TLS only. */
static inline bool
conf_rights_take_secrets(const struct conf_rights *r)
{
	return conf_is_on(r->auth_bearer_file) || conf_is_on(r->auth_basic) ||
	       conf_is_on(r->signed_link_keys);
}

/* Do they ask who sends a request, by any way to say it? */
static inline bool
conf_rights_ask_person(const struct conf_rights *r)
{
	return conf_rights_take_secrets(r) || r->auth_client_certificate;
}

/* Are there any? */
static inline bool
conf_rights_are_any(const struct conf_rights *r)
{
	return r->access.count > 0 || conf_rights_ask_person(r);
}

#endif
