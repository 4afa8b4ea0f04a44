/*
 * config/networks.h - lists of client addresses: rules in their order, or a set.
 *
 *	deny 192.0.2.1;  allow 192.0.2.0/24;  deny all;
 *	trusted_proxies 127.0.0.1 10.0.0.0/8;
 */
#ifndef CONFIG_NETWORKS_H
#define CONFIG_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/cidr.h"
#include "base/str.h"

struct conf_network {
	struct cidr net;
	bool allow; /* of a rule: allow, or deny */
};

struct conf_networks {
	struct conf_network *list;
	size_t count;
};

/* Add what `text` names, behind the others.  0; -EINVAL, and *ret_why is a static
 * sentence; or -ENOMEM. */
NODISCARD int networks_add(struct conf_networks *n, const char *text,
    bool allow, const char **ret_why);

/* Copy all into `to`, which is empty; 0 or -ENOMEM. */
NODISCARD int networks_copy(
    struct conf_networks *to, const struct conf_networks *from);

/* Free what it has; it is empty. */
void networks_clear(struct conf_networks *n);

/* The first that contains the address; NULL: none. */
const struct conf_network *networks_find(
    const struct conf_networks *n, const struct addr *a);

/* Add all to `out`, with spaces between; false when there is none. */
bool networks_format(const struct conf_networks *n, struct str *out);

#endif
