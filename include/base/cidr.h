/*
 * base/cidr.h - sets of client addresses, as rules name them.
 *
 *	192.0.2.7   192.0.2.0/24   2001:db8::/32   unix:   all
 *
 * An IPv4 address is the same in all its forms: one that is mapped into IPv6
 * (::ffff:192.0.2.7) is in the networks of IPv4, and in none of IPv6.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/check.h"

enum {
	CIDR_TEXT_MAX = 64, /* room for cidr_format(), with its NUL */
};

struct cidr {
	/* AF_INET, AF_INET6; AF_UNIX: all UNIX sockets; AF_UNSPEC: all */
	sa_family_t family;
	unsigned char bits; /* of `bytes` that count; the others are 0 */
	unsigned char bytes[16];
};

/*
 * cidr_parse(text, ret, ret_why):
 * Read one.  0; or -EINVAL, and *ret_why is a static sentence that says what is wrong and
 * what to write.  Bits behind the network are a mistake: 192.0.2.7/24 is either one
 * address or 256.
 */
NODISCARD int cidr_parse(
    const char *text, struct cidr *ret, const char **ret_why);

/* The form that cidr_parse() reads; a single address has no /. */
void cidr_format(const struct cidr *c, char ret_text[CIDR_TEXT_MAX]);

/* True when the address, whatever its port, is in `c`. */
bool cidr_contains(const struct cidr *c, const struct addr *a);

/* True when both are the same set. */
bool cidr_equal(const struct cidr *a, const struct cidr *b);

#endif
