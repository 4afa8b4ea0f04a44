#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

enum {
	MAPPED_BITS = 96, /* of ::ffff:0:0/96, in which IPv4 lies */
};

static unsigned
bits_of(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* The mask of byte `i` in a network of so many bits. */
static unsigned
mask_at(unsigned bits, unsigned i)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	return bits <= 8 * i ? 0 : 0xff00U >> (bits - 8 * i) & 0xff;
}

static bool
matches(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	for (unsigned i = 0; 8 * i < bits; i++)
		if (((a[i] ^ b[i]) & mask_at(bits, i)) != 0)
			return false;
	return true;
}

static bool
has_more_bits(const struct cidr *c)
{
	for (unsigned i = 0; i < bits_of(c->family) / 8; i++)
		if ((c->bytes[i] & ~mask_at(c->bits, i)) != 0)
			return true;
	return false;
}

/* A part of ::ffff:0:0/96 is a network of IPv4. */
static void
cidr_unmap(struct cidr *c)
{
	struct in6_addr ip;

	memcpy(&ip, c->bytes, sizeof(ip));
	if (c->family != AF_INET6 || c->bits < MAPPED_BITS ||
	    !IN6_IS_ADDR_V4MAPPED(&ip))
		return;
	c->family = AF_INET;
	c->bits = (unsigned char)(c->bits - MAPPED_BITS);
	memset(c->bytes, 0, sizeof(c->bytes));
	memcpy(c->bytes, ip.s6_addr + 12, 4);
}

/* The number behind the slash, or (NULL) all bits. */
static int
parse_bits(const char *text, struct cidr *c, const char **ret_why)
{
	unsigned most = bits_of(c->family);
	uint64_t n = most;

	if (text != NULL &&
	    (num_parse_u64(text, strlen(text), &n) < 0 || n > most)) {
		*ret_why = c->family == AF_INET
			       ? "behind the / comes a number from 0 to 32"
			       : "behind the / comes a number from 0 to 128";
		return -EINVAL;
	}
	c->bits = (unsigned char)n;
	if (!has_more_bits(c))
		return 0;
	*ret_why = "the address has bits behind those that count: write the "
		   "network's own address, such as 192.0.2.0/24, or leave out "
		   "the / for one address";
	return -EINVAL;
}

int
cidr_parse(const char *text, struct cidr *ret, const char **ret_why)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char ip[INET6_ADDRSTRLEN];
	int err;

	memset(ret, 0, sizeof(*ret));
	ret->family = AF_UNSPEC;
	if (strcmp(text, "all") == 0)
		return 0;
	ret->family = AF_UNIX;
	if (strcmp(text, "unix:") == 0)
		return 0;
	*ret_why = "write an address such as 192.0.2.7 or 2001:db8::7, a "
		   "network such as 192.0.2.0/24, unix: or all";
	if (len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	ret->family = strchr(ip, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(ret->family, ip, ret->bytes) != 1)
		return -EINVAL;
	err = parse_bits(slash ? slash + 1 : NULL, ret, ret_why);
	cidr_unmap(ret);
	return err;
}

void
cidr_format(const struct cidr *c, char ret_text[CIDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (c->family == AF_UNSPEC || c->family == AF_UNIX) {
		snprintf(ret_text, CIDR_TEXT_MAX, "%s",
		    c->family == AF_UNIX ? "unix:" : "all");
		return;
	}
	inet_ntop(c->family, c->bytes, ip, sizeof(ip));
	if (c->bits == bits_of(c->family))
		snprintf(ret_text, CIDR_TEXT_MAX, "%s", ip);
	else
		snprintf(ret_text, CIDR_TEXT_MAX, "%s/%u", ip, c->bits);
}

bool
cidr_contains(const struct cidr *c, const struct addr *a)
{
	struct in6_addr ip6;

	if (c->family == AF_UNSPEC)
		return true;
	if (a->ss.ss_family == AF_INET)
		return c->family == AF_INET &&
		       matches(c->bytes,
			   (const unsigned char *)&a->ss.in.sin_addr, c->bits);
	if (a->ss.ss_family != AF_INET6)
		return c->family == a->ss.ss_family;
	ip6 = a->ss.in6.sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&ip6))
		return c->family == AF_INET &&
		       matches(c->bytes, ip6.s6_addr + 12, c->bits);
	return c->family == AF_INET6 && matches(c->bytes, ip6.s6_addr, c->bits);
}

bool
cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->family == b->family && a->bits == b->bits &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
