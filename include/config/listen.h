/*
 * config/listen.h - the options behind the address of a `listen`.
 *
 *	listen unix:/run/penstock.sock mode=0660 owner=root group=www-data;
 *	listen [::]:8000 ipv6only=off backlog=511;
 */
#ifndef CONFIG_LISTEN_H
#define CONFIG_LISTEN_H

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"
#include "config/value.h"

/*
 * listen_options(l, in):
 * Set the options of `*l`, whose address is set already, from the values behind the
 * first one of `in`, or to their defaults; its place is left alone.  0; -EINVAL with
 * in->wrong and in->why set; or -ENOMEM.  The caller ends `*l` with listen_clear(),
 * also after a failure.
 */
NODISCARD int listen_options(struct conf_listen *l, struct value_input *in);

/* Make *to a copy that owns its names.  0; or -ENOMEM, and *to owns nothing. */
NODISCARD int listen_copy(struct conf_listen *to, const struct conf_listen *l);

/* Free the names. */
void listen_clear(struct conf_listen *l);

/* Add it to `out` as it would stand in a configuration: the address, and the options
 * that differ from their defaults; for a UNIX socket always the mode. */
void listen_format(const struct conf_listen *l, struct str *out);

/* True for [::]:PORT ipv6only=off, which listens on all addresses of IPv6 and IPv4. */
bool listen_is_both(const struct conf_listen *l);

#endif
