/*
 * config/check_tls.h - part of config_check(): what is missing or too much for TLS, as far
 * as that can be seen without reading the files (proc/certificates.h does that).
 */
#ifndef CONFIG_CHECK_TLS_H
#define CONFIG_CHECK_TLS_H

#include <stdbool.h>

#include "base/str.h"
#include "config/config.h"

/* Add all mistakes to `errors`. */
void check_tls(const struct config *c, struct str *errors);

/*
 * check_tls_shares(before, l):
 * May two server blocks listen there, since both speak TLS?  The client then names one of
 * them.  The addresses are the same.
 */
bool check_tls_shares(
    const struct conf_listen *before, const struct conf_listen *l);

#endif
