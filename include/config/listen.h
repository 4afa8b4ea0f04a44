/*
 * config/listen.h - what may stand behind the address of a `listen`.
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
 * Set all of `*l` but its address, which is set already, and its place: by the
 * values that stand behind it in `in`, or else by default.  0; -EINVAL with
 * in->wrong and in->why set; -ENOMEM.  The caller ends it with listen_clear(),
 * also after a failure.
 */
NODISCARD int listen_options(struct conf_listen *l, struct value_input *in);

/* Make *to a copy with names of its own; 0 or -ENOMEM, and *to is nothing. */
NODISCARD int listen_copy(struct conf_listen *to, const struct conf_listen *l);

/* Free the names. */
void listen_clear(struct conf_listen *l);

/* Add it as a file has it: the address, and what differs from the defaults; of a
 * UNIX socket always the mode. */
void listen_format(const struct conf_listen *l, struct str *out);

/* [::]:PORT ipv6only=off: all addresses of IPv6, and of IPv4. */
bool listen_is_both(const struct conf_listen *l);

#endif
