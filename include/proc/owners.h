/*
 * proc/owners.h - whom the configuration gives its UNIX sockets to.
 *
 *	listen unix:PATH mode=0660 owner=root group=www-data;
 *
 * What is not said: the owner is who starts the server, the group that of `user`,
 * when started as root, else it stays as the system makes it.
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
 * Are there such users and groups, and may this process give them a socket?
 * False: told in `errors`, as mistakes of the configuration are.
 */
NODISCARD bool owners_are_known(const struct config *conf, struct str *errors);

/* What `l` asks of its listener; it is a bug when it is not known. */
struct listener_options owners_options(
    const struct config *conf, const struct conf_listen *l);

/* Add a line for each UNIX socket that says who will be able to connect. */
void owners_describe(const struct config *conf, struct str *out);

#endif
