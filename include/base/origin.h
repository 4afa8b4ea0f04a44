/*
 * base/origin.h - the origin of a web page: scheme, host and port.
 *
 *	https://files.example.org   http://127.0.0.1:8000   http://[::1]
 *
 * That is what browsers send as Origin (RFC 6454 6.2, and the URL standard),
 * and what allow_origin names.  Case does not count, nor whether the port that
 * a scheme has anyway is written.
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
	struct host_port at; /* the port is that of the scheme where none was
				given; HOST_NO_PORT: the scheme has none */
};

/*
 * origin_parse(s, len, ret, ret_why):
 * Read scheme://host[:port] with nothing around it.  0, or -EINVAL and
 * *ret_why a static sentence that says what is wrong and what to write.  `null`,
 * which stands for a page that has none, is an error, too.
 */
NODISCARD int origin_parse(
    const char *s, size_t len, struct origin *ret, const char **ret_why);

bool origin_equal(const struct origin *a, const struct origin *b);

/*
 * origin_is_at(o, authority, len):
 * Whether the page came from host[:port], as a Host field has it.  Where that
 * has no port it is that of the page's scheme: who takes TLS off before us does
 * not say which it was.
 */
bool origin_is_at(const struct origin *o, const char *authority, size_t len);

/* Add it as a browser sends it: in lower case, without a needless port. */
void origin_format(const struct origin *o, struct str *out);

#endif
