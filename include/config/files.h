/*
 * config/files.h - the values of directives that name a file and may be given several
 * times in a block: certificates and keys.
 *
 *	ssl_certificate rsa.pem;   ssl_certificate ecdsa.pem;
 *
 * Used by value.c only, which reads and writes the other types itself.
 */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include "base/check.h"
#include "config/config.h"

/* Add one more, with a copy of its path: 0 or -ENOMEM. */
NODISCARD int files_add(
    struct conf_files *to, const char *path, const struct conf_place *at);

/* Copy all into `to`, which is empty; 0 or -ENOMEM. */
NODISCARD int files_copy(struct conf_files *to, const struct conf_files *from);

/* Free what it has; it is empty. */
void files_clear(struct conf_files *f);

#endif
