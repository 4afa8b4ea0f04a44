/*
 * base/host.h - hosts as URLs and the Host field have them.
 *
 *	files.example.org   FILES:8000   192.0.2.1   [::1]:8000   localhost
 *
 * All of it is text: no name is ever looked up.  Case does not count.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

enum {
	HOST_NAME_MAX_BYTES = 253, /* of a name, without the dot behind it */
	HOST_NO_PORT = -1,
};

/* host[:port] taken apart; the text is the caller's. */
struct host_port {
	const char *host; /* an IPv6 address has its brackets */
	size_t len;
	int port; /* HOST_NO_PORT: none, or an empty one, was given */
};

/*
 * host_split(s, len, ret):
 * Split host[:port].  False, with nothing set, for an empty host, an invalid
 * port, or an invalid host: one with a byte that is neither a letter, a digit,
 * -, . nor _, or an IPv6 address that is malformed or without brackets.
 */
NODISCARD bool host_split(const char *s, size_t len, struct host_port *ret);

/* The same host; IPv6 addresses however they are written. */
bool host_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * host_is_address(host, len):
 * True for an IP address in brackets, or for a host that ends with a number:
 * browsers take such a host for an IPv4 address (127.0.0.1, 127.1, 0x7f000001)
 * or refuse it, but never look it up.
 */
bool host_is_address(const char *host, size_t len);

/*
 * host_is_localhost(host, len):
 * True for `localhost` and names below it, also with a trailing dot.  They
 * always mean this machine (RFC 6761 6.3), whatever a name server says.
 */
bool host_is_localhost(const char *host, size_t len);

/*
 * host_matches(pattern, host, len):
 * True when a host matches `pattern`, as host_read_pattern() returns it; a
 * trailing dot of the host is ignored.  *.example.org matches names below
 * example.org at any depth, but not example.org itself.
 */
bool host_matches(const char *pattern, const char *host, size_t len);

/*
 * host_read_pattern(text, ret, ret_why):
 * Read a name, an IP address or *.NAME from the configuration.  0 and *ret in
 * lower case without a trailing dot; or -EINVAL and *ret_why a static sentence
 * that says what is wrong and what to write.
 */
NODISCARD int host_read_pattern(
    const char *text, char ret[HOST_NAME_MAX_BYTES + 3], const char **ret_why);

#endif
