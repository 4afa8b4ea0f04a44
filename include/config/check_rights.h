/*
 * config/check_rights.h - part of config_check(): rules that say who may upload, and would
 * let in more than they seem to, or nobody, as far as that can be seen without reading the
 * files of secrets (auth/secrets.h does that).
 */
#ifndef CONFIG_CHECK_RIGHTS_H
#define CONFIG_CHECK_RIGHTS_H

#include "base/str.h"
#include "config/config.h"

/* Add all mistakes to `errors`. */
void check_rights(const struct config *c, struct str *errors);

#endif
