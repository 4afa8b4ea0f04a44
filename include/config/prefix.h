/*
 * config/prefix.h - the prefix of a location.
 *
 * A prefix is "/", or one or more parts of unreserved URL characters (RFC 3986
 * section 2.3) with a slash before each.  It matches a path at the boundaries
 * of parts only: "/file" serves "/file" and "/file/x", not "/filex".
 */
#ifndef CONFIG_PREFIX_H
#define CONFIG_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

/* 0; or -EINVAL, and *ret_why says what is wrong and what to write. */
NODISCARD int prefix_check(const char *prefix, struct str *ret_why);

/* True when `prefix` serves `path`, which has `len` bytes. */
bool prefix_matches(const char *prefix, const char *path, size_t len);

#endif
