/*
 * base/addr.h - socket addresses as the config file and the logs write them.
 *
 *	8000   127.0.0.1:8000   *:8000   [::1]:8000   unix:/run/penstock.sock
 *
 * Numeric only: no name is ever looked up.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/check.h"

enum {
	ADDR_TEXT_MAX = 128, /* room for addr_format(), with its NUL */
};

/* Smaller than a sockaddr_storage: each connection has one. */
struct addr {
	socklen_t len; /* of `ss`, perhaps more than there is */
	union {
		sa_family_t ss_family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} ss;
};

/* How many bytes of `a` are in use, its family at least: a copy of them, and a NUL
 * behind, will do. */
static inline size_t
addr_size(const struct addr *a)
{
	size_t len = a->len < sizeof(a->ss) ? a->len : sizeof(a->ss);

	if (len < sizeof(a->ss.ss_family))
		len = sizeof(a->ss.ss_family);
	return offsetof(struct addr, ss) + len;
}

/*
 * addr_parse(text, ret, ret_why):
 * Read the address of a `listen` directive.  0, or -EINVAL and *ret_why a
 * sentence (static) that says what is wrong and what is allowed.
 */
NODISCARD int addr_parse(
    const char *text, struct addr *ret, const char **ret_why);

/* The form addr_parse() reads; a UNIX peer without a name is "unix:".  Port 0 is left
 * out; an address that is not known is "?". */
void addr_format(const struct addr *a, char ret_text[ADDR_TEXT_MAX]);

/* Its host alone: without port, brackets or path ("unix:"). */
void addr_format_host(const struct addr *a, char ret_text[ADDR_TEXT_MAX]);

/* Its port in an internet; 0: it has none. */
unsigned addr_port(const struct addr *a);

/* Turn an IPv4 address mapped into IPv6 (::ffff:192.0.2.1), as an IPv6 socket
 * reports it, into plain IPv4; leave any other address as it is. */
void addr_unmap(struct addr *a);

/* True when both name the same endpoint. */
bool addr_equal(const struct addr *a, const struct addr *b);

/*
 * addr_network(a, ret_bytes):
 * The part of an address that stands for one user: a whole IPv4 address (also
 * when mapped into IPv6), or the /64 of an IPv6 address; all clients whose address is
 * not known (AF_UNSPEC) are one, 0.0.0.0.  Returns how many bytes that is; 0 for any other
 * family.
 */
size_t addr_network(const struct addr *a, unsigned char ret_bytes[8]);

/* True when only this machine can reach it: 127.0.0.0/8 (also when mapped into
 * IPv6) and ::1.  False for UNIX sockets and wildcard addresses. */
bool addr_is_loopback(const struct addr *a);

/* The path of a UNIX socket, or NULL for another family. */
const char *addr_unix_path(const struct addr *a);

#endif
