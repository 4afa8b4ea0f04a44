/*
 * config/rights.h - who may send which requests: what the configuration says.
 *
 * A location has one set of rules, and a second one for the methods that its
 * limit_except does not name.  auth/ decides by them.
 */
#ifndef CONFIG_RIGHTS_H
#define CONFIG_RIGHTS_H

#include "config/networks.h"

struct conf_rights {
	struct conf_networks access; /* allow and deny, in their order */
};

/* limit_except METHOD ... { } of a location. */
struct conf_except {
	unsigned methods; /* base/method_set.h: those that it does not limit; 0:
			     there is none, and it limits nothing */
	struct conf_rights rights;
};

/* The rules for a method, which is a set of one. */
static inline const struct conf_rights *
conf_rights_for(const struct conf_rights *r, const struct conf_except *except,
    unsigned method)
{
	return except->methods == 0 || (except->methods & method) != 0
		   ? r
		   : &except->rights;
}

#endif
