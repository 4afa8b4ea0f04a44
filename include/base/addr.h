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

/* There is one for each connection: so it is no sockaddr_storage. */
struct addr {
	union {
		sa_family_t ss_family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} ss;
	socklen_t len;
};

/*
 * addr_parse(text, ret, ret_why):
 * Read what stands behind `listen`.  0, or -EINVAL and *ret_why a sentence
 * (static) that says what is wrong and what is allowed.
 */
NODISCARD int addr_parse(
    const char *text, struct addr *ret, const char **ret_why);

/* The form addr_parse() reads; a UNIX peer without a name is "unix:". */
void addr_format(const struct addr *a, char ret_text[ADDR_TEXT_MAX]);

/* An IPv4 address in the form that a socket of IPv6 has it in (::ffff:192.0.2.1)
 * becomes the IPv4 address that it is; others stay as they are. */
void addr_unmap(struct addr *a);

/* True when both name the same endpoint. */
bool addr_equal(const struct addr *a, const struct addr *b);

/*
 * addr_network(a, ret_bytes):
 * What one user has at least: an IPv4 address, also one that is mapped into
 * IPv6, or an IPv6 /64.  How many bytes that are; 0: not from the internet.
 */
size_t addr_network(const struct addr *a, unsigned char ret_bytes[8]);

/* True when only this machine reaches it: 127.0.0.0/8 (also as it is mapped into
 * IPv6) and ::1.  A UNIX socket is none, nor is an address for all. */
bool addr_is_loopback(const struct addr *a);

/* The path of a UNIX socket, or NULL for another family. */
const char *addr_unix_path(const struct addr *a);

#endif
