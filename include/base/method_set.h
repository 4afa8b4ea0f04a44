/*
 * base/method_set.h - sets of request methods, for rules that hold for some of them.
 *
 * GET stands for HEAD as well, as in nginx.  Case matters (RFC 9110 9.1).
 */
#ifndef BASE_METHOD_SET_H
#define BASE_METHOD_SET_H

#include <stddef.h>

#include "base/str.h"

#define METHOD_SET_ALL (~0U)

/* What rules may name: a method of HTTP or WebDAV.  0: it is none of them. */
unsigned method_set_find(const char *name, size_t len);

/* The set that has only the request's method.  A method that no rule can name is in
 * METHOD_SET_ALL only. */
unsigned method_set_of_request(const char *name, size_t len);

/* Add the names of a set to `out`, with `separator` between two; HEAD is left out beside
 * GET. */
void method_set_format(unsigned set, const char *separator, struct str *out);

/* Add the names that there are, "GET, HEAD, ... or UNLOCK". */
void method_set_known(struct str *out);

#endif
