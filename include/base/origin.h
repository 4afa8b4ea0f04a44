/*
 * base/origin.h - the origin of a web page: scheme, host and port.
 *
 *	https://files.example.org   http://127.0.0.1:8000   http://[::1]
 *
 * That is what browsers send as Origin (RFC 6454 6.2, and the URL standard),
 * and what allow_origin names.  Case is ignored, and so is a port that is the
 * scheme's default.
 */
#ifndef BASE_ORIGIN_H
#define BASE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/host.h"
#include "base/str.h"

/* Points into the text that was read. */
struct origin {
	const char *scheme;
	size_t scheme_len;
	struct host_port at; /* the scheme's default where none was given;
				HOST_NO_PORT: it has no default */
};

/*
 * origin_parse(s, len, ret, ret_why):
 * Read scheme://host[:port] with nothing around it.  0, or -EINVAL and *ret_why
 * a static sentence that says what is wrong and what to write.  `null`, which
 * browsers send for pages without an origin, is an error too.
 */
NODISCARD int origin_parse(
    const char *s, size_t len, struct origin *ret, const char **ret_why);

bool origin_equal(const struct origin *a, const struct origin *b);

/*
 * origin_is_at(o, authority, len):
 * True when the page came from host[:port], as in a Host field.  Without a
 * port, the default of the page's scheme is assumed: a proxy that terminates
 * TLS does not say which port it was.
 */
bool origin_is_at(const struct origin *o, const char *authority, size_t len);

/* Add it as a browser sends it: in lower case, without a default port. */
void origin_format(const struct origin *o, struct str *out);

#endif
