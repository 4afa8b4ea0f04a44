/*
 * proc/owners.h - the owners and groups of the UNIX sockets.
 *
 *	listen unix:PATH mode=0660 owner=root group=www-data;
 *
 * By default the owner is the user that starts the server; the group is that of
 * `user` if the server is started as root, else what the system gives it.
 */
#ifndef PROC_OWNERS_H
#define PROC_OWNERS_H

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"
#include "net/listener.h"

/*
 * owners_are_known(conf, errors):
 * Do these users and groups exist, and may this process give a socket to them?
 * False after adding to `errors` a line for each that does not: "file:line:column: why".
 */
NODISCARD bool owners_are_known(const struct config *conf, struct str *errors);

/* The options of this listener; only after owners_are_known() said true. */
struct listener_options owners_options(
    const struct config *conf, const struct conf_listen *l);

/* Add to `out` a line for each UNIX socket: which users and groups can connect. */
void owners_describe(const struct config *conf, struct str *out);

#endif
